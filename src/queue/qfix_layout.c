#include "queue/qfix.h"

#include "base/die.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/identity.h"
#include "base/os.h"
#include "conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LOOK_FLAGS = O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC };

static _Noreturn void die_unable(const char *deed, const char *path)
{
    die_temp("unable to %s %s: %s", deed, path, error_text(errno));
}

/* Users. Names are literals of queue_layout, and few. */

enum { MAX_USERS = 8 };

static uid_t uid_of(const char *name)
{
    static struct {
        const char *name;
        uid_t uid;
    } known[MAX_USERS];
    size_t i = 0;

    for (; i < MAX_USERS && known[i].name; i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].uid;
    uid_t uid = identity_user_or_die(name);
    if (i < MAX_USERS) {
        known[i].uid = uid;
        known[i].name = name;
    }
    return uid;
}

static gid_t gid_of(const char *name)
{
    static bool known;
    static gid_t gid; /* there is one group in queue_layout */
    if (!known)
        gid = identity_group_or_die(name);
    known = true;
    return gid;
}

static enum qfix_result outcome(bool done)
{
    return done ? QFIX_FIXED : QFIX_LEFT;
}

bool qfix_owner_is_right(const struct stat *st, const struct qfix_wanted *want)
{
    return st->st_uid == uid_of(want->owner) &&
           (!want->group || st->st_gid == gid_of(want->group)) &&
           (st->st_mode & 07777) == want->mode;
}

void qfix_owner(int fd, const char *path, const struct qfix_wanted *want, nlink_t links)
{
    struct stat st;

    if (fstat(fd, &st) == -1)
        die_unable("look at", path);
    /* A name elsewhere may be one that root gave it: to change that file would be to
     * do what whoever made this name wants. */
    bool ours = S_ISDIR(st.st_mode) || st.st_nlink <= links;
    bool bad_owner = st.st_uid != uid_of(want->owner);
    bool bad_group = want->group && st.st_gid != gid_of(want->group);

    bool bad_mode = (st.st_mode & 07777) != want->mode;

    if (bad_owner || bad_group) {
        bool done = ours && (!qfix_repairs ||
                             fchown(fd, bad_owner ? uid_of(want->owner) : (uid_t)-1,
                                    bad_group ? gid_of(want->group) : (gid_t)-1) == 0);
        if (bad_owner)
            qfix_report("bad-owner", path, NULL, outcome(done));
        if (bad_group)
            qfix_report("bad-group", path, NULL, outcome(done));
    }
    if (bad_mode) {
        bool done = ours && (!qfix_repairs || fchmod(fd, want->mode) == 0);
        qfix_report("bad-mode", path, NULL, outcome(done));
    }
}

/* One directory or file */

static bool has_type(const struct stat *st, enum queue_place_type type)
{
    switch (type) {
    case QUEUE_PLACE_DIR:
        return S_ISDIR(st->st_mode);
    case QUEUE_PLACE_FILE:
        return S_ISREG(st->st_mode);
    case QUEUE_PLACE_FIFO:
        return S_ISFIFO(st->st_mode);
    }
    return false;
}

static int make_file(int parent, const char *name, size_t size)
{
    int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd != -1 && (ftruncate(fd, (off_t)size) == -1 || !file_sync(fd)))
        fd_close(&fd);
    return fd;
}

/* What has just been made under that name, unless the owner of the directory has put
 * something else there: ours is root's, and has no second name. */
static int open_made(int parent, const char *name, enum queue_place_type type)
{
    struct stat st;
    int fd = openat(parent, name, LOOK_FLAGS);
    if (fd != -1 && (fstat(fd, &st) == -1 || !has_type(&st, type) || st.st_uid != 0 ||
                     (!S_ISDIR(st.st_mode) && st.st_nlink != 1)))
        fd_close(&fd);
    return fd;
}

/* Makes what is missing; whoever looks before it is complete has no access to it. The
 * owner and the mode may be corrected by the next run. */
static bool make(int parent, const char *name, const struct queue_place *place)
{
    int fd = -1;

    switch (place->type) {
    case QUEUE_PLACE_DIR:
        if (mkdirat(parent, name, 0700) == 0)
            fd = open_made(parent, name, place->type);
        break;
    case QUEUE_PLACE_FIFO:
        if (mkfifoat(parent, name, 0600) == 0)
            fd = open_made(parent, name, place->type);
        break;
    case QUEUE_PLACE_FILE:
        fd = make_file(parent, name, place->size);
        break;
    }
    bool made = fd != -1 &&
                fchown(fd, uid_of(place->owner), gid_of(CONF_GROUP_QMAIL)) == 0 &&
                fchmod(fd, place->mode) == 0 && dir_sync_fd(parent);
    fd_close(&fd);
    return made;
}

