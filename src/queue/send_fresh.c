#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/heap.h"
#include "conf.h"
#include "mail/queue_dir.h"
#include "queue/send.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* The files of a new message must be on the disk before its entry in todo/ goes. They
 * are synced in batches, so that a journaling file system commits once for all of them.
 *
 * In a stream of mail a message for one recipient is delivered meanwhile. Most are done
 * before their files would be synced, and never are: the entry in todo/ is all that
 * they need. With more recipients all who have been reached would be reached again
 * after a crash, so these wait; and where little mail comes nobody notices the syncs.
 *
 * A crash at any point leaves the entry in todo/, and everything is done anew. So where
 * entries stay, because qmail-clean is slow or cannot remove them, nobody is delivered
 * before they go: or the next start would do it for all. */

enum {
    WRITTEN_MAX = 64, /* messages whose files are open */
    BATCH_MS = 100,   /* that the first of a batch may wait to be synced */
    MOMENT_MS = 200,  /* that a message for one recipient may be unsynced */
    STREAM = 4,       /* messages within STREAM_MS: mail comes in a stream */
    STREAM_MS = 1000,
    ENTRIES_MAX = 128,      /* with so many in todo/ nobody else is delivered early */
    DESCRIPTORS_KEPT = 100, /* not for these files: bounces need most of them */
    SMALLEST = 128,         /* entries */
    RETRY_MS = SEND_RETRY_S * 1000
};

enum step {
    STEP_NONE,      /* a free place */
    STEP_WRITTEN,   /* not synced; to be synced at act_ms at the latest */
    STEP_TROUBLE,   /* could not be synced; to be written again at act_ms */
    STEP_ASKED,     /* qmail-clean has been asked to remove the entry in todo/ */
    STEP_ASK_LATER, /* it could not; to be asked again at act_ms */
    STEP_GONE       /* the entry is gone, but a scan may have seen it */
};

/* A message whose entry in todo/ has been read and is there. */
struct fresh {
    ino_t message;
    enum step step;
    bool single; /* one recipient, who is being tried */
    bool over;   /* nobody is left */
    bool failed; /* of the batch that is being synced */
    int fds[SEND_FILES];
    bool has[SEND_FILES];
    int64_t act_ms; /* steady clock */
};

static struct {
    struct fresh *places; /* by a hash of the message, or the next that is free */
    size_t count, room;   /* room is 0 or a power of 2 */
    size_t written, max;  /* in STEP_WRITTEN */
    size_t troubled;      /* in STEP_TROUBLE or STEP_ASK_LATER */
    size_t gone;          /* in STEP_GONE */
    int64_t act_ms;       /* nothing is to be done before */
    bool batch_ended;     /* it is to be synced now */
    struct fresh *batch[WRITTEN_MAX];
    size_t batch_count;
    int64_t came_ms[STREAM]; /* the last messages, in turn; 0: none */
    size_t came;
} state = {.act_ms = INT64_MAX};

void fresh_start(void)
{
    struct rlimit limit;
    state.max = WRITTEN_MAX;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
        limit.rlim_cur < DESCRIPTORS_KEPT + WRITTEN_MAX * SEND_FILES)
        state.max = limit.rlim_cur > DESCRIPTORS_KEPT + SEND_FILES
                        ? (limit.rlim_cur - DESCRIPTORS_KEPT) / SEND_FILES
                        : 1;
}

/* The table */

static size_t home_of(ino_t message)
{
    return (size_t)(((uint64_t)message * 0x9e3779b97f4a7c15u) >> 32) & (state.room - 1);
}

/* The place of the message, or the free one for it. */
static struct fresh *place(ino_t message)
{
    size_t i = home_of(message);
    while (state.places[i].step != STEP_NONE && state.places[i].message != message)
        i = (i + 1) & (state.room - 1);
    return &state.places[i];
}

static struct fresh *find(ino_t message)
{
    struct fresh *f = state.count ? place(message) : NULL;
    return f && f->step != STEP_NONE && f->step != STEP_GONE ? f : NULL;
}

static void make_room(void)
{
    struct fresh *old = state.places;
    size_t old_room = state.room;
    if ((state.count + 1) * 2 <= state.room)
        return;
    state.room = old_room ? old_room * 2 : SMALLEST;
    state.places = heap_array(state.room, sizeof *state.places);
    memset(state.places, 0, state.room * sizeof *state.places);
    for (size_t i = 0; i < old_room; i++)
        if (old[i].step != STEP_NONE)
            *place(old[i].message) = old[i];
    heap_free(old);
}

