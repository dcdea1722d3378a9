#include "base/loop.h"

#include "base/clock.h"
#include "base/heap.h"

#include <errno.h>
#include <limits.h>

void loop_begin(struct loop *l)
{
    l->count = 0;
    l->wake_ms = INT64_MAX;
}

size_t loop_want(struct loop *l, int fd, short events)
{
    if (l->count == l->room) {
        l->room = l->room ? l->room * 2 : 16;
        l->wants = heap_resize(l->wants, l->room, sizeof *l->wants);
    }
    l->wants[l->count] = (struct pollfd){.fd = fd, .events = events};
    return l->count++;
}

size_t loop_drop(struct loop *l, size_t want)
{
    l->wants[want] = l->wants[--l->count];
    return l->count;
}

void loop_wake_now(struct loop *l)
{
    l->wake_ms = 0;
}

void loop_wake_at(struct loop *l, int64_t steady_ms)
{
    if (steady_ms < l->wake_ms)
        l->wake_ms = steady_ms;
}

void loop_wake_in_s(struct loop *l, int64_t seconds)
{
    if (seconds <= 0)
        loop_wake_now(l);
    else if (seconds < INT64_MAX / 2000)
        loop_wake_at(l, clock_steady_ms() + seconds * 1000);
}

bool loop_wait(struct loop *l)
{
    int64_t left = -1;
    if (l->wake_ms != INT64_MAX) {
        left = l->wake_ms ? l->wake_ms - clock_steady_ms() : 0;
        left = left < 0 ? 0 : left > INT_MAX ? INT_MAX : left;
    }
    if (poll(l->wants, (nfds_t)l->count, (int)left) != -1)
        return true;
    int saved = errno;
    for (size_t i = 0; i < l->count; i++)
        l->wants[i].revents = 0;
    errno = saved;
    return errno == EINTR;
}

bool loop_ready(const struct loop *l, size_t want)
{
    return l->wants[want].revents != 0;
}
