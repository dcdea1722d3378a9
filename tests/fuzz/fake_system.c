#include "fake.h"
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ld --wrap=NAME makes NAME __wrap_NAME where it is called, and __real_NAME what it
 * was. */
#define FAKE(name) __asm__("__wrap_" #name)
#define REAL(name) __asm__("__real_" #name)

int fake_open(const char *path, int flags, ...) FAKE(open);
int fake_close(int fd) FAKE(close);
ssize_t fake_read(int fd, void *to, size_t room) FAKE(read);
ssize_t fake_write(int fd, const void *from, size_t len) FAKE(write);
ssize_t fake_send(int fd, const void *from, size_t len, int flags) FAKE(send);
int fake_poll(struct pollfd *list, nfds_t count, int limit_ms) FAKE(poll);
int fake_pipe2(int ends[2], int flags) FAKE(pipe2);
int fake_fcntl(int fd, int command, ...) FAKE(fcntl);
int fake_unlink(const char *path) FAKE(unlink);
int fake_rename(const char *from, const char *to) FAKE(rename);
int fake_lstat(const char *path, struct stat *st) FAKE(lstat);
time_t fake_time(time_t *now) FAKE(time);
int fake_clock_gettime(clockid_t clock, struct timespec *now) FAKE(clock_gettime);
unsigned fake_alarm(unsigned seconds) FAKE(alarm);
int fake_sigaction(int sig, const struct sigaction *new, struct sigaction *old)
    FAKE(sigaction);

int real_open(const char *path, int flags, ...) REAL(open);
int real_close(int fd) REAL(close);
ssize_t real_read(int fd, void *to, size_t room) REAL(read);
ssize_t real_write(int fd, const void *from, size_t len) REAL(write);
ssize_t real_send(int fd, const void *from, size_t len, int flags) REAL(send);
int real_poll(struct pollfd *list, nfds_t count, int limit_ms) REAL(poll);
int real_pipe2(int ends[2], int flags) REAL(pipe2);
int real_fcntl(int fd, int command, ...) REAL(fcntl);
int real_unlink(const char *path) REAL(unlink);
int real_rename(const char *from, const char *to) REAL(rename);
int real_lstat(const char *path, struct stat *st) REAL(lstat);
time_t real_time(time_t *now) REAL(time);
int real_clock_gettime(clockid_t clock, struct timespec *now) REAL(clock_gettime);
unsigned real_alarm(unsigned seconds) REAL(alarm);
int real_sigaction(int sig, const struct sigaction *new, struct sigaction *old)
    REAL(sigaction);

enum { FIRST_FD = 1 << 20, MAX_FDS = 32, MAX_FILES = 32 };

struct descriptor {
    bool open, ours;     /* ours: the target made it, and need not close it */
    struct view content; /* what is to be read */
    unsigned most;       /* bytes at a time */
    uint32_t random;
    struct bytes *to;   /* where it goes what is written; NULL: nowhere */
    int peer;           /* the other end of a pipe, or -1 */
    struct bytes piped; /* the read end's */
    size_t piped_read;
};

struct file {
    const char *path;
    struct view content;
    bool gone;
};

static struct {
    bool on;
    int64_t waited_ms;
    struct descriptor fds[MAX_FDS];
    struct file files[MAX_FILES];
    size_t file_count;
} world;

/* The target's side */

void fake_begin(void)
{
    world.on = true;
    world.waited_ms = 0;
    world.file_count = 0;
}

void fake_end(void)
{
    for (size_t i = 0; i < MAX_FDS; i++) {
        MUST(!world.fds[i].open || world.fds[i].ours);
        world.fds[i].open = false;
        bytes_free(&world.fds[i].piped);
    }
    world.on = false;
}

static int new_fd(struct descriptor d)
{
    for (int i = 0; i < MAX_FDS; i++) {
        if (world.fds[i].open)
            continue;
        d.open = true;
        d.piped = world.fds[i].piped;
        bytes_clear(&d.piped);
        world.fds[i] = d;
        return FIRST_FD + i;
    }
    errno = EMFILE;
    return -1;
}

int fake_input(struct view content, unsigned most)
{
    return new_fd((struct descriptor){
        .ours = true, .content = content, .most = most, .random = most, .peer = -1});
}

int fake_output(struct bytes *to)
{
    return new_fd((struct descriptor){.ours = true, .to = to, .peer = -1});
}

void fake_file(const char *path, struct view content)
{
    MUST(world.file_count < MAX_FILES);
    world.files[world.file_count++] = (struct file){.path = path, .content = content};
}

/* NULL for a descriptor that is not one of ours. */
static struct descriptor *find_fd(int fd)
{
    if (!world.on || fd < FIRST_FD || fd >= FIRST_FD + MAX_FDS)
        return NULL;
    struct descriptor *d = &world.fds[fd - FIRST_FD];
    MUST(d->open); /* closed already, and used */
    return d;
}

struct view fake_unread(int fd)
{
    return find_fd(fd)->content;
}

