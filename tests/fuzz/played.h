/* played - descriptors that a fuzz target plays itself: read(2), write(2) and
 * send(2) on them are no system calls. A target that includes this has these functions;
 * for all other descriptors they ask the system. */
#ifndef TESTS_FUZZ_PLAYED_H
#define TESTS_FUZZ_PLAYED_H

#include "base/bytes.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PLAYED = 1000, PLAYED_COUNT = 8 };

static struct played {
    struct view in;    /* what is still to be read */
    size_t step;       /* a read gives so many bytes at most; 0: any number */
    bool by_line;      /* nor does it go beyond the end of a line */
    int at_end;        /* errno of a read at the end of it; 0: end of input */
    struct bytes *out; /* where written bytes go; NULL: nowhere */
    size_t out_step;   /* a write takes so many bytes at most; 0: any number */
} played[PLAYED_COUNT];

/* The number of the first. A target whose subject has fixed descriptors puts it below
 * PLAYED for the time of its call. */
static int played_first = PLAYED;

static inline struct played *played_of(int fd)
{
    bool is = fd >= played_first && fd - played_first < PLAYED_COUNT;
    return is ? &played[fd - played_first] : NULL;
}

ssize_t read(int fd, void *to, size_t room)
{
    struct played *p = played_of(fd);
    struct iovec part = {.iov_base = to, .iov_len = room};
    if (!p)
        return readv(fd, &part, 1);
    size_t len = p->in.len < room ? p->in.len : room;
    if (p->step && len > p->step)
        len = p->step;
    if (p->by_line && view_find(p->in, '\n') < len)
        len = view_find(p->in, '\n') + 1;
    if (len == 0 && p->at_end) {
        errno = p->at_end;
        return -1;
    }
    if (len)
        memcpy(to, p->in.data, len);
    p->in = view_from(p->in, len);
    return (ssize_t)len;
}

ssize_t write(int fd, const void *from, size_t len)
{
    struct played *p = played_of(fd);
    struct iovec part = {.iov_base = (void *)(uintptr_t)from, .iov_len = len};
    if (!p)
        return writev(fd, &part, 1);
    if (p->out_step && len > p->out_step)
        len = p->out_step;
    if (p->out)
        bytes_add(p->out, view_at(from, len));
    return (ssize_t)len;
}

ssize_t send(int fd, const void *from, size_t len, int flags)
{
    return played_of(fd) ? write(fd, from, len) : sendto(fd, from, len, flags, NULL, 0);
}

#endif
