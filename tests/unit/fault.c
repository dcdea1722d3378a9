#include "fault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <stdarg.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *wanted, *failed = "";
static int left, with;
static bool armed, every, hit;
static int64_t clock_step_ms, clock_ahead_ms;

void fault_at(const char *name, int nth, int error)
{
    wanted = name;
    left = nth;
    every = nth == 0;
    with = error;
    failed = "";
    hit = false;
    armed = true;
}

bool fault_end(void)
{
    armed = false;
    return hit;
}

void fault_clock(int64_t step_ms)
{
    clock_step_ms = step_ms;
    clock_ahead_ms = 0;
}

const char *fault_name(void)
{
    return failed;
}

static bool fails(const char *name)
{
    if (!armed || (wanted && strcmp(wanted, name) != 0) || (!every && --left != 0))
        return false;
    hit = true;
    failed = name;
    errno = with;
    return true;
}

/* The linker gives calls of NAME to __wrap_NAME, and __real_NAME is the function
 * itself: the Makefile reads the names here. */
#define FUNCTION(type, name, parameters, arguments, failure)     \
    type __real_##name parameters;                               \
    type __wrap_##name parameters;                               \
    type __wrap_##name parameters                                \
    {                                                            \
        return fails(#name) ? failure : __real_##name arguments; \
    }

FUNCTION(ssize_t, read, (int fd, void *to, size_t len), (fd, to, len), -1)
FUNCTION(ssize_t, pread, (int fd, void *to, size_t len, off_t at), (fd, to, len, at),
         -1)
FUNCTION(ssize_t, write, (int fd, const void *from, size_t len), (fd, from, len), -1)
FUNCTION(ssize_t, send, (int fd, const void *from, size_t len, int flags),
         (fd, from, len, flags), -1)
FUNCTION(ssize_t, pwrite, (int fd, const void *from, size_t len, off_t at),
         (fd, from, len, at), -1)
FUNCTION(int, access, (const char *path, int how), (path, how), -1)
FUNCTION(int, fsync, (int fd), (fd), -1)
FUNCTION(int, ftruncate, (int fd, off_t len), (fd, len), -1)
FUNCTION(off_t, lseek, (int fd, off_t at, int whence), (fd, at, whence), -1)
FUNCTION(int, fchmod, (int fd, mode_t mode), (fd, mode), -1)
FUNCTION(int, chmod, (const char *path, mode_t mode), (path, mode), -1)
FUNCTION(int, fstat, (int fd, struct stat *st), (fd, st), -1)
FUNCTION(int, stat, (const char *path, struct stat *st), (path, st), -1)
FUNCTION(int, lstat, (const char *path, struct stat *st), (path, st), -1)
FUNCTION(int, fstatat, (int dir, const char *path, struct stat *st, int flags),
         (dir, path, st, flags), -1)
FUNCTION(int, futimens, (int fd, const struct timespec times[2]), (fd, times), -1)
FUNCTION(int, utimensat,
         (int dir, const char *path, const struct timespec times[2], int f),
         (dir, path, times, f), -1)
FUNCTION(int, link, (const char *from, const char *to), (from, to), -1)
FUNCTION(int, linkat, (int a, const char *from, int b, const char *to, int flags),
         (a, from, b, to, flags), -1)
FUNCTION(int, unlink, (const char *path), (path), -1)
FUNCTION(int, unlinkat, (int dir, const char *path, int flags), (dir, path, flags), -1)
FUNCTION(int, rename, (const char *from, const char *to), (from, to), -1)
FUNCTION(int, renameat, (int a, const char *from, int b, const char *to),
         (a, from, b, to), -1)
FUNCTION(int, renameat2,
         (int a, const char *from, int b, const char *to, unsigned flags),
         (a, from, b, to, flags), -1)
FUNCTION(int, mkdir, (const char *path, mode_t mode), (path, mode), -1)
FUNCTION(int, chdir, (const char *path), (path), -1)
FUNCTION(char *, realpath, (const char *path, char *into), (path, into), NULL)
FUNCTION(DIR *, opendir, (const char *path), (path), NULL)
FUNCTION(DIR *, fdopendir, (int fd), (fd), NULL)
FUNCTION(struct dirent *, readdir, (DIR * dir), (dir), NULL)
FUNCTION(int, flock, (int fd, int how), (fd, how), -1)
FUNCTION(int, pipe2, (int ends[2], int flags), (ends, flags), -1)
FUNCTION(int, dup2, (int from, int to), (from, to), -1)
FUNCTION(int, close_range, (unsigned first, unsigned last, int flags),
         (first, last, flags), -1)
FUNCTION(int, poll, (struct pollfd * fds, nfds_t count, int limit), (fds, count, limit),
         -1)
FUNCTION(pid_t, fork, (void), (), -1)
FUNCTION(pid_t, waitpid, (pid_t pid, int *status, int how), (pid, status, how), -1)
FUNCTION(int, socket, (int family, int type, int protocol), (family, type, protocol),
         -1)
FUNCTION(int, accept, (int fd, void *address, socklen_t *len), (fd, address, len), -1)
FUNCTION(int, bind, (int fd, const void *address, socklen_t len), (fd, address, len),
         -1)
FUNCTION(int, listen, (int fd, int waiting), (fd, waiting), -1)
FUNCTION(int, connect, (int fd, const void *address, socklen_t len), (fd, address, len),
         -1)
FUNCTION(int, setenv, (const char *name, const char *value, int replace),
         (name, value, replace), -1)
FUNCTION(int, setresgid, (gid_t r, gid_t e, gid_t s), (r, e, s), -1)
FUNCTION(int, setresuid, (uid_t r, uid_t e, uid_t s), (r, e, s), -1)
FUNCTION(int, getresgid, (gid_t * r, gid_t *e, gid_t *s), (r, e, s), -1)
FUNCTION(int, getresuid, (uid_t * r, uid_t *e, uid_t *s), (r, e, s), -1)
FUNCTION(int, setgroups, (size_t count, const gid_t *groups), (count, groups), -1)
FUNCTION(int, initgroups, (const char *user, gid_t gid), (user, gid), -1)
FUNCTION(int, getentropy, (void *to, size_t len), (to, len), -1)
FUNCTION(int, getifaddrs, (void *list), (list), -1)

/* With threads nobody could say which call is the nth: there are none meanwhile. */
typedef void *thread(void *);
int __real_pthread_create(pthread_t *t, const pthread_attr_t *how, thread *run,
                          void *arg);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *how, thread *run,
                          void *arg);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *how, thread *run,
                          void *arg)
{
    return armed ? EAGAIN : __real_pthread_create(t, how, run, arg);
}

