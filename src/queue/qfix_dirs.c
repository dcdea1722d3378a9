#include "queue/qfix.h"

#include "base/clock.h"
#include "base/die.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/os.h"
#include "conf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    DIR_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
    SLOTS = 2,            /* one to rename from, one to rename to */
    MAX_ASIDE_NAME = 200, /* bytes kept of a name that is no message's */
    ASIDE_TRIES = 10000   /* names tried for things of the same name */
};

static struct {
    int queue;
    int tops[QUEUE_KINDS]; /* -1: missing */
    /* the split directories that were used last */
    struct {
        uint64_t place;
        int fd;
    } slots[QUEUE_KINDS][SLOTS];
    unsigned next[QUEUE_KINDS]; /* the slot to be given up */
    struct qfix_numbers places[QUEUE_KINDS];
    int aside;                                /* -1: nothing has been kept aside yet */
    struct qfix_numbers changed[QUEUE_KINDS]; /* places, since the last sync */
    bool aside_changed;
    struct bytes path;
} state = {.queue = -1, .aside = -1};

uint64_t qfix_place(enum queue_kind kind, uint64_t number)
{
    return queue_kinds[kind].split ? number % CONF_SPLIT : QFIX_TOP;
}

/* Names in the queue may be anything; a terminal gets none of that. */
static void add_safe(struct bytes *out, const char *name)
{
    for (; *name; name++)
        bytes_add_byte(out, *name > ' ' && *name <= '~' ? *name : '_');
}

const char *qfix_path(enum queue_kind kind, uint64_t place, const char *name)
{
    bytes_clear(&state.path);
    bytes_add_text(&state.path, queue_kinds[kind].dir);
    bytes_add_byte(&state.path, '/');
    if (place != QFIX_TOP) {
        bytes_add_number(&state.path, place);
        bytes_add_byte(&state.path, '/');
    }
    add_safe(&state.path, name);
    return bytes_cstring(&state.path);
}

static _Noreturn void die_unable(const char *deed, const char *path)
{
    die_temp("unable to %s %s: %s", deed, path, error_text(errno));
}

/* Opening */

void qfix_enter(const char *home)
{
    /* HOME is root's: "queue" may be a link that leads to another disk */
    if (chdir(home) == -1)
        die_unable("enter", home);
    state.queue = fd_open("queue", O_RDONLY | O_DIRECTORY, 0);
    if (state.queue == -1 || fchdir(state.queue) == -1)
        die_unable("enter", CONF_QMAIL "/queue");
}

int qfix_open_dir(const char *path)
{
    struct view rest = view_of(path);
    struct bytes part = {0};
    int dir = openat(state.queue, ".", DIR_FLAGS);

    while (rest.len && dir != -1) {
        bytes_set(&part, view_cut(&rest, '/'));
        int next = openat(dir, bytes_cstring(&part), DIR_FLAGS);
        fd_close(&dir);
        dir = next;
    }
    bytes_free(&part);
    return dir;
}

void qfix_open_kinds(void)
{
    for (enum queue_kind kind = 0; kind < QUEUE_KINDS; kind++) {
        state.tops[kind] = qfix_open_dir(queue_kinds[kind].dir);
        if (state.tops[kind] == -1 && errno != ENOENT)
            die_unable("open", queue_kinds[kind].dir);
        for (int i = 0; i < SLOTS; i++)
            state.slots[kind][i].fd = -1;
    }
}

static int open_place(enum queue_kind kind, uint64_t place)
{
    struct qfix_name name = {"."};
    if (place != QFIX_TOP)
        name = qfix_name(place, QFIX_PLAIN);
    if (state.tops[kind] == -1) {
        errno = ENOENT;
        return -1;
    }
    int fd = openat(state.tops[kind], name.text, DIR_FLAGS);
    if (fd == -1 && errno != ENOENT)
        die_unable("open", qfix_path(kind, QFIX_TOP, name.text));
    return fd;
}

