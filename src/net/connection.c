#include "net/connection.h"

#include "base/clock.h"

#include <errno.h>

/* The seconds that a wait may take now; 0: no limit. False when the end has
 * come. */
static bool wait_limit(const struct connection *c, unsigned *seconds)
{
    *seconds = c->timeout_s;
    if (c->end_ms == INT64_MAX)
        return true;
    int64_t left_ms = c->end_ms - clock_steady_ms();
    if (left_ms <= 0)
        return false;
    int64_t left_s = (left_ms - 1) / 1000 + 1;
    if (c->timeout_s == 0 || left_s < (int64_t)c->timeout_s)
        *seconds = (unsigned)left_s;
    return true;
}

/* The reader is about to wait for the other side. */
static void before_wait(void *arg)
{
    struct connection *c = arg;
    if (!connection_flush(c))
        c->in.error = errno;
    else if (!wait_limit(c, &c->in.timeout_s))
        c->in.error = ETIMEDOUT;
}

void connection_open(struct connection *c, int in_fd, int out_fd, unsigned timeout_s)
{
    reader_open(&c->in, in_fd, timeout_s);
    writer_open(&c->out, out_fd, timeout_s);
    reader_on_wait(&c->in, before_wait, c);
    c->timeout_s = timeout_s;
    c->end_ms = INT64_MAX;
}

void connection_timeout(struct connection *c, unsigned timeout_s)
{
    c->timeout_s = c->in.timeout_s = c->out.timeout_s = timeout_s;
}

void connection_end_at(struct connection *c, int64_t steady_ms)
{
    c->end_ms = steady_ms;
}

void connection_switch(struct connection *c, int in_fd, int out_fd)
{
    reader_rewind(&c->in);
    reader_wipe(&c->in); /* there may have been a password in it */
    reader_open(&c->in, in_fd, c->timeout_s);
    writer_open(&c->out, out_fd, c->timeout_s);
    reader_on_wait(&c->in, before_wait, c);
}

bool connection_flush(struct connection *c)
{
    enum { LAST_WORDS_S = 1 }; /* after the end, to say that it has come */
    if (!wait_limit(c, &c->out.timeout_s))
        c->out.timeout_s = LAST_WORDS_S;
    return writer_flush(&c->out);
}

enum connection_trouble connection_trouble(const struct connection *c)
{
    if (c->out.error)
        return CONNECTION_LOST;
    if (c->in.error == ETIMEDOUT)
        return clock_steady_ms() >= c->end_ms ? CONNECTION_EXPIRED : CONNECTION_SILENT;
    return c->in.error ? CONNECTION_LOST : CONNECTION_ENDED;
}
