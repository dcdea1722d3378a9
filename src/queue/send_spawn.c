#include "base/fd.h"
#include "base/heap.h"
#include "base/reader.h"
#include "mail/delivery.h"
#include "queue/send.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    STARTS_PER_TURN = 128, /* so that a long list does not delay everything else */
    READ_ROOM = 8192
};

/* A delivery that is under way. */
struct slot {
    struct job *job; /* NULL: the slot is free */
    uint64_t id;
    off_t at; /* of the recipient's record */
    struct bytes recipient;
};

/* What a report has brought. */
struct result {
    struct job *job;
    enum job_result what;
    off_t at;
};

static struct spawner {
    int command_fd, report_fd;
    bool lost;
    unsigned limit, running;
    struct slot *slots;
    unsigned *free; /* numbers of free slots, taken from the end */
    unsigned free_count;
    struct bytes command; /* what has not been written: those of one turn at a time */
    size_t command_at;
    bool full;              /* the pipe does not take more of it now */
    struct bytes report;    /* the part that has been read */
    struct result *results; /* of reports, not in the queue yet */
    size_t result_count, result_room;
    size_t want_report, want_command;
    bool wants_report, wants_command;
} spawners[CHANNELS] = {
    [CHANNEL_LOCAL] = {.command_fd = 1, .report_fd = 2},
    [CHANNEL_REMOTE] = {.command_fd = 3, .report_fd = 4},
};

static uint64_t last_id;

uint64_t spawn_limit(enum channel c)
{
    return spawners[c].limit;
}

/* The first bytes that a spawner writes: its limit. */
static bool read_greeting(int fd, unsigned *limit)
{
    char bytes[DELIVERY_SLOT_BYTES];
    size_t have = 0;

    while (have < sizeof bytes) {
        ssize_t n = read_some(fd, bytes + have, sizeof bytes - have);
        if (n <= 0)
            return false;
        have += (size_t)n;
    }
    struct view rest = view_at(bytes, sizeof bytes);
    return delivery_take_slot(&rest, limit);
}

bool spawn_start(void)
{
    for (int c = 0; c < CHANNELS; c++) {
        struct spawner *s = &spawners[c];
        unsigned announced;
        if (!read_greeting(s->report_fd, &announced))
            return false;
        s->limit = controls.concurrency[c] < announced
                       ? (unsigned)controls.concurrency[c]
                       : announced;
        s->slots = heap_array(s->limit, sizeof *s->slots);
        memset(s->slots, 0, s->limit * sizeof *s->slots);
        s->free = heap_array(s->limit, sizeof *s->free);
        for (unsigned i = 0; i < s->limit; i++)
            s->free[i] = s->limit - 1 - i;
        s->free_count = s->limit;
        fd_nonblocking(s->command_fd);
        fd_nonblocking(s->report_fd);
    }
    return true;
}

void spawn_status(void)
{
    log_line("status: local %u/%u remote %u/%u%s", spawners[CHANNEL_LOCAL].running,
             spawners[CHANNEL_LOCAL].limit, spawners[CHANNEL_REMOTE].running,
             spawners[CHANNEL_REMOTE].limit, send_is_leaving() ? " exitasap" : "");
}

static void lose(struct spawner *s)
{
    if (s->lost)
        return;
    log_line("alert: oh no! lost spawn connection! dying...");
    s->lost = true;
    send_leave();
}

static bool is_writing(const struct spawner *s)
{
    return s->command_at < s->command.len;
}

bool spawn_is_idle(void)
{
    for (int c = 0; c < CHANNELS; c++)
        if (!spawners[c].lost && (spawners[c].running || is_writing(&spawners[c])))
            return false;
    return true;
}

/* Commands */

static void write_commands(struct spawner *s)
{
    while (!s->lost && is_writing(s)) {
        struct view left = view_from(bytes_view(&s->command), s->command_at);
        ssize_t n = write(s->command_fd, left.data, left.len);
        if (n != -1) {
            s->command_at += (size_t)n;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            s->full = true;
            return;
        } else if (errno != EINTR) {
            lose(s);
        }
    }
    s->full = false;
    s->command_at = 0;
    bytes_clear(&s->command);
}

bool spawn_can_start(enum channel c)
{
    const struct spawner *s = &spawners[c];
    return s->free_count && !s->full && !s->lost && !send_is_leaving();
}

void spawn_deliver(enum channel c, struct job *j, struct view sender,
                   struct view recipient, off_t at)
{
    struct spawner *s = &spawners[c];
    unsigned number = s->free[--s->free_count];
    struct slot *slot = &s->slots[number];
    char name[32];

    slot->job = j;
    slot->id = ++last_id;
    slot->at = at;
    bytes_set(&slot->recipient, recipient);
    s->running++;

    uintmax_t message = job_message(j);
    snprintf(name, sizeof name, "%ju/%ju", message % CONF_SPLIT, message);
    delivery_add_slot(&s->command, number);
    bytes_add_text(&s->command, name);
    bytes_add_byte(&s->command, '\0');
    bytes_add(&s->command, sender);
    bytes_add_byte(&s->command, '\0');
    bytes_add(&s->command, recipient);
    bytes_add_byte(&s->command, '\0');

    log_begin("starting delivery %" PRIu64 ": msg %ju to %s ", slot->id, message,
              channel_name(c));
    log_safe(recipient);
    log_end();
    spawn_status();
}

