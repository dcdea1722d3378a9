/* turned - what make links into programs whose clock a test can turn.
 *
 * HOME/clock has lines "REAL OFFSET": from the instant REAL on, in nanoseconds of the
 * kernel's clock, the time of day is OFFSET seconds more than that. The linker's --wrap
 * brings all calls here that tell or set a time; what the kernel wrote into a file's
 * times is shown as the time that it was then. A time that a program has set itself
 * stays what it is: one nanosecond marks it, which the kernel's own times hardly show.
 */
#include "conf.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { NS = 1000000000, MARK_NS = 1, MAX_HISTORY = 4096 };

int __real_clock_gettime(clockid_t clock, struct timespec *t);
int __real_stat(const char *path, struct stat *st);
int __real_lstat(const char *path, struct stat *st);
int __real_fstat(int fd, struct stat *st);
int __real_fstatat(int dir, const char *path, struct stat *st, int flags);
int __real_utimensat(int dir, const char *path, const struct timespec t[2], int flags);
int __real_futimens(int fd, const struct timespec t[2]);
int __wrap_clock_gettime(clockid_t clock, struct timespec *t);
time_t __wrap_time(time_t *t);
int __wrap_stat(const char *path, struct stat *st);
int __wrap_lstat(const char *path, struct stat *st);
int __wrap_fstat(int fd, struct stat *st);
int __wrap_fstatat(int dir, const char *path, struct stat *st, int flags);
int __wrap_utimensat(int dir, const char *path, const struct timespec t[2], int flags);
int __wrap_futimens(int fd, const struct timespec t[2]);

static int64_t offset_at(const struct timespec *t)
{
    static char history[MAX_HISTORY];
    int64_t real = (int64_t)t->tv_sec * NS + t->tv_nsec, offset = 0;
    int fd = open(CONF_QMAIL "/clock", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd == -1 ? 0 : read(fd, history, sizeof history - 1);
    if (fd != -1)
        close(fd);
    history[n > 0 ? n : 0] = '\0';
    for (char *line = history; *line;) {
        int64_t from = strtoll(line, &line, 10);
        int64_t then = strtoll(line, &line, 10);
        if (from <= real)
            offset = then;
        while (*line == '\n')
            line++;
    }
    return offset;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *t)
{
    int result = __real_clock_gettime(clock, t);
    if (result == 0 && clock == CLOCK_REALTIME)
        t->tv_sec += (time_t)offset_at(t);
    return result;
}

time_t __wrap_time(time_t *t)
{
    struct timespec now;
    __wrap_clock_gettime(CLOCK_REALTIME, &now);
    if (t)
        *t = now.tv_sec;
    return now.tv_sec;
}

static void show(struct timespec *t)
{
    if (t->tv_nsec != MARK_NS)
        t->tv_sec += (time_t)offset_at(t);
}

static int shown(int result, struct stat *st)
{
    if (result == 0) {
        show(&st->st_atim);
        show(&st->st_mtim);
        show(&st->st_ctim);
    }
    return result;
}

int __wrap_stat(const char *path, struct stat *st)
{
    return shown(__real_stat(path, st), st);
}

int __wrap_lstat(const char *path, struct stat *st)
{
    return shown(__real_lstat(path, st), st);
}

int __wrap_fstat(int fd, struct stat *st)
{
    return shown(__real_fstat(fd, st), st);
}

int __wrap_fstatat(int dir, const char *path, struct stat *st, int flags)
{
    return shown(__real_fstatat(dir, path, st, flags), st);
}

static const struct timespec *marked(const struct timespec t[2], struct timespec own[2])
{
    for (int i = 0; t && i < 2; i++) {
        own[i] = t[i];
        if (own[i].tv_nsec >= 0 && own[i].tv_nsec < NS)
            own[i].tv_nsec = MARK_NS;
    }
    return t ? own : NULL;
}

int __wrap_utimensat(int dir, const char *path, const struct timespec t[2], int flags)
{
    struct timespec own[2];
    return __real_utimensat(dir, path, marked(t, own), flags);
}

int __wrap_futimens(int fd, const struct timespec t[2])
{
    struct timespec own[2];
    return __real_futimens(fd, marked(t, own));
}
