/* qmail-upq - move the files of a queue to where conf-split has them now.
 *
 * runs as  root, in the build folder, after make setup with the new split; no
 *          qmail-send may run, and the network services should be stopped
 * writes   HOME/queue/mess, info, local, remote: files get other names, nothing else
 * fd 2     what cannot be moved
 * exits    0 done, 1 something is left where it was, 100 usage, 111 failed
 *
 * For queues without a split (qmail before 1.0) and those of another split. May be
 * repeated at any time: what is in its place stays. */
#include "base/bytes.h"
#include "base/die.h"
#include "base/dir.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/heap.h"
#include "base/number.h"
#include "base/os.h"
#include "base/writer.h"
#include "conf.h"
#include "mail/queue_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define QUEUE CONF_QMAIL "/queue"

/* What is being walked through. */
struct walk {
    const char *tree; /* mess, info, local, remote */
    const char *dir;  /* the directory, tree itself or one in it */
    bool is_left;     /* something could not be moved */
};

static struct bytes path_in(const struct walk *w, const char *name)
{
    struct bytes path = {0};
    bytes_add_format(&path, "%s/%s", w->dir, name);
    return path;
}

static void warn(struct walk *w, const char *path, const char *what)
{
    struct bytes line = {0};
    bytes_add_format(&line, "qmail-upq: warning: " QUEUE "/%s %s\n", path, what);
    write_all(2, bytes_view(&line));
    bytes_free(&line);
    w->is_left = true;
}

/* Locks qmail-send out for as long as we run. */
static void lock_or_die(void)
{
    if (chdir(QUEUE) == -1)
        die_temp("unable to switch to " QUEUE ": %s", error_text(errno));
    int fd = fd_open(QUEUE_DIR_MUTEX, O_WRONLY, 0);
    if (fd == -1)
        die_temp("unable to open " QUEUE "/" QUEUE_DIR_MUTEX
                 ": %s; make setup makes it",
                 error_text(errno));
    if (!os_lock(fd, false))
        die_temp("qmail-send is running; stop it first");
}

static void move(struct walk *w, const char *from, ino_t message)
{
    struct queue_path to = queue_split_path(w->tree, message);
    struct stat st;

    if (view_is(view_of(from), to.text))
        return;
    if (lstat(to.text, &st) == 0) {
        warn(w, from, "stays: there is another file in its place");
        return;
    }
    if (rename(from, to.text) == -1)
        die_temp("unable to move " QUEUE "/%s to %s: %s%s", from, to.text,
                 error_text(errno), errno == ENOENT ? "; make setup first" : "");
}

/* A name in the tree or in a directory of it. */
static void move_file(void *arg, const char *name)
{
    struct walk *w = arg;
    struct bytes path = path_in(w, name);
    struct stat st;
    ino_t message;

    if (lstat(bytes_cstring(&path), &st) == -1)
        die_temp("unable to stat " QUEUE "/%s: %s", bytes_cstring(&path),
                 error_text(errno));
    if (!S_ISREG(st.st_mode) || !queue_number(view_of(name), &message))
        warn(w, bytes_cstring(&path), "stays: it is no message's");
    else
        move(w, bytes_cstring(&path), message);
    bytes_free(&path);
}

static void move_all_in(struct walk *w, const char *dir)
{
    w->dir = dir;
    if (!dir_each_name(dir, move_file, w))
        die_temp("unable to read " QUEUE "/%s: %s", dir, error_text(errno));
}

/* A name in the tree itself: a file, or a directory of some split. */
static void move_top(void *arg, const char *name)
{
    struct walk *w = arg;
    struct bytes path = path_in(w, name);
    const char *dir = bytes_cstring(&path);
    struct stat st;
    uint64_t number;

    if (lstat(dir, &st) == -1 || !S_ISDIR(st.st_mode)) {
        move_file(w, name);
    } else if (!number_exact(view_of(name), UINT32_MAX, &number)) {
        warn(w, dir, "stays: it is no directory of a split");
    } else {
        move_all_in(w, dir);
        w->dir = w->tree;
        if (number >= CONF_SPLIT && rmdir(dir) == -1 && errno != ENOTEMPTY &&
            errno != EEXIST)
            die_temp("unable to remove " QUEUE "/%s: %s", dir, error_text(errno));
    }
    bytes_free(&path);
}

/* The new names must be on disk before a new qmail-send counts on them. */
static void sync_or_die(const char *tree)
{
    struct bytes path = {0};
    for (unsigned i = 0; i < CONF_SPLIT; i++) {
        bytes_clear(&path);
        bytes_add_format(&path, "%s/%u", tree, i);
        if (!dir_sync(bytes_cstring(&path)))
            die_temp("unable to sync " QUEUE "/%s: %s", bytes_cstring(&path),
                     error_text(errno));
    }
    if (!dir_sync(tree))
        die_temp("unable to sync " QUEUE "/%s: %s", tree, error_text(errno));
    bytes_free(&path);
}

int main(int argc, char **argv)
{
    /* qmail-send, if it is started after half of this, must find no sender without
     * recipients, and no message without either: those would be removed */
    static const char *const trees[] = {"local", "remote", "info", "mess"};
    struct walk walk = {0};

    (void)argv;
    die_name("qmail-upq");
    heap_on_failure(die_of_memory);
    if (argc > 1)
        die_raw(DIE_PERM, "qmail-upq: usage: qmail-upq\n");
    lock_or_die();
    for (size_t i = 0; i < COUNT(trees); i++) {
        walk.tree = walk.dir = trees[i];
        if (!dir_each_name(trees[i], move_top, &walk))
            die_temp("unable to read " QUEUE "/%s: %s", trees[i], error_text(errno));
        sync_or_die(trees[i]);
    }
    return walk.is_left ? 1 : 0;
}
