#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/number.h"
#include "base/reader.h"
#include "base/writer.h"
#include "conf.h"
#include "mail/envelope.h"
#include "mail/queue_dir.h"
#include "queue/send.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Messages are taken from todo/ in batches. For each message of a batch, one a
 * turn, the files info, local and remote are written. Then all of them are
 * synced together, so that a journaling file system commits once, and only then
 * is qmail-clean asked to remove the entries in todo/. Deliveries are started
 * and their reports served between the messages of a batch.
 *
 * A crash at any point leaves the todo entry, and everything is done anew. */

enum {
    SCAN_S = 1500, /* without a trigger */
    BATCH_MAX = 64,
    BATCH_MAX_MS = 100,     /* from the first message to the sync */
    DESCRIPTORS_KEPT = 100, /* not for files of a batch: bounces need most of them */
    FILES = 1 + CHANNELS    /* info, and one for each channel */
};

enum { FILE_OF_INFO = CHANNELS }; /* after those of the channels */

static const char *const trees[FILES] = {"local", "remote", "info"};

/* A message whose files are written, but not synced. */
struct taken {
    ino_t message;
    int fds[FILES]; /* -1: there is no such file */
    bool failed;
};

static struct {
    int trigger;       /* -1: there is none */
    int64_t next_scan; /* steady clock */
    DIR *dir;          /* a scan is under way */
    struct taken batch[BATCH_MAX];
    size_t count, max;
    int64_t batch_began;
    size_t unanswered; /* requests to qmail-clean: their entries are still there */
    size_t want_trigger;
    bool wants_trigger;
    struct reader reader;
    struct writer writers[FILES];
    struct bytes record, address;
} state = {.trigger = -1};

void todo_start(void)
{
    struct rlimit limit;
    state.max = BATCH_MAX;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
        limit.rlim_cur < DESCRIPTORS_KEPT + BATCH_MAX * FILES)
        state.max = limit.rlim_cur > DESCRIPTORS_KEPT + FILES
                        ? (limit.rlim_cur - DESCRIPTORS_KEPT) / FILES
                        : 1;
    state.next_scan = clock_steady_ms();
}

/* Taking one message */

static void close_files(struct taken *t)
{
    for (int i = 0; i < FILES; i++)
        fd_close(&t->fds[i]);
}

static bool remove_old_files(ino_t message)
{
    for (int i = 0; i < FILES; i++) {
        struct queue_path path = queue_split_path(trees[i], message);
        if (!file_remove(path.text)) {
            log_line("warning: unable to unlink %s", path.text);
            return false;
        }
    }
    struct queue_path bounce = queue_flat_path("bounce", message);
    if (file_remove(bounce.text))
        return true;
    log_line("warning: unable to unlink %s", bounce.text);
    return false;
}

