#include "base/fd.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

bool fd_fill_standard(void)
{
    return fd_fill(2);
}

bool fd_fill(int last)
{
    for (int fd = 0; fd <= last; fd++) {
        if (fcntl(fd, F_GETFD) != -1)
            continue;
        /* the lowest free number is fd itself: those below are open by now */
        if (open("/dev/null", O_RDWR) != fd)
            return false;
    }
    return true;
}

int fd_open(const char *path, int flags, mode_t mode)
{
    return open(path, flags | O_CLOEXEC, mode);
}

int fd_open_read(const char *path)
{
    return fd_open(path, O_RDONLY | O_NONBLOCK, 0);
}

bool fd_pipe(int ends[2])
{
    return os_pipe_cloexec(ends);
}

static bool status_flag(int fd, int flag, bool on)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags == -1)
        return false;
    int wanted = on ? flags | flag : flags & ~flag;
    return wanted == flags || fcntl(fd, F_SETFL, wanted) != -1;
}

bool fd_nonblocking(int fd)
{
    return status_flag(fd, O_NONBLOCK, true);
}

bool fd_blocking(int fd)
{
    return status_flag(fd, O_NONBLOCK, false);
}

bool fd_close_on_exec(int fd, bool on)
{
    return fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0) != -1;
}

void fd_close(int *fd)
{
    if (*fd == -1)
        return;
    int saved = errno;
    close(*fd);
    errno = saved;
    *fd = -1;
}

ssize_t fd_read(int fd, void *data, size_t room)
{
    ssize_t n;
    do
        n = read(fd, data, room);
    while (n == -1 && errno == EINTR);
    return n;
}

bool fd_wait(int fd, short events, int64_t limit_ms)
{
    int64_t end = limit_ms < 0 ? 0 : clock_steady_ms() + limit_ms;
    for (;;) {
        int64_t left = limit_ms < 0 ? -1 : end - clock_steady_ms();
        if (limit_ms >= 0 && left < 0)
            left = 0;
        if (left > INT_MAX)
            left = INT_MAX;
        struct pollfd p = {.fd = fd, .events = events};
        int n = poll(&p, 1, (int)left);
        if (n > 0)
            return true;
        if (n == -1 && errno != EINTR && errno != EAGAIN)
            return false;
        if (n == 0 && (limit_ms >= 0 && clock_steady_ms() >= end)) {
            errno = ETIMEDOUT;
            return false;
        }
    }
}

bool fd_hung_up(int in, int out)
{
    struct pollfd ends[] = {{.fd = in}, {.fd = out}}; /* hangups are always told */
    int n;
    do
        n = poll(ends, COUNT(ends), 0);
    while (n == -1 && (errno == EINTR || errno == EAGAIN));
    return n == (int)COUNT(ends) && (ends[0].revents & POLLHUP) &&
           (ends[1].revents & (POLLHUP | POLLERR));
}
