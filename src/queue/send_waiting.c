#include "base/clock.h"
#include "base/file.h"
#include "base/heap.h"
#include "conf.h"
#include "mail/queue_dir.h"
#include "queue/send.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* Due times in the channels follow the wall clock, because they are kept in the
 * files' times; where it is set back, they go back with it. The retries are in
 * milliseconds of the steady clock. */
static struct {
    struct schedule channels[CHANNELS];
    struct schedule held[CHANNELS]; /* never due: only who they are counts */
    struct schedule retries[CHANNELS];
    struct schedule retry_finish; /* seemed finished */
    struct schedule retry_load;   /* could not be looked at when we started */
    int64_t lead_s;               /* of the wall clock before the steady one, lately */
} state;

/* More than the two clocks differ by rounding. */
enum { SET_BACK_S = 2 };

static int64_t clock_lead_s(void)
{
    return clock_now() - clock_steady_ms() / 1000;
}

/* A clock that is set back leaves nobody waiting longer for it: what would have been
 * due in an hour still is. One that is set forward makes things due, which is right
 * for a clock that was behind. */
static void follow_clock(void)
{
    int64_t lead = clock_lead_s(), back = state.lead_s - lead;
    state.lead_s = lead;
    if (back < SET_BACK_S)
        return;
    int64_t now = clock_now();
    for (int c = 0; c < CHANNELS; c++)
        schedule_earlier(&state.channels[c], back, now);
    job_earlier(back, now);
}

static int64_t retry_time(int64_t seconds)
{
    return clock_steady_ms() + seconds * 1000;
}

void waiting_add(enum channel c, ino_t message, int64_t due)
{
    /* what was unclear about it at the start is clear now */
    if (state.retry_load.count)
        schedule_forget(&state.retry_load, message);
    schedule_add(&state.channels[c], message, due);
}

void waiting_retry(enum channel c, ino_t message)
{
    schedule_add(&state.retries[c], message, retry_time(SEND_RETRY_S));
}

void waiting_retry_finish(ino_t message, int64_t seconds)
{
    schedule_add(&state.retry_finish, message, retry_time(seconds));
}

bool waiting_has_due(enum channel c)
{
    const struct schedule *s = &state.channels[c];
    return s->count && schedule_first(s)->due <= clock_now();
}

bool waiting_take(enum channel c, ino_t *message)
{
    if (!waiting_has_due(c))
        return false;
    *message = schedule_first(&state.channels[c])->message;
    schedule_drop_first(&state.channels[c]);
    return true;
}

void waiting_all_due(void)
{
    for (int c = 0; c < CHANNELS; c++)
        schedule_all_due(&state.channels[c], clock_now());
}

/* Orders */

enum waiting_place waiting_find(enum channel c, ino_t message, int64_t *due)
{
    const struct schedule_entry *e = schedule_find(&state.channels[c], message);
    if (e) {
        *due = e->due;
        return WAITING_DUE;
    }
    e = schedule_find(&state.retries[c], message);
    if (e) {
        *due = clock_now() + (e->due - clock_steady_ms()) / 1000;
        return WAITING_DUE;
    }
    return schedule_find(&state.held[c], message) ? WAITING_HELD : WAITING_NOT;
}

void waiting_forget(enum channel c, ino_t message)
{
    schedule_forget(&state.channels[c], message);
    schedule_forget(&state.retries[c], message);
    schedule_forget(&state.held[c], message);
}

void waiting_hold(enum channel c, ino_t message)
{
    waiting_forget(c, message);
    schedule_add(&state.held[c], message, 0);
}

void waiting_now(enum channel c, ino_t message)
{
    waiting_forget(c, message);
    schedule_add(&state.channels[c], message, clock_now());
}

void waiting_finish_now(ino_t message)
{
    schedule_forget(&state.retry_finish, message);
    finish_add(message);
}

/* Loading. One message costs three calls of stat(2); the numbers are taken in
 * ascending order, which is about that of their files on disk. */

static void load_channel(enum channel c, ino_t message, enum queue_mark mark,
                         int64_t due)
{
    if (mark)
        job_apply(c, message, mark);
    else
        waiting_add(c, message, due);
}

/* What was saved by a clock that has been set back since says nothing. */
static int64_t due_of(const struct stat *st)
{
    int64_t now = clock_now();
    return file_is_ahead(st, now) ? now : st->st_mtime;
}

/* Files that were never synced, of a message that has been delivered. Whether they are
 * gone, but for info. */
static bool remove_rests(ino_t message)
{
    return file_remove(queue_split_path("local", message).text) &&
           file_remove(queue_split_path("remote", message).text) &&
           file_remove(queue_flat_path("bounce", message).text);
}