static bool create_file(struct taken *t, int which)
{
    struct queue_path path = queue_split_path(trees[which], t->message);
    t->fds[which] = fd_open(path.text, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (t->fds[which] == -1) {
        log_line("warning: unable to create %s", path.text);
        return false;
    }
    writer_open(&state.writers[which], t->fds[which], 0);
    return true;
}

static void add_record(int which, char letter, struct view address)
{
    struct writer *w = &state.writers[which];
    writer_add_byte(w, letter);
    writer_add(w, address);
    writer_add_byte(w, '\0');
}

static void take_sender(ino_t message, off_t size, uint64_t pid, uint64_t uid,
                        struct view sender)
{
    log_begin("info msg %ju: bytes %jd from <", (uintmax_t)message, (intmax_t)size);
    log_safe(sender);
    char rest[80];
    snprintf(rest, sizeof rest, "> qp %" PRIu64 " uid %" PRIu64, pid, uid);
    log_text(rest);
    log_end();
    add_record(FILE_OF_INFO, 'F', sender);
}

static bool take_recipient(struct taken *t, struct view recipient)
{
    enum route route = route_recipient(&controls.rules, recipient, &state.address);
    int which = route == ROUTE_LOCAL ? CHANNEL_LOCAL : CHANNEL_REMOTE;
    if (t->fds[which] == -1 && !create_file(t, which))
        return false;
    add_record(which, 'T', bytes_view(&state.address));
    return true;
}

static uint64_t leading_number(struct view v)
{
    uint64_t n;
    number_take(&v, &n);
    return n;
}

/* Sorts the records of todo/N. False: something was wrong, and has been logged. */
static bool take_records(struct taken *t, off_t size)
{
    struct queue_path todo = queue_flat_path("todo", t->message);
    uint64_t uid = 0, pid = 0;
    bool has_sender = false;

    for (;;) {
        struct envelope_record record;
        enum envelope_result result =
            envelope_next(&state.reader, &state.record, &record);
        if (result == ENVELOPE_END && has_sender)
            return true;
        switch (result) {
        case ENVELOPE_RECORD:
            break;
        case ENVELOPE_END: /* even the null sender has a record */
        case ENVELOPE_TRUNCATED:
        case ENVELOPE_TOO_LONG:
        case ENVELOPE_FAILED:
            log_line("warning: trouble reading %s", todo.text);
            return false;
        case ENVELOPE_UNKNOWN:
            log_line("warning: unknown record type in %s", todo.text);
            return false;
        }
        switch ((enum envelope_letter)record.letter) {
        case ENVELOPE_UID:
            uid = leading_number(record.value);
            break;
        case ENVELOPE_PID:
            pid = leading_number(record.value);
            break;
        case ENVELOPE_SENDER:
            take_sender(t->message, size, pid, uid, record.value);
            has_sender = true;
            break;
        case ENVELOPE_RECIPIENT:
            if (!take_recipient(t, record.value))
                return false;
            break;
        }
    }
}

static bool flush_files(const struct taken *t)
{
    for (int i = 0; i < FILES; i++)
        if (t->fds[i] != -1 && !writer_flush(&state.writers[i])) {
            log_line("warning: trouble writing to %s",
                     queue_split_path(trees[i], t->message).text);
            return false;
        }
    return true;
}

/* False: logged, and nothing is left open. */
static bool take_from(struct taken *t, int todo)
{
    struct queue_path mess = queue_split_path("mess", t->message);
    struct stat st;

    if (stat(mess.text, &st) == -1) {
        log_line("warning: unable to stat %s", mess.text);
        return false;
    }
    if (!remove_old_files(t->message) || !create_file(t, FILE_OF_INFO))
        return false;
    log_line("new msg %ju", (uintmax_t)t->message);
    reader_open(&state.reader, todo, 0);
    return take_records(t, st.st_size) && flush_files(t);
}

static bool take(ino_t message)
{
    struct taken t = {.message = message, .fds = {-1, -1, -1}};
    struct queue_path path = queue_flat_path("todo", message);
    int todo = fd_open_read(path.text);

    if (todo == -1) {
        log_line("warning: unable to open %s", path.text);
        return false;
    }
    bool taken = take_from(&t, todo);
    fd_close(&todo);
    if (!taken) {
        close_files(&t);
        return false;
    }
    for (int i = 0; i < FILES; i++)
        if (t.fds[i] != -1)
            file_sync_begin(t.fds[i]);
    if (state.count == 0)
        state.batch_began = clock_steady_ms();
    state.batch[state.count++] = t;
    return true;
}

/* Ending a batch */

static void sync_files(struct taken *t)
{
    for (int i = 0; i < FILES && !t->failed; i++) {
        if (t->fds[i] == -1 || file_sync(t->fds[i]))
            continue;
        log_line("warning: trouble fsyncing %s",
                 queue_split_path(trees[i], t->message).text);
        t->failed = true;
    }
}

/* The directories in which names of the batch were made, each once. */
static void sync_directories(int which)
{
    const char *const *tree = &trees[which];
    for (size_t i = 0; i < state.count; i++) {
        const struct taken *t = &state.batch[i];
        if (t->failed || t->fds[which] == -1)
            continue;
        struct queue_path dir = queue_split_dir(*tree, t->message);
        bool seen = false;
        for (size_t j = 0; j < i && !seen; j++)
            seen = !state.batch[j].failed && state.batch[j].fds[which] != -1 &&
                   state.batch[j].message % CONF_SPLIT == t->message % CONF_SPLIT;
        if (seen || dir_sync(dir.text))
            continue;
        log_line("warning: trouble fsyncing %s", dir.text);
        for (size_t j = 0; j < state.count; j++)
            if (state.batch[j].fds[which] != -1 &&
                state.batch[j].message % CONF_SPLIT == t->message % CONF_SPLIT)
                state.batch[j].failed = true;
    }
}

/* qmail-clean has answered. channels: a bit for each that has recipients. */
static void preprocessed(ino_t message, unsigned channels, bool gone)
{
    state.unanswered--;
    if (!gone)
        return; /* the next scan does it all anew */
    for (int c = 0; c < CHANNELS; c++)
        if (channels & 1u << c)
            waiting_add((enum channel)c, message, clock_now());
    if (!channels)
        finish_add(message);
}

static unsigned channels_of(const struct taken *t)
{
    unsigned channels = 0;
    for (int c = 0; c < CHANNELS; c++)
        if (t->fds[c] != -1)
            channels |= 1u << c;
    return channels;
}

static void end_batch(void)
{
    for (size_t i = 0; i < state.count; i++)
        sync_files(&state.batch[i]);
    for (int which = 0; which < FILES; which++)
        sync_directories(which);
    for (size_t i = 0; i < state.count; i++) {
        struct taken *t = &state.batch[i];
        unsigned channels = channels_of(t);
        close_files(t);
        if (t->failed)
            continue;
        state.unanswered++;
        clean_request("todo", t->message, channels, preprocessed);
    }
    state.count = 0;
}

/* Scanning */

/* While somebody who has pulled it has it open, what he wrote is there for the next
 * reader too; the scan that begins sees what he means. What is left, of somebody who
 * goes on and on, is for the next turn. */
static void empty_trigger(void)
{
    char pulls[4096];
    ssize_t n = read(state.trigger, pulls, sizeof pulls);
    (void)n;
}

/* False if there may be a trigger that cannot be opened now. */
static bool reopen_trigger(void)
{
    struct stat st;
    fd_close(&state.trigger);
    state.trigger = fd_open_read(QUEUE_DIR_TRIGGER);
    if (state.trigger == -1)
        return errno == ENOENT;
    bool known = fstat(state.trigger, &st) == 0;
    if (known && S_ISFIFO(st.st_mode))
        empty_trigger();
    else
        fd_close(&state.trigger); /* anything else would be readable all the time */
    return known;
}

static bool begin_scan(void)
{
    state.next_scan = clock_steady_ms() + (int64_t)SCAN_S * 1000;
    if (!reopen_trigger()) { /* before opendir: a pull from now on causes a scan */
        log_line("alert: unable to open lock/trigger, trying again");
        state.next_scan = clock_steady_ms() + SEND_ALERT_SLEEP_S * 1000;
    }
    while (!(state.dir = opendir("todo"))) {
        log_line("alert: unable to opendir todo, sleeping...");
        if (!send_sleep())
            return false;
    }
    return true;
}

static void end_scan(bool whole)
{
    if (!whole) { /* nobody may pull the trigger again */
        int64_t again = clock_steady_ms() + SEND_RETRY_S * 1000;
        log_line("warning: trouble reading todo");
        if (state.next_scan > again)
            state.next_scan = again;
    }
    closedir(state.dir);
    state.dir = NULL;
    end_batch();
}

static void drop_everything(void)
{
    for (size_t i = 0; i < state.count; i++)
        close_files(&state.batch[i]);
    state.count = 0;
    if (state.dir)
        closedir(state.dir);
    state.dir = NULL;
}

void todo_wants(struct loop *l)
{
    state.wants_trigger = false;
    if (send_is_leaving())
        return;
    if (state.dir) {
        loop_wake_now(l);
        return;
    }
    if (state.unanswered)
        return; /* a scan would find the entries that are just being removed */
    loop_wake_at(l, state.next_scan);
    if (state.trigger != -1) {
        state.want_trigger = loop_want(l, state.trigger, POLLIN);
        state.wants_trigger = true;
    }
}

void todo_serve(const struct loop *l)
{
    if (send_is_leaving()) {
        drop_everything();
        return;
    }
    if (!state.dir) {
        bool pulled = state.wants_trigger && loop_ready(l, state.want_trigger);
        if (state.unanswered || (!pulled && clock_steady_ms() < state.next_scan))
            return;
        if (!begin_scan())
            return;
    }
    const struct dirent *entry;
    while (errno = 0, (entry = readdir(state.dir))) {
        ino_t message;
        if (!queue_number(view_of(entry->d_name), &message))
            continue;
        take(message);
        if (state.count == state.max ||
            (state.count && clock_steady_ms() - state.batch_began > BATCH_MAX_MS))
            end_batch();
        return;
    }
    end_scan(errno == 0);
}
