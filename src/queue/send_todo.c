#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/number.h"
#include "base/reader.h"
#include "base/writer.h"
#include "mail/envelope.h"
#include "mail/queue_dir.h"
#include "queue/send.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* For each new message the files info, local and remote are written, and handed over to
 * send_fresh.c, which sees to it that the entry in todo/ goes. Deliveries are started
 * and their reports served in between. */

enum {
    SCAN_S = 1500, /* without a trigger */
    TURN_MAX = 8   /* messages in one turn: deliveries and reports wait meanwhile */
};

const char *const send_trees[SEND_FILES] = {"local", "remote", "info"};

/* A message whose files are being written. */
struct taken {
    ino_t message;
    bool in_stream;
    int fds[SEND_FILES]; /* -1: there is no such file */
    size_t recipients;
};

static struct {
    int trigger;       /* -1: there is none */
    int64_t next_scan; /* steady clock */
    DIR *dir;          /* a scan is under way */
    size_t want_trigger;
    bool wants_trigger;
    struct reader reader;
    struct writer writers[SEND_FILES];
    struct bytes record, address;
} state = {.trigger = -1};

void todo_start(void)
{
    fresh_start();
    state.next_scan = clock_steady_ms();
}

/* Taking one message */

static void close_files(struct taken *t)
{
    for (int i = 0; i < SEND_FILES; i++)
        fd_close(&t->fds[i]);
}

static bool remove_old_files(ino_t message)
{
    for (int i = 0; i < SEND_FILES; i++) {
        struct queue_path path = queue_split_path(send_trees[i], message);
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

/* The mode comes with the name: no crash leaves an info that says it is synced, and is
 * not. */
static int create_unsynced(const char *path)
{
    umask(0777 & ~QUEUE_UNSYNCED_MODE);
    int fd = fd_open(path, O_WRONLY | O_CREAT | O_EXCL, QUEUE_UNSYNCED_MODE);
    umask(SEND_UMASK);
    return fd;
}

static bool create_file(struct taken *t, int which)
{
    struct queue_path path = queue_split_path(send_trees[which], t->message);
    t->fds[which] =
        which == SEND_INFO && t->in_stream
            ? create_unsynced(path.text)
            : fd_open(path.text, O_WRONLY | O_CREAT | O_EXCL, QUEUE_UNMARKED_MODE);
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

static void add_remote(struct view address)
{
    add_record(CHANNEL_REMOTE, 'T', address);
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
    add_record(SEND_INFO, 'F', sender);
}

static bool take_recipient(struct taken *t, struct view recipient)
{
    enum route route = route_recipient(&controls.rules, recipient, &state.address);
    int which = route == ROUTE_LOCAL ? CHANNEL_LOCAL : CHANNEL_REMOTE;
    if (t->fds[which] == -1 && !create_file(t, which))
        return false;
    if (which == CHANNEL_LOCAL || controls.remote_recipients <= 1)
        add_record(which, 'T', bytes_view(&state.address));
    else if (!group_add(bytes_view(&state.address)))
        group_take(add_remote);
    t->recipients++;
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
    group_take(add_remote);
    for (int i = 0; i < SEND_FILES; i++)
        if (t->fds[i] != -1 && !writer_flush(&state.writers[i])) {
            log_line("warning: trouble writing to %s",
                     queue_split_path(send_trees[i], t->message).text);
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
    if (!remove_old_files(t->message) || !create_file(t, SEND_INFO))
        return false;
    log_line("new msg %ju", (uintmax_t)t->message);
    reader_open(&state.reader, todo, 0);
    group_clear(); /* of a message that could not be taken */
    return take_records(t, st.st_size) && flush_files(t);
}

static void take(ino_t message)
{
    struct taken t = {
        .message = message, .fds = {-1, -1, -1}, .in_stream = fresh_comes_in_stream()};
    struct queue_path path = queue_flat_path("todo", message);
    int todo = fd_open_read(path.text);

    if (todo == -1) {
        log_line("warning: unable to open %s", path.text);
        return;
    }
    if (take_from(&t, todo))
        fresh_add(message, t.fds, t.in_stream && t.recipients == 1);
    else
        close_files(&t);
    fd_close(&todo);
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

static void begin_scan(void)
{
    state.next_scan = clock_steady_ms() + (int64_t)SCAN_S * 1000;
    if (!reopen_trigger()) { /* before opendir: a pull from now on causes a scan */
        log_line("alert: unable to open lock/trigger, trying again");
        state.next_scan = clock_steady_ms() + SEND_ALERT_SLEEP_S * 1000;
    }
    while (!(state.dir = opendir("todo"))) {
        log_line("alert: unable to opendir todo, sleeping...");
        if (!send_sleep())
            return;
    }
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
    fresh_end_scan();
}

bool todo_is_scanned(void)
{
    return state.dir != NULL;
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
    loop_wake_at(l, state.next_scan);
    if (state.trigger != -1) {
        state.want_trigger = loop_want(l, state.trigger, POLLIN);
        state.wants_trigger = true;
    }
}

/* Takes what is there, some in a turn. */
static void scan(void)
{
    const struct dirent *entry;
    for (int taken = 0; taken < TURN_MAX && !fresh_is_full();) {
        ino_t message;
        errno = 0;
        if (!(entry = readdir(state.dir))) {
            end_scan(errno == 0);
            return;
        }
        if (queue_number(view_of(entry->d_name), &message) && !fresh_has(message)) {
            take(message);
            taken++;
        }
    }
}

void todo_serve(const struct loop *l)
{
    if (send_is_leaving()) {
        if (state.dir)
            closedir(state.dir);
        state.dir = NULL;
        return;
    }
    if (!state.dir) {
        bool pulled = state.wants_trigger && loop_ready(l, state.want_trigger);
        if (pulled || clock_steady_ms() >= state.next_scan)
            begin_scan();
    }
    if (state.dir)
        scan();
}
