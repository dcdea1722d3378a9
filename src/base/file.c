#include "base/file.h"

#include "base/fd.h"
#include "base/heap.h"
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    READ_STEP = 512,   /* control files are small */
    SYNC_THREADS = 31, /* beside the one that waits for them */
    SYNC_STACK = 65536
};

enum file_result file_read_fd(int fd, size_t max, struct bytes *content)
{
    bytes_clear(content);
    for (;;) {
        if (content->len == content->room)
            bytes_reserve(content, READ_STEP);
        ssize_t n =
            read(fd, content->data + content->len, content->room - content->len);
        if (n == 0)
            return FILE_READ;
        if (n == -1) {
            if (errno == EINTR)
                continue;
            return FILE_FAILED;
        }
        content->len += (size_t)n;
        if (content->len > max) {
            errno = EFBIG;
            return FILE_FAILED;
        }
    }
}

bool file_is_absent(const char *path)
{
    struct stat st;
    bool absent = lstat(path, &st) == -1 && errno == ENOENT;
    errno = ENOENT;
    return absent;
}

enum file_result file_read(const char *path, size_t max, struct bytes *content)
{
    int fd = fd_open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW, 0);
    if (fd == -1 && errno == ENOENT)
        return FILE_ABSENT; /* not even a link that leads nowhere */
    if (fd == -1)
        fd = fd_open_read(path);
    if (fd == -1)
        return FILE_FAILED;
    enum file_result result = file_read_fd(fd, max, content);
    fd_close(&fd);
    return result;
}

void file_sync_begin(int fd)
{
    os_start_writeback(fd);
}

bool file_sync(int fd)
{
    return fsync(fd) == 0;
}

bool dir_sync_fd(int fd)
{
    return fsync(fd) == 0 || errno == EINVAL;
}

bool dir_sync(const char *path)
{
    int fd = fd_open(path, O_RDONLY | O_DIRECTORY, 0);
    if (fd == -1 && errno == EACCES) {
        os_sync_everything();
        return true;
    }
    if (fd == -1)
        return false;
    bool synced = dir_sync_fd(fd);
    fd_close(&fd);
    return synced;
}

/* Jobs, and which is to be done next, for several threads. */
struct sync_jobs {
    struct sync_job *jobs;
    size_t count;
    atomic_size_t next;
};

static void *do_syncs(void *arg)
{
    struct sync_jobs *all = arg;
    for (size_t i; (i = atomic_fetch_add(&all->next, 1)) < all->count;) {
        struct sync_job *job = &all->jobs[i];
        job->synced = job->dir ? dir_sync(job->dir) : file_sync(job->fd);
    }
    return NULL;
}

/* As many as there can be; signals are for the thread that waits for them. */
static size_t start_threads(pthread_t threads[], size_t wanted, struct sync_jobs *all)
{
    pthread_attr_t small;
    sigset_t every, mask;
    size_t started = 0;
    if (pthread_attr_init(&small) != 0)
        return 0;
    (void)pthread_attr_setstacksize(&small, SYNC_STACK);
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &mask);
    while (started < wanted &&
           pthread_create(&threads[started], &small, do_syncs, all) == 0)
        started++;
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    (void)pthread_attr_destroy(&small);
    return started;
}

bool sync_together(struct sync_job jobs[], size_t count)
{
    pthread_t threads[SYNC_THREADS];
    struct sync_jobs all = {.jobs = jobs, .count = count};
    size_t others = count ? count - 1 : 0, started;
    bool synced = true;
    started =
        start_threads(threads, others < SYNC_THREADS ? others : SYNC_THREADS, &all);
    do_syncs(&all);
    for (size_t i = 0; i < started; i++)
        (void)pthread_join(threads[i], NULL);
    for (size_t i = 0; i < count; i++)
        synced = synced && jobs[i].synced;
    return synced;
}

bool file_sync_name(const char *path)
{
    char *real = os_real_path(path);
    if (!real)
        return false;
    char *slash = strrchr(real, '/'); /* there is one: real is absolute */
    slash[slash == real] = '\0';
    bool synced = dir_sync(real);
    int error = errno;
    heap_free(real);
    errno = error;
    return synced;
}

bool file_publish_link(const char *path, const char *final, const char *dir)
{
    return link(path, final) == 0 && dir_sync(dir);
}

bool file_publish_rename(const char *path, const char *final, const char *dir)
{
    return rename(path, final) == 0 && dir_sync(dir);
}

enum naming { NAMED, RENAMED, UNNAMED };

/* Whether the file open on fd is the one that has the name path. Whoever had the
 * lock before may have given it its final name meanwhile: RENAMED. UNNAMED, with errno
 * set, where nobody can tell. */
static enum naming naming_of(int fd, const char *path)
{
    struct stat ours, named;
    if (fstat(fd, &ours) == -1)
        return UNNAMED;
    if (stat(path, &named) == -1)
        return errno == ENOENT ? RENAMED : UNNAMED;
    return file_same(&ours, &named) ? NAMED : RENAMED;
}

static bool lock(int fd)
{
    while (!os_lock(fd, true))
        if (errno != EINTR)
            return false;
    return true;
}

int file_open_next(const char *path, mode_t mode)
{
    for (;;) {
        int fd = fd_open(path, O_WRONLY | O_CREAT | O_NONBLOCK, mode);
        if (fd == -1)
            return -1;
        enum naming naming = lock(fd) ? naming_of(fd, path) : UNNAMED;
        if (naming == NAMED && ftruncate(fd, 0) == 0 && fchmod(fd, mode) == 0)
            return fd;
        fd_close(&fd);
        if (naming != RENAMED)
            return -1;
    }
}

bool file_remove(const char *path)
{
    return unlink(path) == 0 || errno == ENOENT;
}

bool file_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}