/* Those behind it that are not at home move up. */
static void forget(const struct fresh *f)
{
    size_t hole = (size_t)(f - state.places), mask = state.room - 1;
    state.count--;
    for (size_t i = (hole + 1) & mask; state.places[i].step != STEP_NONE;
         i = (i + 1) & mask)
        if (((i - home_of(state.places[i].message)) & mask) >= ((i - hole) & mask)) {
            state.places[hole] = state.places[i];
            hole = i;
        }
    state.places[hole].step = STEP_NONE;
}

bool fresh_has(ino_t message)
{
    return state.count && place(message)->step != STEP_NONE;
}

bool fresh_is_full(void)
{
    return state.written >= state.max;
}

bool fresh_comes_in_stream(void)
{
    int64_t now = clock_steady_ms(), *oldest = &state.came_ms[state.came % STREAM];
    bool stream = *oldest && now - *oldest < STREAM_MS;
    *oldest = now;
    state.came++;
    return stream && !state.troubled && state.count - state.gone < ENTRIES_MAX;
}

/* Steps */

static bool is_trouble(enum step step)
{
    return step == STEP_TROUBLE || step == STEP_ASK_LATER;
}

static void set_step(struct fresh *f, enum step step, int64_t in_ms)
{
    if (f->step == STEP_WRITTEN)
        state.written--;
    if (step == STEP_WRITTEN)
        state.written++;
    if (is_trouble(f->step))
        state.troubled--;
    if (is_trouble(step))
        state.troubled++;
    f->step = step;
    f->act_ms = clock_steady_ms() + in_ms;
    if (step != STEP_ASKED && f->act_ms < state.act_ms)
        state.act_ms = f->act_ms;
}

static void close_files(struct fresh *f)
{
    for (int i = 0; i < SEND_FILES; i++)
        fd_close(&f->fds[i]);
}

void fresh_add(ino_t message, const int fds[SEND_FILES], bool single)
{
    make_room();
    struct fresh *f = place(message);
    *f = (struct fresh){.message = message, .single = single};
    state.count++;
    for (int i = 0; i < SEND_FILES; i++) {
        f->fds[i] = fds[i];
        f->has[i] = fds[i] != -1;
        if (f->has[i] && !single)
            file_sync_begin(fds[i]);
    }
    set_step(f, STEP_WRITTEN, single ? MOMENT_MS : BATCH_MS);
    for (int c = 0; c < CHANNELS && single; c++)
        if (f->has[c])
            waiting_add((enum channel)c, message, clock_now());
}

/* It has no entry in todo/ any more. */
static void be_known(const struct fresh *f)
{
    bool somebody = false;
    for (int c = 0; c < CHANNELS; c++) {
        somebody |= f->has[c];
        if (f->has[c] && !f->single)
            waiting_add((enum channel)c, f->message, clock_now());
    }
    if (f->over || !somebody)
        finish_add(f->message);
}

static void answered(ino_t message, unsigned detail, bool gone)
{
    struct fresh *f = place(message); /* it has been there since it was asked for */
    (void)detail;
    if (!gone && f->single) { /* nobody must deliver it anew */
        set_step(f, STEP_ASK_LATER, RETRY_MS);
        return;
    }
    struct fresh known = *f;
    if (todo_is_scanned()) {
        f->step = STEP_GONE;
        state.gone++;
    } else {
        forget(f);
    }
    if (gone)
        be_known(&known); /* else the next scan does it all anew */
}

static void ask(struct fresh *f)
{
    close_files(f);
    set_step(f, STEP_ASKED, 0);
    clean_request("todo", f->message, 0, answered);
}

bool fresh_over(ino_t message)
{
    struct fresh *f = find(message);
    struct stat st;
    if (!f)
        return false;
    f->over = true;
    if (f->step != STEP_WRITTEN && f->step != STEP_TROUBLE)
        return true;
    if (stat(queue_flat_path("bounce", message).text, &st) == -1 && errno == ENOENT)
        ask(f); /* nothing has to be stable any more */
    else if (f->step == STEP_WRITTEN)
        set_step(f, STEP_WRITTEN, 0); /* the bounce needs info/N */
    return true;
}

/* Syncing */

