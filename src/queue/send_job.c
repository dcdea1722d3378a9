#include "base/clock.h"
#include "base/fd.h"
#include "base/heap.h"
#include "base/reader.h"
#include "mail/address.h"
#include "mail/queue_dir.h"
#include "queue/send.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* An attempt: one message in one channel. */
struct job {
    enum channel channel;
    ino_t message;
    struct bytes sender;
    int64_t next;         /* when the next attempt is due, should recipients remain */
    bool last;            /* the message has outlived its time */
    enum queue_mark mark; /* of the message, where they came after the beginning */
    bool reading;         /* its list has not been read to the end */
    bool left;            /* a recipient remains */
    bool stopped;         /* and nobody has looked whether one remains */
    size_t running;  /* deliveries without a result, or whose result is being settled */
    size_t settling; /* of those, with a result */
    bool gone;       /* its list has been removed */
    bool used;
    struct job *free_next;
    struct job *all_next;
};

/* The list that is being read, one a channel. */
struct list {
    struct job *job; /* NULL: none */
    int fd;
    off_t at; /* of the next record */
    struct reader reader;
    struct bytes record;
};

static struct {
    struct list lists[CHANNELS];
    struct job *free_jobs;
    struct job *all_jobs; /* used or free */
    size_t count, max;
    struct bytes sender; /* of one delivery */
    const struct job *marked;
    int marked_fd; /* of its list; -1: not open */
} state = {.marked_fd = -1};

void job_start(void)
{
    state.max = spawn_limit(CHANNEL_LOCAL) + spawn_limit(CHANNEL_REMOTE);
}

ino_t job_message(const struct job *j)
{
    return j->message;
}

void job_earlier(int64_t seconds, int64_t now)
{
    for (struct job *j = state.all_jobs; j; j = j->all_next)
        if (j->used && j->next > now)
            j->next -= seconds;
}

size_t job_running(const struct job *j)
{
    return j->running;
}

const char *job_last_words(const struct job *j)
{
    static const char too_long[] =
        "I'm not going to try again; this message has been in the queue too long.\n";
    if (j->mark == QUEUE_RETURNED)
        return order_returned_text;
    return j->last ? too_long : NULL;
}

bool job_is_silent(const struct job *j)
{
    return j->mark == QUEUE_DELETED;
}

struct job *job_find(enum channel c, ino_t message)
{
    struct job *j = state.all_jobs;
    while (j && !(j->used && j->message == message && j->channel == c))
        j = j->all_next;
    return j;
}

static struct queue_path list_path(const struct job *j)
{
    return queue_split_path(channel_name(j->channel), j->message);
}

static struct job *new_job(void)
{
    struct job *j = state.free_jobs;
    if (j) {
        state.free_jobs = j->free_next;
    } else {
        j = heap_array(1, sizeof *j);
        memset(j, 0, sizeof *j);
        j->all_next = state.all_jobs;
        state.all_jobs = j;
    }
    j->used = true;
    state.count++;
    return j;
}

static void free_job(struct job *j)
{
    j->used = false;
    j->free_next = state.free_jobs;
    state.free_jobs = j;
    state.count--;
}

/* Ending */

/* The channel has no list any more. */
static void look_at_other(enum channel c, ino_t message)
{
    struct stat st;
    enum channel other = c == CHANNEL_LOCAL ? CHANNEL_REMOTE : CHANNEL_LOCAL;
    struct queue_path other_path = queue_split_path(channel_name(other), message);

    if (stat(other_path.text, &st) == -1) {
        if (errno == ENOENT) {
            finish_add(message);
        } else {
            log_line("warning: unable to stat %s; will try again later",
                     other_path.text);
            waiting_retry_finish(message, SEND_RETRY_S);
        }
    }
}

/* Nobody is left in the channel. */
static void end_channel(enum channel c, ino_t message)
{
    struct queue_path path = queue_split_path(channel_name(c), message);

    if (unlink(path.text) == -1) {
        log_line("warning: unable to unlink %s; will try again later", path.text);
        waiting_retry(c, message);
    } else {
        look_at_other(c, message);
    }
}