static struct file *find_file(const char *path)
{
    for (size_t i = 0; i < world.file_count; i++)
        if (!world.files[i].gone && strcmp(world.files[i].path, path) == 0)
            return &world.files[i];
    errno = ENOENT;
    return NULL;
}

bool fake_is_gone(const char *path)
{
    return find_file(path) == NULL;
}

/* The system's side */

int fake_open(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    if (!world.on)
        return real_open(path, flags, mode);
    if (strcmp(path, "/dev/null") == 0)
        return new_fd((struct descriptor){.peer = -1});
    const struct file *file = find_file(path);
    if (!file)
        return -1;
    return new_fd((struct descriptor){.content = file->content, .peer = -1});
}

int fake_close(int fd)
{
    struct descriptor *d = find_fd(fd);
    if (!d)
        return real_close(fd);
    if (d->peer != -1)
        world.fds[d->peer].peer = -1;
    d->open = false;
    return 0;
}

static size_t piece(struct descriptor *d, size_t room)
{
    size_t len = d->content.len < room ? d->content.len : room;
    if (d->most) {
        d->random = d->random * 1103515245 + 12345;
        size_t most = 1 + (d->random >> 16) % d->most;
        len = len < most ? len : most;
    }
    return len;
}

static ssize_t read_pipe(struct descriptor *d, void *to, size_t room)
{
    size_t len = d->piped.len - d->piped_read;
    if (len == 0 && d->peer != -1) {
        errno = EAGAIN;
        return -1;
    }
    len = len < room ? len : room;
    if (len)
        memcpy(to, d->piped.data + d->piped_read, len);
    d->piped_read += len;
    return (ssize_t)len;
}

ssize_t fake_read(int fd, void *to, size_t room)
{
    struct descriptor *d = find_fd(fd);
    if (!d)
        return real_read(fd, to, room);
    if (d->content.len == 0)
        return read_pipe(d, to, room);
    size_t len = piece(d, room);
    memcpy(to, d->content.data, len);
    d->content = view_from(d->content, len);
    return (ssize_t)len;
}

ssize_t fake_write(int fd, const void *from, size_t len)
{
    struct descriptor *d = find_fd(fd);
    if (!d)
        return real_write(fd, from, len);
    if (d->to)
        bytes_add(d->to, view_at(from, len));
    else if (d->peer != -1)
        bytes_add(&world.fds[d->peer].piped, view_at(from, len));
    return (ssize_t)len;
}

ssize_t fake_send(int fd, const void *from, size_t len, int flags)
{
    if (!find_fd(fd))
        return real_send(fd, from, len, flags);
    errno = ENOTSOCK;
    return -1;
}

/* Nobody is ever late: what waits for a time has it pass at once. */
int fake_poll(struct pollfd *list, nfds_t count, int limit_ms)
{
    if (!world.on)
        return real_poll(list, count, limit_ms);
    for (nfds_t i = 0; i < count; i++)
        list[i].revents = list[i].events;
    if (count == 0)
        world.waited_ms += limit_ms;
    return (int)count;
}

int fake_pipe2(int ends[2], int flags)
{
    if (!world.on)
        return real_pipe2(ends, flags);
    ends[0] = new_fd((struct descriptor){.peer = -1});
    ends[1] = new_fd((struct descriptor){.peer = ends[0] - FIRST_FD});
    if (ends[0] == -1 || ends[1] == -1)
        return -1;
    world.fds[ends[0] - FIRST_FD].peer = ends[1] - FIRST_FD;
    return 0;
}

int fake_fcntl(int fd, int command, ...)
{
    va_list rest;
    va_start(rest, command);
    long argument = va_arg(rest, long);
    va_end(rest);
    return find_fd(fd) ? 0 : real_fcntl(fd, command, argument);
}

int fake_unlink(const char *path)
{
    if (!world.on)
        return real_unlink(path);
    struct file *file = find_file(path);
    if (!file)
        return -1;
    file->gone = true;
    return 0;
}

int fake_rename(const char *from, const char *to)
{
    return world.on ? fake_unlink(from) : real_rename(from, to);
}

int fake_lstat(const char *path, struct stat *st)
{
    if (!world.on)
        return real_lstat(path, st);
    *st = (struct stat){.st_mode = S_IFREG};
    return find_file(path) ? 0 : -1;
}

time_t fake_time(time_t *now)
{
    if (!world.on)
        return real_time(now);
    time_t then = FAKE_NOW + world.waited_ms / 1000;
    if (now)
        *now = then;
    return then;
}

int fake_clock_gettime(clockid_t clock, struct timespec *now)
{
    if (!world.on)
        return real_clock_gettime(clock, now);
    *now = (struct timespec){.tv_sec = FAKE_NOW + world.waited_ms / 1000,
                             .tv_nsec = world.waited_ms % 1000 * 1000000};
    return 0;
}

/* Signals and alarms belong to the fuzzer. */
unsigned fake_alarm(unsigned seconds)
{
    return world.on ? 0 : real_alarm(seconds);
}

int fake_sigaction(int sig, const struct sigaction *new, struct sigaction *old)
{
    return world.on ? 0 : real_sigaction(sig, new, old);
}