/* Of who is being tried nothing is written out before: most never is. */
static void begin_sync(const struct fresh *f)
{
    for (int i = 0; i < SEND_FILES && f->single; i++)
        if (f->fds[i] != -1)
            file_sync_begin(f->fds[i]);
}

/* What a batch has to sync: the files of its messages, and each directory in which
 * names were made once. */
static struct {
    struct sync_job jobs[WRITTEN_MAX * SEND_FILES * 2];
    struct fresh *of[WRITTEN_MAX * SEND_FILES * 2]; /* NULL: a directory */
    struct queue_path dirs[WRITTEN_MAX * SEND_FILES];
    size_t count, dir_count;
} syncs;

static struct sync_job *add_sync(struct fresh *of)
{
    struct sync_job *job = &syncs.jobs[syncs.count];
    syncs.of[syncs.count++] = of;
    *job = (struct sync_job){.fd = -1};
    return job;
}

static void add_directory(int which, ino_t message)
{
    struct queue_path *dir = &syncs.dirs[syncs.dir_count];
    *dir = queue_split_dir(send_trees[which], message);
    for (size_t i = 0; i < syncs.dir_count; i++)
        if (strcmp(syncs.dirs[i].text, dir->text) == 0)
            return;
    syncs.dir_count++;
    add_sync(NULL)->dir = dir->text;
}

static void fail(struct fresh *f, const char *path)
{
    log_line("warning: trouble fsyncing %s", path);
    f->failed = true;
}

static void add_files(struct fresh *f)
{
    f->failed = false;
    if (f->fds[SEND_INFO] != -1 &&
        fchmod(f->fds[SEND_INFO], QUEUE_UNMARKED_MODE) == -1) {
        fail(f, queue_split_path(send_trees[SEND_INFO], f->message).text);
        return;
    }
    for (int i = 0; i < SEND_FILES; i++)
        if (f->fds[i] != -1) {
            add_sync(f)->fd = f->fds[i];
            add_directory(i, f->message);
        }
}

static bool is_in(const struct fresh *f, const char *dir)
{
    for (int i = 0; i < SEND_FILES; i++)
        if (f->fds[i] != -1 &&
            strcmp(queue_split_dir(send_trees[i], f->message).text, dir) == 0)
            return true;
    return false;
}

static struct queue_path path_of(const struct fresh *f, int fd)
{
    int i = 0;
    while (f->fds[i] != fd)
        i++;
    return queue_split_path(send_trees[i], f->message);
}

static void see_failure(const struct sync_job *job, struct fresh *f)
{
    if (f) {
        fail(f, path_of(f, job->fd).text);
        return;
    }
    log_line("warning: trouble fsyncing %s", job->dir);
    for (size_t i = 0; i < state.batch_count; i++)
        if (is_in(state.batch[i], job->dir))
            state.batch[i]->failed = true;
}

/* A failed sync is not asked for again: who is being tried is written again, who is not
 * is read again by the next scan. */
static void meet_trouble(struct fresh *f)
{
    /* it may yet be delivered without a sync */
    int unsynced = f->single ? fchmod(f->fds[SEND_INFO], QUEUE_UNSYNCED_MODE) : 0;
    (void)unsynced; /* on this disk a crash may leave a second copy */
    close_files(f);
    if (f->single) {
        set_step(f, STEP_TROUBLE, RETRY_MS);
        return;
    }
    state.written--;
    forget(f);
}

static void sync_batch(void)
{
    ino_t failed[WRITTEN_MAX];
    size_t failures = 0;
    for (size_t i = 0; i < state.batch_count; i++)
        begin_sync(state.batch[i]);
    syncs.count = syncs.dir_count = 0;
    for (size_t i = 0; i < state.batch_count; i++)
        add_files(state.batch[i]);
    if (!sync_together(syncs.jobs, syncs.count))
        for (size_t i = 0; i < syncs.count; i++)
            if (!syncs.jobs[i].synced)
                see_failure(&syncs.jobs[i], syncs.of[i]);
    for (size_t i = 0; i < state.batch_count; i++) {
        if (state.batch[i]->failed)
            failed[failures++] = state.batch[i]->message;
        else
            ask(state.batch[i]);
    }
    state.batch_count = 0;
    for (size_t i = 0; i < failures; i++) /* which moves others */
        meet_trouble(place(failed[i]));
}

