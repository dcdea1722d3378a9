#include "base/reader.h"

#include "base/fd.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

void reader_open(struct reader *r, int fd, unsigned timeout_s)
{
    r->fd = fd;
    r->timeout_s = timeout_s;
    r->error = 0;
    r->ended = false;
    r->step = sizeof r->data;
    r->start = r->end = r->touched = 0;
    r->before_wait = NULL;
    r->before_wait_arg = NULL;
}

void reader_step(struct reader *r, size_t step)
{
    r->step = step < sizeof r->data ? step : sizeof r->data;
}

void reader_on_wait(struct reader *r, void (*before_wait)(void *arg), void *arg)
{
    r->before_wait = before_wait;
    r->before_wait_arg = arg;
}

/* One read into the empty buffer. wait: come back with something. */
static enum read_result fill(struct reader *r, bool wait)
{
    if (r->error)
        return READ_FAILED;
    if (r->ended)
        return READ_END;
    if (wait && r->before_wait) {
        r->before_wait(r->before_wait_arg);
        if (r->error)
            return READ_FAILED;
    }
    for (;;) {
        if (wait && r->timeout_s &&
            !fd_wait(r->fd, POLLIN, (int64_t)r->timeout_s * 1000))
            break;
        ssize_t n = read(r->fd, r->data, r->step);
        if (n > 0) {
            r->start = 0;
            r->end = (size_t)n;
            if (r->end > r->touched)
                r->touched = r->end;
            return READ_ITEM;
        }
        if (n == 0) {
            r->ended = true;
            return READ_END;
        }
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            break;
        if (!wait)
            return READ_ITEM;
        /* a descriptor that somebody made non-blocking */
        if (!r->timeout_s && !fd_wait(r->fd, POLLIN, -1))
            break;
    }
    r->error = errno;
    return READ_FAILED;
}

enum read_result reader_peek(struct reader *r, struct view *unread)
{
    if (r->start == r->end) {
        enum read_result result = fill(r, true);
        if (result != READ_ITEM)
            return result;
    }
    *unread = view_at(r->data + r->start, r->end - r->start);
    return READ_ITEM;
}

void reader_skip(struct reader *r, size_t len)
{
    r->start += len;
}

enum read_result reader_until(struct reader *r, char delimiter, size_t max,
                              struct bytes *item)
{
    bytes_clear(item);
    for (;;) {
        struct view unread;
        enum read_result result = reader_peek(r, &unread);
        if (result != READ_ITEM)
            return result;
        size_t at = view_find(unread, delimiter);
        size_t take = at > max - item->len ? max - item->len : at;
        bytes_add(item, view_before(unread, take));
        reader_skip(r, take);
        if (take < at)
            return READ_TOO_LONG;
        if (at < unread.len) {
            reader_skip(r, 1);
            return READ_ITEM;
        }
    }
}

enum read_result reader_skip_past(struct reader *r, char delimiter)
{
    for (;;) {
        struct view unread;
        enum read_result result = reader_peek(r, &unread);
        if (result != READ_ITEM)
            return result;
        size_t at = view_find(unread, delimiter);
        bool found = at < unread.len;
        reader_skip(r, found ? at + 1 : at);
        if (found)
            return READ_ITEM;
    }
}

void reader_wipe(struct reader *r)
{
    volatile char *p = r->data;
    for (size_t i = 0; i < r->start; i++)
        p[i] = 0;
    for (size_t i = r->end; i < r->touched; i++)
        p[i] = 0;
    r->touched = r->end;
}

enum read_result reader_fill_now(struct reader *r)
{
    return r->start == r->end ? fill(r, false) : READ_ITEM;
}

bool reader_has(const struct reader *r)
{
    return r->start < r->end;
}

void reader_rewind(struct reader *r)
{
    r->start = r->end = 0;
    r->ended = false;
}

ssize_t read_some(int fd, char *to, size_t room)
{
    for (;;) {
        ssize_t n = read(fd, to, room);
        if (n != -1)
            return n;
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            return -1;
        if (!fd_wait(fd, POLLIN, -1))
            return -1;
    }
}
