#include "queue/order.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/reader.h"

#include <errno.h>
#include <sys/stat.h>

enum { MODE_BITS = 07777 };

const char order_returned_text[] =
    "The postmaster of this host has returned this message. (#5.3.0)\n";

const char *channel_name(enum channel c)
{
    return c == CHANNEL_LOCAL ? "local" : "remote";
}

/* Looking */

static bool is_there(struct queue_path file, bool *there, struct stat *st,
                     struct queue_path *path)
{
    *there = stat(file.text, st) == 0;
    if (*there || errno == ENOENT)
        return true;
    *path = file;
    return false;
}

bool order_look(ino_t message, struct order_files *f, struct queue_path *path)
{
    struct stat st;

    *f = (struct order_files){.todo = false};
    if (!is_there(queue_flat_path("todo", message), &f->todo, &st, path) ||
        !is_there(queue_split_path("info", message), &f->info, &st, path))
        return false;
    if (f->info) /* else it has been delivered */
        f->info = f->todo || !queue_is_unsynced(st.st_mode);
    if (f->info) {
        f->birth = st.st_mtim;
        f->mark = queue_mark_of(st.st_mode);
    }
    for (int c = 0; c < CHANNELS; c++) {
        struct queue_path file =
            queue_split_path(channel_name((enum channel)c), message);
        if (!is_there(file, &f->channels[c], &st, path))
            return false;
        if (f->channels[c])
            f->times[c] = st.st_mtime;
    }
    return is_there(queue_flat_path("bounce", message), &f->bounce, &st, path);
}

/* Judging */

/* For a message that is there, and neither deleted nor to be deleted. */
static enum order_result judge_change(enum order_verb verb, const struct order_files *f,
                                      bool bouncing, enum queue_mark *mark)
{
    bool somebody = f->channels[CHANNEL_LOCAL] || f->channels[CHANNEL_REMOTE];

    if (!somebody && bouncing)
        return ORDER_BOUNCING;
    if (verb == ORDER_RETURN && f->mark == QUEUE_RETURNED)
        return ORDER_DONE;
    if (!somebody)
        return verb == ORDER_TRY ? ORDER_DONE : ORDER_ENDING;
    if (f->mark == QUEUE_RETURNED)
        return ORDER_RETURNING;
    switch (verb) {
    case ORDER_HOLD:
        *mark = QUEUE_HELD;
        return ORDER_DONE;
    case ORDER_RELEASE:
        *mark = QUEUE_NO_MARK;
        return f->mark == QUEUE_HELD ? ORDER_DONE : ORDER_NOT_HELD;
    case ORDER_TRY:
        return f->mark == QUEUE_HELD ? ORDER_IS_HELD : ORDER_DONE;
    case ORDER_RETURN:
        *mark = QUEUE_RETURNED;
        return ORDER_DONE;
    default:
        return ORDER_BAD;
    }
}

enum order_result order_judge(const struct order *o, const struct order_files *f,
                              bool bouncing, enum queue_mark *mark)
{
    if (f->todo)
        return ORDER_NEW; /* what info says means nothing yet */
    if (!f->info)
        return ORDER_GONE;
    if (f->birth.tv_sec != o->birth.tv_sec || f->birth.tv_nsec != o->birth.tv_nsec)
        return ORDER_OTHER;
    *mark = f->mark;
    if (o->verb == ORDER_STATE)
        return ORDER_DONE;
    if (o->verb == ORDER_DELETE) {
        *mark = QUEUE_DELETED;
        return bouncing ? ORDER_BOUNCING : ORDER_DONE;
    }
    if (f->mark == QUEUE_DELETED)
        return ORDER_DELETING;
    return judge_change(o->verb, f, bouncing, mark);
}

/* Doing */

bool order_mark(ino_t message, enum queue_mark mark)
{
    struct stat st;
    mode_t mode = QUEUE_UNMARKED_MODE | (mode_t)mark;
    int fd = fd_open_read(queue_split_path("info", message).text);
    if (fd == -1)
        return false;
    bool marked = fstat(fd, &st) == 0;
    if (marked && (st.st_mode & MODE_BITS) != mode)
        marked = fchmod(fd, mode) == 0;
    /* also a mark that is there: from one who died before it was stable, perhaps */
    if (marked && !file_sync(fd)) {
        int error = errno;
        int undone = fchmod(fd, st.st_mode & MODE_BITS);
        (void)undone; /* what is on the disk is uncertain anyway */
        errno = error;
        marked = false;
    }
    fd_close(&fd);
    return marked;
}

bool order_each_recipient(enum channel c, ino_t message,
                          void (*each)(void *arg, char letter, struct view address),
                          void *arg)
{
    static struct reader reader;
    static struct bytes record;
    enum read_result result;
    int fd = fd_open_read(queue_split_path(channel_name(c), message).text);

    if (fd == -1)
        return errno == ENOENT;
    reader_open(&reader, fd, 0);
    while ((result = reader_until(&reader, '\0', QUEUE_MAX_RECORD, &record)) ==
           READ_ITEM) {
        char letter = record.len ? record.data[0] : '\0';
        if (letter != 'T' && letter != 'D')
            break;
        each(arg, letter, view_from(bytes_view(&record), 1));
    }
    fd_close(&fd);
    errno = result == READ_FAILED ? reader.error : EILSEQ;
    return result == READ_END;
}

struct notes {
    struct bytes text;
    const struct route_rules *rules;
};

static void add_note(void *arg, char letter, struct view address)
{
    struct notes *notes = arg;
    if (letter == 'T')
        note_paragraph(&notes->text, route_without_prefix(notes->rules, address),
                       view_of(order_returned_text));
}

bool order_return_channel(enum channel c, ino_t message,
                          const struct route_rules *rules)
{
    struct notes notes = {.rules = rules};
    bool noted = order_each_recipient(c, message, add_note, &notes);
    struct view text = bytes_view(&notes.text);

    if (noted && text.len)
        noted = note_is_there(message, text) || note_append(message, text);
    int error = errno;
    bytes_free(&notes.text);
    errno = error;
    return noted;
}