static void load_message(ino_t message)
{
    struct stat files[CHANNELS], file, other;
    enum presence found[CHANNELS];

    if (fresh_has(message))
        return; /* todo/N could be read meanwhile */
    enum presence info = file_look(queue_split_path("info", message).text, &file);
    enum presence todo = file_look(queue_flat_path("todo", message).text, &other);
    if (info == MISSING || todo == PRESENT)
        return;
    bool unknown = info == UNKNOWN || todo == UNKNOWN;
    if (!unknown && queue_is_unsynced(file.st_mode))
        unknown = !remove_rests(message);
    for (int c = 0; c < CHANNELS && !unknown; c++) {
        const char *tree = channel_name((enum channel)c);
        found[c] = file_look(queue_split_path(tree, message).text, &files[c]);
        unknown = found[c] == UNKNOWN;
    }
    if (unknown) {
        schedule_add(&state.retry_load, message, retry_time(SEND_RETRY_S));
        return;
    }
    bool finished = true;
    for (int c = 0; c < CHANNELS; c++) {
        if (found[c] != PRESENT)
            continue;
        load_channel((enum channel)c, message, queue_mark_of(file.st_mode),
                     due_of(&files[c]));
        finished = false;
    }
    if (finished)
        finish_add(message);
}

static int compare_numbers(const void *a, const void *b)
{
    const ino_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

struct numbers {
    ino_t *list;
    size_t count, room;
};

/* The message numbers in a directory of info/. False: it cannot be read, or not to
 * its end, and then nobody would find the rest before the next start. */
static bool list_directory(const char *path, unsigned split, struct numbers *found)
{
    const struct dirent *entry;
    DIR *dir = opendir(path);
    if (!dir)
        return false;
    found->count = 0;
    while (errno = 0, (entry = readdir(dir))) {
        ino_t message;
        if (!queue_number(view_of(entry->d_name), &message) ||
            message % CONF_SPLIT != split)
            continue;
        if (found->count == found->room) {
            found->room = found->room ? found->room * 2 : 256;
            found->list = heap_resize(found->list, found->room, sizeof *found->list);
        }
        found->list[found->count++] = message;
    }
    bool whole = errno == 0;
    closedir(dir);
    return whole;
}

static bool load_directory(unsigned split)
{
    struct numbers found = {0};
    char path[32];

    snprintf(path, sizeof path, "info/%u", split);
    while (!list_directory(path, split, &found)) {
        log_line("alert: unable to opendir %s, sleeping...", path);
        if (!send_sleep()) {
            heap_free(found.list);
            return false;
        }
    }
    if (found.count)
        qsort(found.list, found.count, sizeof *found.list, compare_numbers);
    for (size_t i = 0; i < found.count; i++)
        load_message(found.list[i]);
    heap_free(found.list);
    return true;
}

bool waiting_load(void)
{
    state.lead_s = clock_lead_s();
    for (unsigned split = 0; split < CONF_SPLIT; split++)
        if (!load_directory(split))
            return false;
    return true;
}

/* Leaving */

static void save_entry(enum channel c, const struct schedule_entry *e)
{
    struct queue_path path = queue_split_path(channel_name(c), e->message);
    struct timespec times[2] = {{.tv_sec = (time_t)e->due}, {.tv_sec = (time_t)e->due}};
    if (utimensat(AT_FDCWD, path.text, times, 0) == -1)
        log_line("warning: unable to utime %s; message will be retried too soon",
                 path.text);
}

void waiting_save(void)
{
    for (int c = 0; c < CHANNELS; c++)
        for (size_t i = 0; i < state.channels[c].count; i++)
            save_entry((enum channel)c, &state.channels[c].entries[i]);
}

/* Turns */

static void want(struct loop *l, const struct schedule *retries)
{
    if (retries->count)
        loop_wake_at(l, schedule_first(retries)->due);
}

static void want_first(struct loop *l, int64_t due)
{
    int64_t now = clock_now();
    loop_wake_in_s(l, due > now ? due - now : 0);
}

void waiting_wants(struct loop *l, const bool can_start[CHANNELS])
{
    for (int c = 0; c < CHANNELS; c++) {
        if (can_start[c] && state.channels[c].count)
            want_first(l, schedule_first(&state.channels[c])->due);
        if (!send_is_leaving())
            want(l, &state.retries[c]);
    }
    if (send_is_leaving())
        return;
    want(l, &state.retry_finish);
    want(l, &state.retry_load);
}

/* The next entry of retries that is due, taken out. */
static bool take_retry(struct schedule *retries, ino_t *message)
{
    if (!retries->count || schedule_first(retries)->due > clock_steady_ms())
        return false;
    *message = schedule_first(retries)->message;
    schedule_drop_first(retries);
    return true;
}

void waiting_serve(void)
{
    ino_t message;

    follow_clock();
    if (send_is_leaving())
        return;
    for (int c = 0; c < CHANNELS; c++)
        while (take_retry(&state.retries[c], &message))
            waiting_add((enum channel)c, message, clock_now());
    while (take_retry(&state.retry_finish, &message))
        finish_add(message);
    while (take_retry(&state.retry_load, &message))
        load_message(message);
}