/* Reports */

static void log_result(const struct slot *slot, const char *verdict, struct view text)
{
    log_begin("delivery %" PRIu64 ": %s", slot->id, verdict);
    log_safe(text);
    log_end();
}

/* What a report means for its recipient. */
static enum job_result judge(const struct slot *slot, struct view report)
{
    char letter = report.len ? report.data[0] : '\0';
    struct view text = report.len ? view_from(report, 1) : report;
    struct bytes longer = {0};

    if (letter == DELIVERY_DEFERRAL && job_last_words(slot->job)) {
        bytes_add(&longer, text);
        bytes_add_text(&longer, job_last_words(slot->job));
        text = bytes_view(&longer);
        letter = DELIVERY_FAILURE;
    }
    enum job_result result = JOB_LATER;
    switch (letter) {
    case DELIVERY_SUCCESS:
        log_result(slot, "success: ", text);
        result = JOB_DONE;
        break;
    case DELIVERY_DEFERRAL:
        log_result(slot, "deferral: ", text);
        break;
    case DELIVERY_FAILURE:
        log_result(slot, "failure: ", text);
        if (job_is_silent(slot->job) ||
            note_write(job_message(slot->job), bytes_view(&slot->recipient), text))
            result = JOB_DONE;
        break;
    default:
        log_result(slot, "report mangled, will defer", VIEW(""));
        break;
    }
    bytes_free(&longer);
    return result;
}

/* What has been reported is in the log before it is in the queue. */
static void settle(struct spawner *s)
{
    log_flush();
    for (size_t i = 0; i < s->result_count; i++)
        job_result(s->results[i].job, s->results[i].what);
    for (size_t i = 0; i < s->result_count; i++)
        if (s->results[i].what == JOB_DONE)
            job_done(s->results[i].job, s->results[i].at);
    job_marks_end();
    for (size_t i = 0; i < s->result_count; i++)
        job_settle(s->results[i].job);
    s->result_count = 0;
}

/* Whether a note has to be written, which waits for a disk with room. */
static bool needs_note(const struct slot *slot, struct view report)
{
    char letter = report.len ? report.data[0] : '\0';
    return letter == DELIVERY_FAILURE ||
           (letter == DELIVERY_DEFERRAL && job_last_words(slot->job));
}

static void take_report(struct spawner *s)
{
    struct view report = bytes_view(&s->report);
    unsigned number;

    if (!delivery_take_slot(&report, &number) || number >= s->limit ||
        !s->slots[number].job) {
        log_line("warning: internal error: delivery report out of range");
        return;
    }
    struct slot *slot = &s->slots[number];
    if (needs_note(slot, report))
        settle(s); /* those before do not wait with it */
    if (s->result_count == s->result_room) {
        s->result_room = s->result_room * 2 + 16;
        s->results = heap_resize(s->results, s->result_room, sizeof *s->results);
    }
    s->results[s->result_count++] =
        (struct result){.job = slot->job, .what = judge(slot, report), .at = slot->at};
    slot->job = NULL;
    s->free[s->free_count++] = number;
    s->running--;
    spawn_status();
}

/* A report ends at the first NUL after its slot. What is too long is dropped. */
static void take_bytes(struct spawner *s, struct view v)
{
    while (v.len) {
        if (s->report.len < DELIVERY_SLOT_BYTES) {
            bytes_add_byte(&s->report, v.data[0]);
            v = view_from(v, 1);
            continue;
        }
        size_t end = view_find(v, '\0');
        size_t room = DELIVERY_SLOT_BYTES + DELIVERY_MAX_REPORT - s->report.len;
        bytes_add(&s->report, view_before(v, end < room ? end : room));
        if (end == v.len)
            return;
        v = view_from(v, end + 1);
        take_report(s);
        bytes_clear(&s->report);
    }
}

static void read_reports(struct spawner *s)
{
    char text[READ_ROOM];
    ssize_t n = read(s->report_fd, text, sizeof text);
    if (n > 0)
        take_bytes(s, view_at(text, (size_t)n));
    else if (n == 0 || (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK))
        lose(s);
    settle(s);
}

/* Turns */

void spawn_wants(struct loop *l)
{
    for (int c = 0; c < CHANNELS; c++) {
        struct spawner *s = &spawners[c];
        s->wants_report = !s->lost;
        s->wants_command = !s->lost && is_writing(s);
        if (s->wants_report)
            s->want_report = loop_want(l, s->report_fd, POLLIN);
        if (s->wants_command)
            s->want_command = loop_want(l, s->command_fd, POLLOUT);
        if (spawn_can_start((enum channel)c) && job_has_work((enum channel)c))
            loop_wake_now(l);
    }
}

void spawn_serve(const struct loop *l)
{
    for (int c = 0; c < CHANNELS; c++) {
        struct spawner *s = &spawners[c];
        if (s->wants_command && loop_ready(l, s->want_command))
            write_commands(s); /* their lines are in the log */
        if (s->wants_report && !s->lost && loop_ready(l, s->want_report))
            read_reports(s);
        for (int i = 0; i < STARTS_PER_TURN && spawn_can_start((enum channel)c); i++)
            if (!job_start_delivery((enum channel)c))
                break;
        if (is_writing(s) && !s->full) {
            log_flush();
            write_commands(s);
        }
    }
}