void job_apply(enum channel c, ino_t message, enum queue_mark mark)
{
    if (mark == QUEUE_DELETED) {
        end_channel(c, message);
    } else if (mark == QUEUE_HELD) {
        waiting_hold(c, message);
    } else if (order_return_channel(c, message, &controls.rules)) {
        end_channel(c, message);
    } else {
        log_line("warning: unable to return %s; will try again later",
                 queue_split_path(channel_name(c), message).text);
        waiting_retry(c, message);
    }
}

static void see_left(void *left, char letter, struct view address)
{
    (void)address;
    *(bool *)left |= letter == 'T';
}

/* Whether anybody remains in a list that was not read to its end. */
static bool is_left(const struct job *j)
{
    bool left = false;
    return !order_each_recipient(j->channel, j->message, see_left, &left) || left;
}

static void end(struct job *j)
{
    bool left = !j->gone && (j->stopped ? is_left(j) : j->left);
    if (j->gone)
        look_at_other(j->channel, j->message);
    else if (!left)
        end_channel(j->channel, j->message);
    else if (j->mark)
        job_apply(j->channel, j->message, j->mark);
    else
        waiting_add(j->channel, j->message, j->next);
    free_job(j);
}

static void end_if_done(struct job *j)
{
    if (!j->reading && j->running == 0)
        end(j);
}

/* The list has been read, or cannot be: then recipients are left. */
static void close_list(struct list *list, bool left)
{
    struct job *j = list->job;
    fd_close(&list->fd);
    list->job = NULL;
    j->reading = false;
    j->left |= left;
    end_if_done(j);
}

void job_mark(struct job *j, enum queue_mark mark)
{
    struct list *list = &state.lists[j->channel];

    j->mark = mark;
    if (!mark)
        j->next = clock_now();
    if (mark && list->job == j) {
        j->stopped = true;
        close_list(list, true);
    }
}

static void trouble_marking(const struct job *j)
{
    log_line("warning: trouble marking %s; message will be delivered twice!",
             list_path(j).text);
}

void job_marks_end(void)
{
    if (state.marked_fd != -1 && close(state.marked_fd) == -1)
        trouble_marking(state.marked);
    state.marked_fd = -1;
    state.marked = NULL;
}

/* Marks of one list often come together: its file stays open meanwhile. */
static void mark_done(const struct job *j, off_t at)
{
    ssize_t n = -1;
    if (state.marked != j) {
        job_marks_end();
        state.marked = j;
        state.marked_fd = fd_open(list_path(j).text, O_WRONLY, 0);
    }
    if (state.marked_fd != -1)
        do
            n = pwrite(state.marked_fd, "D", 1, at);
        while (n == -1 && errno == EINTR);
    if (n != 1)
        trouble_marking(j);
}

void job_result(struct job *j, enum job_result result)
{
    j->settling++;
    j->left |= result != JOB_DONE;
}

/* A list of which nobody is left need not be marked before it goes. */
static void remove_list(struct job *j)
{
    if (!j->gone && !j->reading && !j->stopped && !j->left && j->running == j->settling)
        j->gone = unlink(list_path(j).text) == 0;
}

void job_done(struct job *j, off_t at)
{
    remove_list(j);
    if (!j->gone)
        mark_done(j, at);
}

void job_settle(struct job *j)
{
    j->running--;
    j->settling--;
    end_if_done(j);
}

/* Beginning */

static void trouble_opening(enum channel c, ino_t message, const char *path)
{
    log_line("warning: trouble opening %s; will try again later", path);
    waiting_retry(c, message);
}

/* When a message was born. One from a time to come, because the clock has been set
 * back, counts as born now, for good: else it would grow no older for as long as the
 * clock was ahead, perhaps years. */
