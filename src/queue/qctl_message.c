#include "queue/qctl.h"

#include "base/fd.h"
#include "base/reader.h"
#include "mail/envelope.h"
#include "queue/info_file.h"

#include <errno.h>
#include <sys/stat.h>

static struct reader reader;
static struct bytes record;

/* Counts recipients who are left, and looks for one that fits. */
struct search {
    struct qctl_message *m;
    enum channel channel;
    const char *pattern;
};

static void see_recipient(void *arg, char letter, struct view address)
{
    struct search *s = arg;
    if (letter != 'T')
        return;
    s->m->left[s->channel]++;
    if (!s->pattern || s->m->matched)
        return;
    struct view pattern = view_of(s->pattern);
    s->m->matched = qctl_match(pattern, address) ||
                    (!s->m->is_new &&
                     qctl_match(pattern, route_without_prefix(qctl_rules(), address)));
}

bool qctl_each_record(int fd, void (*each)(void *arg, char letter, struct view address),
                      void *arg)
{
    struct envelope_record r;
    enum envelope_result result;

    reader_open(&reader, fd, 0);
    while ((result = envelope_next(&reader, &record, &r)) == ENVELOPE_RECORD)
        each(arg, r.letter, r.value);
    errno = result == ENVELOPE_FAILED ? reader.error : EILSEQ;
    return result == ENVELOPE_END;
}

/* The same of todo/N: recipients have the same letter. */
static void see_record(void *arg, char letter, struct view value)
{
    struct search *s = arg;
    if (letter == ENVELOPE_SENDER)
        bytes_set(&s->m->sender, value);
    else
        see_recipient(s, letter, value);
}

static bool read_recipients(struct qctl_message *m, struct search *s,
                            struct queue_path *path)
{
    for (int c = 0; c < CHANNELS; c++) {
        s->channel = (enum channel)c;
        if (!order_each_recipient(s->channel, m->number, see_recipient, s)) {
            *path = queue_split_path(channel_name(s->channel), m->number);
            return false;
        }
    }
    return true;
}

/* What is not there has been, a moment ago. */
static enum qctl_read failed(void)
{
    return errno == ENOENT ? QCTL_GONE : QCTL_FAILED;
}

enum qctl_read qctl_message_read(struct qctl_message *m, ino_t number,
                                 const struct qctl_options *o, struct queue_path *path)
{
    struct search s = {.m = m, .channel = CHANNEL_LOCAL, .pattern = o->recipient};
    struct stat st, mess;
    bool fine;

    *m = (struct qctl_message){.number = number, .sender = m->sender};
    bytes_clear(&m->sender);
    *path = queue_flat_path("todo", number);
    int fd = fd_open_read(path->text);
    m->is_new = fd != -1;
    if (!m->is_new && errno == ENOENT) {
        *path = queue_split_path("info", number);
        fd = fd_open_read(path->text);
    }
    if (fd == -1 || fstat(fd, &st) == -1) {
        enum qctl_read result = failed();
        fd_close(&fd);
        return result;
    }
    if (!m->is_new && queue_is_unsynced(st.st_mode)) {
        fd_close(&fd);
        return QCTL_GONE; /* delivered */
    }
    m->birth = st.st_mtim;
    fine = m->is_new ? qctl_each_record(fd, see_record, &s)
                     : info_file_sender(fd, &m->sender);
    fd_close(&fd);
    if (!fine || (!m->is_new && !read_recipients(m, &s, path)))
        return failed();
    *path = queue_split_path("mess", number);
    if (stat(path->text, &mess) == -1)
        return failed();
    m->size = (uint64_t)mess.st_size;
    m->written = mess.st_mtim;
    return QCTL_READ;
}

bool qctl_message_again(struct qctl_message *m)
{
    struct stat info, mess;

    if (stat(queue_split_path("info", m->number).text, &info) == -1 ||
        stat(queue_split_path("mess", m->number).text, &mess) == -1)
        return false;
    m->is_new = false;
    m->birth = info.st_mtim;
    return m->written.tv_sec == mess.st_mtim.tv_sec &&
           m->written.tv_nsec == mess.st_mtim.tv_nsec;
}

static enum qctl_state state_of(const struct order_answer *a)
{
    const struct order_channel *local = &a->channels[CHANNEL_LOCAL];
    const struct order_channel *remote = &a->channels[CHANNEL_REMOTE];

    if (a->mark == QUEUE_DELETED)
        return QCTL_DELETING;
    if (a->mark == QUEUE_RETURNED ||
        (local->place == ORDER_NOBODY && remote->place == ORDER_NOBODY))
        return QCTL_BOUNCING;
    if (a->mark == QUEUE_HELD)
        return QCTL_HELD;
    return local->place == ORDER_ATTEMPT || remote->place == ORDER_ATTEMPT
               ? QCTL_ACTIVE
               : QCTL_WAITING;
}

bool qctl_message_ask(struct qctl_message *m)
{
    struct order o = {.verb = ORDER_STATE, .message = m->number, .birth = m->birth};

    m->state = QCTL_NEW;
    if (m->is_new)
        return true;
    m->state_answer = qctl_order(&o);
    if (m->state_answer.result == ORDER_GONE || m->state_answer.result == ORDER_OTHER)
        return false;
    if (m->state_answer.result == ORDER_TROUBLE)
        m->state = QCTL_WAITING; /* as well as anybody can tell */
    else if (m->state_answer.result != ORDER_NEW)
        m->state = state_of(&m->state_answer);
    return true;
}

uint64_t qctl_message_age(const struct qctl_message *m, int64_t now)
{
    int64_t birth = m->birth.tv_sec;
    return now > birth ? (uint64_t)now - (uint64_t)birth : 0;
}

bool qctl_message_fits(const struct qctl_message *m, const struct qctl_options *o,
                       int64_t now)
{
    uint64_t age_s = qctl_message_age(m, now);
    return (!o->sender || qctl_match(view_of(o->sender), bytes_view(&m->sender))) &&
           (!o->recipient || m->matched) && (!o->has_older || age_s >= o->older_s) &&
           (!o->has_younger || age_s <= o->younger_s) &&
           (!o->has_larger || m->size > o->larger);
}