static bool write_over(int fd, struct view text)
{
    struct stat st;
    if (fstat(fd, &st) == -1 || pwrite(fd, text.data, text.len, 0) != (ssize_t)text.len)
        return false;
    /* that of info is the message's birth; without it the message is younger */
    int kept = futimens(fd, (struct timespec[2]){{.tv_nsec = UTIME_OMIT}, st.st_mtim});
    (void)kept;
    return true;
}

/* Whether a file of a message for one recipient holds its record. What could not be
 * written is in the cache as long as that has room; then the file may hold anything. */
static bool is_sound(struct view text, int which)
{
    bool whole = text.len && view_find(text, '\0') == text.len - 1;
    return whole && view_has(which == SEND_INFO ? VIEW("F") : VIEW("TD"), text.data[0]);
}

/* Writes what the file at path holds once more, so that it can be synced. -1: it cannot
 * be done; that has been logged. */
static int write_again(const char *path, int which)
{
    struct bytes text = {0};
    int fd = -1;
    if (file_read(path, QUEUE_MAX_RECORD, &text) != FILE_READ ||
        !is_sound(bytes_view(&text), which))
        log_line("warning: trouble reading %s", path);
    else if ((fd = fd_open(path, O_WRONLY, 0)) == -1 ||
             !write_over(fd, bytes_view(&text))) {
        log_line("warning: trouble writing to %s", path);
        fd_close(&fd);
    }
    bytes_free(&text);
    return fd;
}

static void overcome(struct fresh *f)
{
    for (int i = 0; i < SEND_FILES; i++) {
        struct queue_path path = queue_split_path(send_trees[i], f->message);
        if (!f->has[i] || (f->over && i != SEND_INFO))
            continue;
        if ((f->fds[i] = write_again(path.text, i)) != -1)
            continue;
        close_files(f);
        set_step(f, STEP_TROUBLE, RETRY_MS);
        return;
    }
    set_step(f, STEP_WRITTEN, 0);
}

/* Turns */

void fresh_end_scan(void)
{
    state.batch_ended = true;
    for (size_t i = 0; i < state.room;)
        if (state.places[i].step == STEP_GONE)
            forget(&state.places[i]); /* another one may be here now */
        else
            i++;
    state.gone = 0;
}

bool fresh_is_idle(void)
{
    for (size_t i = 0; i < state.room && state.written; i++)
        if (state.places[i].step == STEP_WRITTEN && state.places[i].single)
            return false;
    return true;
}

void fresh_wants(struct loop *l)
{
    if (state.batch_ended || (send_is_leaving() && !fresh_is_idle()))
        loop_wake_now(l);
    else if (state.count && !send_is_leaving())
        loop_wake_at(l, state.act_ms);
}

/* Whether it is synced with the others. Who leaves syncs what has been tried, so that
 * it keeps its time, and leaves the rest in todo/. */
static bool is_due(const struct fresh *f, int64_t now, bool all)
{
    if (f->step != STEP_WRITTEN)
        return false;
    if (send_is_leaving())
        return f->single;
    return all || !f->single || f->act_ms <= now + MOMENT_MS / 2;
}

static void fill_batch(int64_t now, bool all)
{
    for (size_t i = 0; i < state.room; i++)
        if (is_due(&state.places[i], now, all))
            state.batch[state.batch_count++] = &state.places[i];
}

/* Goes on with what is due. */
static void look_again(int64_t now)
{
    for (size_t i = 0; i < state.room; i++) {
        struct fresh *f = &state.places[i];
        if (f->act_ms > now)
            continue;
        if (f->step == STEP_TROUBLE && !fresh_is_full())
            overcome(f);
        else if (f->step == STEP_ASK_LATER)
            ask(f);
        state.batch_ended |= f->step == STEP_WRITTEN;
    }
}

/* When the next is due. */
static void look_ahead(void)
{
    state.act_ms = INT64_MAX;
    for (size_t i = 0; i < state.room; i++) {
        const struct fresh *f = &state.places[i];
        bool waits = f->step == STEP_WRITTEN || f->step == STEP_TROUBLE ||
                     f->step == STEP_ASK_LATER;
        if (waits && f->act_ms < state.act_ms)
            state.act_ms = f->act_ms;
    }
}

void fresh_serve(void)
{
    int64_t now = clock_steady_ms();
    bool due = now >= state.act_ms && !send_is_leaving(), full = fresh_is_full();
    if (due)
        look_again(now);
    if (full || state.batch_ended || send_is_leaving()) {
        fill_batch(now, full);
        sync_batch();
    }
    state.batch_ended = false;
    if (due)
        look_ahead();
}