/* An open directory, or -1 where it is missing. Stays ours. */
static int dir_of(enum queue_kind kind, uint64_t place)
{
    if (place == QFIX_TOP)
        return state.tops[kind];
    for (unsigned i = 0; i < SLOTS; i++)
        if (state.slots[kind][i].fd != -1 && state.slots[kind][i].place == place) {
            state.next[kind] = (i + 1) % SLOTS;
            return state.slots[kind][i].fd;
        }
    unsigned slot = state.next[kind];
    state.next[kind] = (slot + 1) % SLOTS;
    fd_close(&state.slots[kind][slot].fd);
    state.slots[kind][slot].place = place;
    return state.slots[kind][slot].fd = open_place(kind, place);
}

/* Reading */

static bool is_dir(int dir, const char *name)
{
    struct stat st;
    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* Whether a name is nothing that this program speaks about. */
static bool is_passed(const struct qfix_file *f)
{
    if (strcmp(f->name, ".") == 0 || strcmp(f->name, "..") == 0)
        return true;
    if (f->form != QFIX_OTHER)
        return false;
    /* an admin's business, and a file system's own directory */
    return (queue_kinds[f->kind].split && f->place == QFIX_TOP) ||
           (strcmp(f->name, "lost+found") == 0 && is_dir(f->dir, f->name));
}

static void each_in(enum queue_kind kind, uint64_t place,
                    void (*visit)(const struct qfix_file *f))
{
    struct qfix_file f = {.kind = kind, .place = place};
    const struct dirent *entry;
    int fd = open_place(kind, place);

    if (fd == -1)
        return;
    DIR *dir = fdopendir(fd);
    if (!dir)
        die_unable("read", qfix_path(kind, place, ""));
    while (errno = 0, (entry = readdir(dir))) {
        f.dir = dirfd(dir);
        f.name = entry->d_name;
        f.form = qfix_name_read(f.name, &f.number);
        if (is_passed(&f))
            continue;
        if (queue_kinds[kind].split && place == QFIX_TOP && f.form == QFIX_PLAIN &&
            f.number != QFIX_TOP && is_dir(f.dir, f.name))
            qfix_numbers_add(&state.places[kind], f.number);
        else
            visit(&f);
    }
    if (errno)
        die_unable("read", qfix_path(kind, place, ""));
    closedir(dir);
}

void qfix_each(enum queue_kind kind, void (*visit)(const struct qfix_file *f))
{
    struct qfix_numbers *places = &state.places[kind];

    qfix_numbers_clear(places);
    each_in(kind, QFIX_TOP, visit);
    qfix_numbers_sort(places);
    for (size_t i = 0; i < places->count; i++)
        each_in(kind, places->at[i], visit);
}

struct qfix_numbers *qfix_places(enum queue_kind kind)
{
    return &state.places[kind];
}

bool qfix_stat(enum queue_kind kind, uint64_t place, const char *name, struct stat *st)
{
    int dir = dir_of(kind, place);
    if (dir == -1)
        return false;
    if (fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW) == 0)
        return true;
    if (errno != ENOENT)
        die_unable("look at", qfix_path(kind, place, name));
    return false;
}

