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
    int64_t next;   /* when the next attempt is due, should recipients remain */
    bool last;      /* the message has outlived its time */
    bool reading;   /* its list has not been read to the end */
    bool left;      /* a recipient remains */
    size_t running; /* deliveries without a result */
    struct job *free_next;
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
    size_t count, max;
    struct bytes sender; /* of one delivery */
} state;

void job_start(void)
{
    state.max = spawn_limit(CHANNEL_LOCAL) + spawn_limit(CHANNEL_REMOTE);
}

ino_t job_message(const struct job *j)
{
    return j->message;
}

bool job_is_last(const struct job *j)
{
    return j->last;
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
    }
    state.count++;
    return j;
}

static void free_job(struct job *j)
{
    j->free_next = state.free_jobs;
    state.free_jobs = j;
    state.count--;
}

/* Beginning */

static void trouble_opening(enum channel c, ino_t message, const char *path)
{
    log_line("warning: trouble opening %s; will try again later", path);
    waiting_retry(c, message);
}

static bool begin(enum channel c, ino_t message)
{
    struct list *list = &state.lists[c];
    struct queue_path path = queue_split_path(channel_name(c), message);
    int64_t birth, now = clock_now();

    int fd = fd_open_read(path.text);
    if (fd == -1) {
        trouble_opening(c, message, path.text);
        return false;
    }
    struct job *j = new_job();
    if (!info_read(message, &j->sender, &birth)) {
        trouble_opening(c, message, queue_split_path("info", message).text);
        fd_close(&fd);
        free_job(j);
        return false;
    }
    j->channel = c;
    j->message = message;
    j->next = schedule_next(c, birth, now);
    j->last = schedule_age(birth, now) > controls.lifetime_s;
    j->reading = true;
    j->left = false;
    j->running = 0;
    list->job = j;
    list->fd = fd;
    list->at = 0;
    reader_open(&list->reader, fd, 0);
    return true;
}

/* Ending */

static void end(struct job *j)
{
    struct stat st;
    enum channel other = j->channel == CHANNEL_LOCAL ? CHANNEL_REMOTE : CHANNEL_LOCAL;
    struct queue_path path = list_path(j);
    struct queue_path other_path = queue_split_path(channel_name(other), j->message);

    if (j->left) {
        waiting_add(j->channel, j->message, j->next);
    } else if (unlink(path.text) == -1) {
        log_line("warning: unable to unlink %s; will try again later", path.text);
        waiting_retry(j->channel, j->message);
    } else if (stat(other_path.text, &st) == -1) {
        if (errno == ENOENT) {
            finish_add(j->message);
        } else {
            log_line("warning: unable to stat %s; will try again later",
                     other_path.text);
            waiting_retry_finish(j->message, SEND_RETRY_S);
        }
    }
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

static void mark_done(const struct job *j, off_t at)
{
    struct queue_path path = list_path(j);
    int fd = fd_open(path.text, O_WRONLY, 0);
    ssize_t n = -1;
    if (fd != -1)
        do
            n = pwrite(fd, "D", 1, at);
        while (n == -1 && errno == EINTR);
    bool marked = n == 1;
    if (fd != -1 && close(fd) == -1)
        marked = false;
    if (!marked)
        log_line("warning: trouble marking %s; message will be delivered twice!",
                 path.text);
}

void job_result(struct job *j, enum job_result result, off_t at)
{
    if (result == JOB_DONE)
        mark_done(j, at);
    else
        j->left = true;
}

void job_settle(struct job *j)
{
    j->running--;
    end_if_done(j);
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
        reader_until(&list->reader, '\0', SEND_MAX_RECORD, &list->record);
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