FUNCTION(int, setrlimit, (int resource, const struct rlimit *limit), (resource, limit),
         -1)
FUNCTION(int, getsockopt, (int fd, int level, int option, void *value, socklen_t *len),
         (fd, level, option, value, len), -1)
FUNCTION(int, __res_init, (void), (), -1)

/* It is closed whatever it says. */
int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_close(int fd)
{
    int result = __real_close(fd);
    return fails("close") ? -1 : result;
}

/* The error is its result. */
int __real_getpwnam_r(const char *name, struct passwd *space, char *room, size_t len,
                      struct passwd **entry);
int __wrap_getpwnam_r(const char *name, struct passwd *space, char *room, size_t len,
                      struct passwd **entry);
int __wrap_getpwnam_r(const char *name, struct passwd *space, char *room, size_t len,
                      struct passwd **entry)
{
    *entry = NULL;
    return fails("getpwnam_r") ? with
                               : __real_getpwnam_r(name, space, room, len, entry);
}

/* While something may fail, nobody waits. */
int __real_nanosleep(const struct timespec *time, struct timespec *rest);
int __wrap_nanosleep(const struct timespec *time, struct timespec *rest);
int __wrap_nanosleep(const struct timespec *time, struct timespec *rest)
{
    if (fails("nanosleep"))
        return -1;
    return armed ? 0 : __real_nanosleep(time, rest);
}

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    clock_ahead_ms += clock_step_ms;
    int result = __real_clock_gettime(clock, now);
    now->tv_sec += (time_t)(clock_ahead_ms / 1000);
    return result;
}

/* For everything on this machine it would take its time. */
void __wrap_sync(void);
void __wrap_sync(void)
{
    fails("sync");
}

static mode_t mode_of(int flags, va_list arguments)
{
    return flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return fails("open") ? -1 : __real_open(path, flags, mode);
}

int __real_openat(int dir, const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return fails("openat") ? -1 : __real_openat(dir, path, flags, mode);
}

/* What comes third is a number or a pointer, or nothing: libc passes it on, too. */
int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    void *third = va_arg(arguments, void *);
    va_end(arguments);
    return fails("fcntl") ? -1 : __real_fcntl(fd, command, third);
}