static int64_t birth_of(ino_t message, const struct stat *st, int64_t now)
{
    if (!file_is_ahead(st, now))
        return st->st_mtime;
    struct timespec times[2] = {{.tv_sec = (time_t)now}, {.tv_sec = (time_t)now}};
    /* failing means that it is born again at the next attempt */
    int set = utimensat(AT_FDCWD, queue_split_path("info", message).text, times, 0);
    (void)set;
    return now;
}

static bool begin(enum channel c, ino_t message)
{
    struct list *list = &state.lists[c];
    struct queue_path path = queue_split_path(channel_name(c), message);
    struct stat st;
    int64_t now = clock_now();

    int fd = fd_open_read(path.text);
    if (fd == -1) {
        trouble_opening(c, message, path.text);
        return false;
    }
    struct job *j = new_job();
    if (!info_read(message, &j->sender, &st)) {
        trouble_opening(c, message, queue_split_path("info", message).text);
        fd_close(&fd);
        free_job(j);
        return false;
    }
    if (queue_mark_of(st.st_mode)) { /* an order could not be carried out at once */
        fd_close(&fd);
        free_job(j);
        job_apply(c, message, queue_mark_of(st.st_mode));
        return false;
    }
    j->channel = c;
    j->message = message;
    int64_t birth = birth_of(message, &st, now);
    j->next = schedule_next(c, birth, now);
    j->last = schedule_age(birth, now) > controls.lifetime_s;
    j->reading = true;
    j->left = j->stopped = j->gone = false;
    j->mark = QUEUE_NO_MARK;
    j->running = j->settling = 0;
    list->job = j;
    list->fd = fd;
    list->at = 0;
    reader_open(&list->reader, fd, 0);
    return true;
}

/* Deliveries */

/* PRE@HOST-@[] is a sender of its own for each recipient BOX@DOMAIN:
 * PREBOX=DOMAIN@HOST. Any other sender is left as it is. */
static struct view sender_for(const struct job *j, struct view recipient)
{
    struct view sender = bytes_view(&j->sender);
    struct view pre, host, box, domain;

    if (!view_ends(sender, VIEW("-@[]")) ||
        !address_split(view_before(sender, sender.len - 4), &pre, &host) ||
        !address_split(recipient, &box, &domain))
        return sender;
    bytes_set(&state.sender, pre);
    bytes_add(&state.sender, box);
    bytes_add_byte(&state.sender, '=');
    bytes_add(&state.sender, domain);
    bytes_add_byte(&state.sender, '@');
    bytes_add(&state.sender, host);
    return bytes_view(&state.sender);
}

bool job_is_free(enum channel c)
{
    return !state.lists[c].job && state.count < state.max;
}

bool job_has_work(enum channel c)
{
    return state.lists[c].job || (job_is_free(c) && waiting_has_due(c));
}

/* Takes the next record of the list. False: the list has ended. */
static bool take_record(struct list *list, bool *started)
{
    struct job *j = list->job;
    enum read_result result =
        reader_until(&list->reader, '\0', QUEUE_MAX_RECORD, &list->record);
    off_t at = list->at;

    if (result == READ_END) {
        close_list(list, false);
        return false;
    }
    if (result != READ_ITEM) {
        log_line("warning: trouble reading %s; will try again later",
                 list_path(j).text);
        close_list(list, true);
        return false;
    }
    list->at += (off_t)list->record.len + 1;
    struct view record = bytes_view(&list->record);
    switch (record.len ? record.data[0] : '\0') {
    case 'D':
        return true;
    case 'T':
        j->running++;
        record = view_from(record, 1);
        spawn_deliver(j->channel, j, sender_for(j, record), record, at);
        *started = true;
        return true;
    default:
        log_line("warning: unknown record type in %s!", list_path(j).text);
        close_list(list, true);
        return false;
    }
}

bool job_start_delivery(enum channel c)
{
    struct list *list = &state.lists[c];
    bool started = false;
    ino_t message;

    if (!list->job) {
        if (!job_is_free(c) || !waiting_take(c, &message))
            return false;
        if (!begin(c, message))
            return true;
    }
    while (!started && take_record(list, &started))
        ;
    return true;
}