static void look_at_size(int parent, const char *name, int fd, const char *path,
                         const struct queue_place *place)
{
    struct stat st, now;
    bool done = true;

    if (fstat(fd, &st) == -1)
        die_unable("look at", path);
    if ((uint64_t)st.st_size == place->size)
        return;
    if (qfix_repairs) {
        int out = openat(parent, name, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
        done = out != -1 && fstat(out, &now) == 0 && file_same(&st, &now) &&
               now.st_nlink == 1 && ftruncate(out, (off_t)place->size) == 0 &&
               file_sync(out);
        fd_close(&out);
    } else
        done = st.st_nlink == 1;
    qfix_report("bad-size", path, NULL, outcome(done));
}

/* False: without it there is no sense in going on. */
static bool look_in(int parent, const char *name, const char *path,
                    const struct queue_place *place)
{
    struct stat st, now;
    bool is_needed = place->type == QUEUE_PLACE_DIR;

    if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == -1) {
        if (errno != ENOENT)
            die_unable("look at", path);
        if (place->may_lack)
            return true;
        bool made = !qfix_repairs || make(parent, name, place);
        qfix_report("missing", path, NULL, outcome(made));
        return made || !is_needed;
    }
    if (!has_type(&st, place->type)) {
        qfix_report("bad-type", path, NULL, QFIX_LEFT);
        return !is_needed;
    }
    int fd = openat(parent, name, LOOK_FLAGS);
    if (fd == -1 || fstat(fd, &now) == -1 || !file_same(&st, &now))
        die_unable("open", path);
    struct qfix_wanted want = {place->owner, CONF_GROUP_QMAIL, place->mode};
    qfix_owner(fd, path, &want, 1);
    if (place->type == QUEUE_PLACE_FILE)
        look_at_size(parent, name, fd, path, place);
    fd_close(&fd);
    return true;
}

static bool look(const char *path, const struct queue_place *place)
{
    struct view whole = view_of(path);
    size_t slash = view_find_last(whole, '/');
    struct queue_path above = {{0}};
    const char *name = slash < whole.len ? path + slash + 1 : path;

    if (slash < whole.len)
        snprintf(above.text, sizeof above.text, "%.*s", (int)slash, path);
    int parent = qfix_open_dir(above.text);
    if (parent == -1 && errno == ENOENT) {
        if (!place->may_lack)
            qfix_report("missing", path, NULL, outcome(!qfix_repairs));
        return !qfix_repairs;
    }
    if (parent == -1 && errno != ELOOP && errno != ENOTDIR)
        die_unable("open", above.text);
    bool fine = parent != -1 && look_in(parent, *name ? name : ".", path, place);
    fd_close(&parent);
    return fine;
}

/* File systems */

static bool device_of(const char *path, dev_t *device)
{
    struct stat st;
    int fd = qfix_open_dir(path);
    bool known = fd != -1 && fstat(fd, &st) == 0;
    fd_close(&fd);
    if (known)
        *device = st.st_dev;
    return known;
}

static bool same_device(const char *a, const char *b)
{
    dev_t first, second;
    if (!device_of(a, &first) || !device_of(b, &second) || first == second)
        return true;
    qfix_report("bad-device", b, NULL, QFIX_LEFT);
    return false;
}

/* With message files on several file systems inode numbers tell nothing. */
static bool look_at_devices(void)
{
    bool fine = true;
    for (ino_t s = 0; s < CONF_SPLIT; s++)
        fine &= same_device("pid", queue_split_dir("mess", s).text);
    same_device("intd", "todo");
    return fine;
}

bool qfix_layout(void)
{
    bool fine = true;

    for (const struct queue_place *place = queue_places; place->path; place++) {
        fine &= look(place->path, place);
        for (unsigned s = 0; place->split && s < CONF_SPLIT; s++) {
            struct queue_path path;
            snprintf(path.text, sizeof path.text, "%s/%u", place->path, s);
            fine &= look(path.text, place);
        }
    }
    return fine && look_at_devices();
}

void qfix_lock(void)
{
    static int held = -1; /* to the end */
    struct stat st;

    if (held != -1)
        return;
    const char *name = strchr(QUEUE_DIR_MUTEX, '/') + 1;
    int dir = qfix_open_dir("lock");
    int fd = dir == -1
                 ? -1
                 : openat(dir, name, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    int reason = errno;
    fd_close(&dir);
    errno = reason;
    if (fd == -1 && errno == ENOENT)
        return; /* nobody can have it */
    errno = fd == -1 ? reason : EINVAL;
    if (fd == -1 || fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))
        die_unable("open", QUEUE_DIR_MUTEX);
    if (!os_lock(fd, false)) {
        if (errno == EWOULDBLOCK || errno == EAGAIN)
            die_temp("qmail-send is running");
        die_unable("lock", QUEUE_DIR_MUTEX);
    }
    held = fd;
}
