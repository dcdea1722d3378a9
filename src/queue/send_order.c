#include "base/clock.h"
#include "base/fd.h"
#include "net/unix_socket.h"
#include "queue/send.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Who can reach the socket is root or qmails, by the mode of its directory. All the
 * same nobody is waited for: an answer is written whole before the next request is
 * read, and a client that neither asks nor reads has to connect again. */

enum {
    CLIENTS = 8,    /* at once */
    WAITING = 64,   /* connections not accepted yet */
    SILENCE_S = 10, /* without a request or room for an answer */
    TURN_MS = 20    /* of orders, so that they do not delay everything else */
};

struct client {
    int fd; /* -1: free */
    int64_t until;
    char in[ORDER_MAX_LINE + 1]; /* not answered yet */
    size_t in_len;
    struct bytes out; /* the part of the answer that is not written */
    size_t want;
    bool wants;
};

static struct {
    int listener; /* -1: none */
    struct client clients[CLIENTS];
    unsigned first; /* whose turn it is */
    size_t want_listener;
    bool wants_listener;
    int64_t pause; /* steady clock; after trouble with it */
} state;

static void listen_again(void)
{
    state.listener = unix_socket_listen(QUEUE_DIR_SOCKET, WAITING);
    if (state.listener != -1)
        return;
    state.pause = INT64_MAX;
    if (errno == ENOENT)
        return; /* an older installation */
    log_line("warning: unable to listen at " QUEUE_DIR_SOCKET "; will try again later");
    state.pause = clock_steady_ms() + SEND_RETRY_S * 1000;
}

void order_start(void)
{
    for (int i = 0; i < CLIENTS; i++)
        state.clients[i].fd = -1;
    listen_again();
}

static void drop(struct client *c)
{
    fd_close(&c->fd);
    bytes_free(&c->out);
}

static struct client *free_client(void)
{
    for (int i = 0; i < CLIENTS; i++)
        if (state.clients[i].fd == -1)
            return &state.clients[i];
    return NULL;
}

static void prolong(struct client *c)
{
    c->until = clock_steady_ms() + SILENCE_S * 1000;
}

static void take_clients(void)
{
    struct client *c;
    while ((c = free_client())) {
        c->fd = unix_socket_accept(state.listener);
        if (c->fd == -1) {
            if (errno != EAGAIN && errno != EWOULDBLOCK)
                state.pause = clock_steady_ms() + 1000;
            return;
        }
        c->in_len = 0;
        c->wants = false;
        prolong(c);
    }
}

/* Lines */

static size_t line_len(const struct client *c)
{
    return view_find(view_at(c->in, c->in_len), '\n');
}

static bool has_line(const struct client *c)
{
    return line_len(c) < c->in_len;
}

static void answer_line(struct client *c)
{
    struct order_answer answer = {.result = ORDER_BAD};
    struct order order;
    size_t len = line_len(c);

    if (order_parse(view_at(c->in, len), &order))
        answer = obey(&order);
    order_add_answer(&c->out, &answer);
    c->in_len -= len + 1;
    memmove(c->in, c->in + len + 1, c->in_len);
}

/* Writes what it can of the answer. */
static void write_answer(struct client *c)
{
    ssize_t n = write(c->fd, c->out.data, c->out.len);
    if (n == -1) {
        if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK)
            drop(c);
        return;
    }
    size_t left = c->out.len - (size_t)n;
    memmove(c->out.data, c->out.data + n, left);
    bytes_cut(&c->out, left);
    prolong(c);
}

/* What has come; a line that is too long for a request ends it all. */
static void read_requests(struct client *c)
{
    ssize_t n = read(c->fd, c->in + c->in_len, sizeof c->in - c->in_len);
    if (n == -1) {
        if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK)
            drop(c);
        return;
    }
    c->in_len += (size_t)n;
    if (n == 0 || (c->in_len == sizeof c->in && !has_line(c)))
        drop(c);
}

static bool may_answer(const struct client *c)
{
    return c->fd != -1 && c->out.len == 0 && has_line(c);
}

static void serve_client(const struct loop *l, struct client *c)
{
    if (c->wants && loop_ready(l, c->want)) {
        if (c->out.len)
            write_answer(c);
        else
            read_requests(c);
    }
    c->wants = false;
    if (may_answer(c)) {
        answer_line(c);
        write_answer(c);
    }
    if (c->fd != -1 && clock_steady_ms() >= c->until)
        drop(c);
}

/* Turns */

void order_wants(struct loop *l)
{
    if (state.listener == -1) {
        loop_wake_at(l, state.pause);
        return;
    }
    state.wants_listener = free_client() && clock_steady_ms() >= state.pause;
    if (state.wants_listener)
        state.want_listener = loop_want(l, state.listener, POLLIN);
    else if (free_client())
        loop_wake_at(l, state.pause);
    for (int i = 0; i < CLIENTS; i++) {
        struct client *c = &state.clients[i];
        if (c->fd == -1)
            continue;
        if (may_answer(c)) {
            loop_wake_now(l);
            continue;
        }
        c->want = loop_want(l, c->fd, c->out.len ? POLLOUT : POLLIN);
        c->wants = true;
        loop_wake_at(l, c->until);
    }
}

void order_serve(const struct loop *l)
{
    int64_t end = clock_steady_ms() + TURN_MS;

    if (state.listener == -1) {
        if (clock_steady_ms() >= state.pause)
            listen_again();
        return;
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct client *c = &state.clients[(state.first + i) % CLIENTS];
        if (c->fd != -1)
            serve_client(l, c);
    }
    /* more of what is here already, one of each client at a time */
    for (bool more = true; more && clock_steady_ms() < end;) {
        more = false;
        for (int i = 0; i < CLIENTS; i++)
            if (may_answer(&state.clients[i])) {
                answer_line(&state.clients[i]);
                write_answer(&state.clients[i]);
                more = true;
            }
    }
    state.first = (state.first + 1) % CLIENTS;
    if (state.wants_listener && loop_ready(l, state.want_listener))
        take_clients();
}
