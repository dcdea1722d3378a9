/* instpackage - put the files of a tree in place; see install.h for the list.
 *
 * runs as  who installs: root, or a packager with DESTDIR
 * reads    the source directory, which is the current directory
 * writes   HOME. Never a message, a control file or a user's file
 * exits    0 done, 111 failed; what was put in place so far is whole
 *
 * A file appears under its name complete, synced and with its final mode, so a
 * program that runs is never written to. Set-id bits are given only together
 * with the right owner. */
#include "admin/install.h"
#include "base/die.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/heap.h"
#include "base/identity.h"
#include "base/writer.h"
#include "conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { MAX_FILE = 1 << 28 };

static _Noreturn void die_unable(const char *deed, const char *what)
{
    die_temp("unable to %s %s: %s", deed, what, error_text(errno));
}

/* Root gives owners at once where they are known; instchown does the rest. A
 * set-id program without its owner must not exist, so it waits for instchown. */
static bool give_owner_and_mode(const struct install_entry *entry, int fd)
{
    uid_t uid;
    gid_t gid;
    mode_t mode = entry->mode;

    if (geteuid() == 0) {
        if (!identity_user(entry->owner, &uid) ||
            !identity_group(CONF_GROUP_QMAIL, &gid))
            mode &= ~(mode_t)(S_ISUID | S_ISGID);
        else if (fchown(fd, uid, gid) == -1)
            return false;
    }
    return fchmod(fd, mode) == 0;
}

static void make_dir(const struct install_entry *entry, int dir, const char *name)
{
    bool is_new = mkdirat(dir, name, 0700) == 0;
    if (!is_new && errno != EEXIST)
        die_unable("mkdir", install_shown(entry));
    int fd = install_open(entry, dir, name, O_RDONLY | O_DIRECTORY);
    if (fd == -1)
        die_unable("mkdir", install_shown(entry));
    if (!(is_new ? give_owner_and_mode(entry, fd) : fchmod(fd, entry->mode) == 0) ||
        !dir_sync_fd(fd))
        die_unable("chmod", install_shown(entry));
    fd_close(&fd);
}

static void make_fifo(const struct install_entry *entry, int dir, const char *name)
{
    struct stat st;
    bool is_new = mkfifoat(dir, name, 0600) == 0;
    if (!is_new && errno != EEXIST)
        die_unable("mkfifo", install_shown(entry));
    int fd = install_open(entry, dir, name, O_RDONLY);
    if (fd == -1 || fstat(fd, &st) == -1)
        die_unable("mkfifo", install_shown(entry));
    if (!S_ISFIFO(st.st_mode)) {
        errno = EEXIST;
        die_unable("mkfifo", install_shown(entry));
    }
    if (!(is_new ? give_owner_and_mode(entry, fd) : fchmod(fd, entry->mode) == 0))
        die_unable("chmod", install_shown(entry));
    fd_close(&fd);
}

/* A file that running programs lock: it must stay the same file. */
static void make_kept(const struct install_entry *entry, int dir, const char *name)
{
    int fd = install_open(entry, dir, name, O_RDWR);
    bool is_new = fd == -1 && errno == ENOENT;
    if (is_new)
        fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd == -1 || ftruncate(fd, 0) == -1 || ftruncate(fd, (off_t)entry->size) == -1)
        die_unable("write", install_shown(entry));
    if (!(is_new ? give_owner_and_mode(entry, fd) : fchmod(fd, entry->mode) == 0))
        die_unable("chmod", install_shown(entry));
    if (!file_sync(fd))
        die_unable("write", install_shown(entry));
    fd_close(&fd);
}

static void copy_file(const struct install_entry *entry, int dir, const char *name)
{
    struct bytes content = {0}, fresh = {0};
    enum file_result found = file_read(entry->source, MAX_FILE, &content);

    if (found == FILE_ABSENT)
        errno = ENOENT;
    bool may_lack = entry->type == INSTALL_PAGE;
    if (found == FILE_FAILED || (found == FILE_ABSENT && !may_lack))
        die_unable("read", entry->source);
    if (may_lack && content.len == 0)
        goto out;

    bytes_add_format(&fresh, ".%s.new", name);
    const char *fresh_name = bytes_cstring(&fresh);
    if (unlinkat(dir, fresh_name, 0) == -1 && errno != ENOENT)
        die_unable("write", install_shown(entry));
    int fd = openat(dir, fresh_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd == -1)
        die_unable("write", install_shown(entry));
    if (!write_all(fd, bytes_view(&content)) || !give_owner_and_mode(entry, fd) ||
        !file_sync(fd) || renameat(dir, fresh_name, dir, name) == -1) {
        int reason = errno;
        unlinkat(dir, fresh_name, 0);
        errno = reason;
        die_unable("write", install_shown(entry));
    }
    fd_close(&fd);
out:
    bytes_free(&content);
    bytes_free(&fresh);
}

static void put_in_place(const struct install_entry *entry)
{
    const char *name;
    int dir = install_open_dir(entry, &name);
    if (dir == -1)
        die_unable("switch to", install_shown_dir(entry));
    switch (entry->type) {
    case INSTALL_DIR:
        make_dir(entry, dir, name);
        break;
    case INSTALL_FIFO:
        make_fifo(entry, dir, name);
        break;
    case INSTALL_KEPT:
        make_kept(entry, dir, name);
        break;
    case INSTALL_FILE:
    case INSTALL_PAGE:
        copy_file(entry, dir, name);
        break;
    }
    if (!dir_sync_fd(dir))
        die_unable("write", install_shown(entry));
    fd_close(&dir);
}

/* One directory of HOME's path, in the directory above. Its name must be stable: what
 * is below it, a queue with mail, is lost without it. An earlier run may have made it
 * and been killed, so the name is synced in any case, but a directory of others may
 * refuse that. */
static void make_home_part(const char *path, const char *above)
{
    struct stat st;
    bool is_new = mkdir(path, 0755) == 0;
    int reason = errno;

    if (!is_new && reason != EEXIST &&
        (stat(path, &st) == -1 || !S_ISDIR(st.st_mode))) {
        errno = reason;
        die_unable("mkdir", path);
    }
    if (!dir_sync(above) && is_new)
        die_unable("sync", above);
}

/* HOME and the directories above it, where they are missing. */
static void make_home(void)
{
    struct view rest = view_of(install_home());
    struct bytes path = {0}, above = {0};

    while (rest.len) {
        struct view part = view_cut(&rest, '/');
        bytes_set(&above, path.len ? bytes_view(&path) : VIEW("."));
        bytes_add(&path, part);
        if (part.len)
            make_home_part(bytes_cstring(&path), bytes_cstring(&above));
        bytes_add_byte(&path, '/');
    }
    bytes_free(&path);
    bytes_free(&above);
}

int main(int argc, char **argv)
{
    die_name("instpackage");
    heap_on_failure(die_of_memory);
    bool queue_only = install_queue_only_or_die(argc, argv);

    umask(022);
    make_home();
    install_each(queue_only, put_in_place);
    return 0;
}
