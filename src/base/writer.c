#include "base/writer.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

void writer_open(struct writer *w, int fd, unsigned timeout_s)
{
    w->fd = fd;
    w->timeout_s = timeout_s;
    w->error = 0;
    w->used = 0;
}

/* How much of len bytes one write may take: a descriptor that poll(2) called
 * writable takes PIPE_BUF bytes at once, but a blocking one would make us wait
 * beyond every limit for the rest of a larger piece. */
static size_t piece(int fd, size_t len)
{
    if (len <= PIPE_BUF)
        return len;
    int flags = fcntl(fd, F_GETFL);
    return flags != -1 && (flags & O_NONBLOCK) ? len : PIPE_BUF;
}

static bool put(int fd, unsigned timeout_s, struct view v)
{
    while (v.len) {
        if (timeout_s && !fd_wait(fd, POLLOUT, (int64_t)timeout_s * 1000))
            return false;
        ssize_t n = write(fd, v.data, timeout_s ? piece(fd, v.len) : v.len);
        if (n >= 0) {
            v = view_from(v, (size_t)n);
            continue;
        }
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            return false;
        if (!timeout_s && !fd_wait(fd, POLLOUT, -1))
            return false;
    }
    return true;
}

bool write_all(int fd, struct view v)
{
    return put(fd, 0, v);
}

bool writer_flush(struct writer *w)
{
    if (!w->error && !put(w->fd, w->timeout_s, view_at(w->data, w->used)))
        w->error = errno;
    w->used = 0;
    errno = w->error;
    return w->error == 0;
}

void writer_add(struct writer *w, struct view v)
{
    if (w->error || v.len == 0)
        return;
    if (v.len > sizeof w->data - w->used && !writer_flush(w))
        return;
    if (v.len >= sizeof w->data) {
        if (!put(w->fd, w->timeout_s, v))
            w->error = errno;
        return;
    }
    memcpy(w->data + w->used, v.data, v.len);
    w->used += v.len;
}

void writer_add_text(struct writer *w, const char *text)
{
    writer_add(w, view_of(text));
}

void writer_add_byte(struct writer *w, char byte)
{
    if (w->used == sizeof w->data && !writer_flush(w))
        return;
    if (!w->error)
        w->data[w->used++] = byte;
}

void writer_add_number(struct writer *w, uint64_t n)
{
    char digits[24];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + n % 10);
    while (n /= 10);
    writer_add(w, view_at(digits + at, sizeof digits - at));
}

bool writer_finish(struct writer *w, unsigned how)
{
    writer_flush(w);
    if ((how & WRITER_SYNC) && !w->error && fsync(w->fd) == -1)
        w->error = errno;
    if ((how & WRITER_CLOSE) && close(w->fd) == -1 && !w->error)
        w->error = errno;
    errno = w->error;
    return w->error == 0;
}