int qfix_open_file(enum queue_kind kind, uint64_t place, const char *name)
{
    struct stat st;
    /* opening a device may do something */
    if (!qfix_stat(kind, place, name, &st) || !S_ISREG(st.st_mode))
        return -1;
    int fd = openat(dir_of(kind, place), name,
                    O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (fd == -1 && errno != ENOENT && errno != ELOOP)
        die_unable("open", qfix_path(kind, place, name));
    return fd;
}

bool qfix_is_there(enum queue_kind kind, uint64_t number, enum qfix_form form)
{
    struct stat st;
    return qfix_stat(kind, qfix_place(kind, number), qfix_name(number, form).text, &st);
}

/* Changing */

static void note_change(enum queue_kind kind, uint64_t place)
{
    if (!qfix_numbers_has(&state.changed[kind], place))
        qfix_numbers_add(&state.changed[kind], place);
}

enum qfix_moved qfix_move(enum queue_kind kind, uint64_t from, const char *old,
                          uint64_t to, const char *name)
{
    int from_dir = dir_of(kind, from);
    if (from_dir == -1)
        return QFIX_MISSING;
    int to_dir = dir_of(kind, to);
    if (to_dir == -1)
        die_unable("open", qfix_path(kind, to, ""));
    if (os_rename_new(from_dir, old, to_dir, name)) {
        note_change(kind, from);
        note_change(kind, to);
        return QFIX_MOVED;
    }
    if (errno == ENOENT)
        return QFIX_MISSING;
    if (errno == EEXIST || errno == EXDEV)
        return QFIX_TAKEN;
    die_unable("rename", qfix_path(kind, from, old));
}

/* QUEUE/qfix.T.P. QUEUE is qmailq's, so what is there under that name may be another's
 * by now; what is kept in ours no other user can reach. */
static void make_aside(void)
{
    char name[64];
    struct stat st;

    snprintf(name, sizeof name, "qfix.%" PRId64 ".%jd", clock_now(),
             (intmax_t)getpid());
    if (mkdirat(state.queue, name, 0700) == -1)
        die_unable("make", name);
    state.aside = openat(state.queue, name, DIR_FLAGS);
    if (state.aside == -1 || fstat(state.aside, &st) == -1)
        die_unable("open", name);
    if (st.st_uid != 0 || (st.st_mode & 07777) != 0700) {
        errno = EPERM;
        die_unable("use", name);
    }
    if (!dir_sync_fd(state.queue))
        die_unable("sync", ".");
}

/* False: it is not there, or on another file system; see errno. */
static bool move_aside(enum queue_kind kind, uint64_t place, const char *name)
{
    struct bytes kept = {0};
    struct view v = view_of(name);
    bool moved = false;
    int dir = dir_of(kind, place);

    errno = ENOENT;
    if (dir == -1)
        return false;
    if (state.aside == -1)
        make_aside();
    for (unsigned i = 1; i < ASIDE_TRIES && !moved; i++) {
        bytes_set(&kept, view_of(queue_kinds[kind].dir));
        bytes_add_byte(&kept, '-');
        bytes_add(&kept,
                  view_before(v, v.len < MAX_ASIDE_NAME ? v.len : MAX_ASIDE_NAME));
        if (i > 1)
            bytes_add_format(&kept, ".%u", i);
        moved = os_rename_new(dir, name, state.aside, bytes_cstring(&kept));
        if (!moved && errno != EEXIST)
            break;
    }
    if (moved) {
        state.aside_changed = true;
        note_change(kind, place);
    }
    int reason = errno;
    bytes_free(&kept);
    errno = reason;
    return moved;
}

void qfix_aside(const char *code, enum queue_kind kind, uint64_t place,
                const char *name)
{
    enum qfix_result result = QFIX_ASIDE;

    if (qfix_repairs && !move_aside(kind, place, name)) {
        if (errno == ENOENT)
            return;
        if (errno != EXDEV && errno != EEXIST)
            die_unable("keep aside", qfix_path(kind, place, name));
        result = QFIX_LEFT;
    }
    qfix_report(code, qfix_path(kind, place, name), NULL, result);
}

bool qfix_remove_dir(enum queue_kind kind, uint64_t place)
{
    return unlinkat(state.tops[kind], qfix_name(place, QFIX_PLAIN).text,
                    AT_REMOVEDIR) == 0;
}

/* Making it stable */

static void sync_place(enum queue_kind kind, uint64_t place)
{
    int fd = open_place(kind, place);
    if (fd == -1)
        return;
    if (!dir_sync_fd(fd))
        die_unable("sync", qfix_path(kind, place, ""));
    fd_close(&fd);
}

void qfix_sync(void)
{
    if (state.aside_changed && !dir_sync_fd(state.aside))
        die_unable("sync", "what is kept aside");
    state.aside_changed = false;
    for (enum queue_kind kind = 0; kind < QUEUE_KINDS; kind++) {
        for (size_t i = 0; i < state.changed[kind].count; i++)
            sync_place(kind, state.changed[kind].at[i]);
        qfix_numbers_clear(&state.changed[kind]);
    }
}
