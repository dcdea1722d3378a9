#include "base/writer.h"

#include "base/fd.h"
#include "base/os.h"

#include <errno.h>
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

/* A descriptor that can take something may still block over all of a large piece:
 * a socket is told not to, and anything else gets no more at a time than it must
 * have room for by then (a pipe: PIPE_BUF). */
static ssize_t write_in_time(int fd, int64_t limit_ms, struct view v)
{
    ssize_t n = os_write_now(fd, v.data, v.len);
    if (n != -1 || errno != ENOTSOCK)
        return n;
    if (!fd_wait(fd, POLLOUT, limit_ms))
        return -1;
    return write(fd, v.data, v.len < PIPE_BUF ? v.len : PIPE_BUF);
}

static bool put(int fd, unsigned timeout_s, struct view v)
{
    int64_t limit_ms = timeout_s ? (int64_t)timeout_s * 1000 : -1;
    while (v.len) {
        ssize_t n =
            timeout_s ? write_in_time(fd, limit_ms, v) : write(fd, v.data, v.len);
        if (n >= 0) {
            v = view_from(v, (size_t)n);
            continue;
        }
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            return false;
        if (!fd_wait(fd, POLLOUT, limit_ms))
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
