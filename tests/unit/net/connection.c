#include "net/connection.h"

#include "base/clock.h"
#include "base/fd.h"

#include "tap.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

/* The two pipes between us and a client that is played here. */
struct rig {
    struct connection c;
    int to_us, from_us; /* the client's ends */
    int in, out;        /* ours */
};

static void rig_begin(struct rig *r, unsigned timeout_s)
{
    int in[2], out[2];
    if (!fd_pipe(in) || !fd_pipe(out))
        skip_rest("no pipes");
    r->to_us = in[1];
    r->from_us = out[0];
    r->in = in[0];
    r->out = out[1];
    connection_open(&r->c, r->in, r->out, timeout_s);
}

static void rig_end(struct rig *r)
{
    fd_close(&r->to_us);
    fd_close(&r->from_us);
    fd_close(&r->in);
    fd_close(&r->out);
}

/* What has come out so far. */
static void came_out(struct rig *r, const char *want, const char *name)
{
    char got[256];
    ssize_t n = 0;
    fd_nonblocking(r->from_us);
    n = read(r->from_us, got, sizeof got);
    same(view_at(got, n > 0 ? (size_t)n : 0), view_of(want), name);
}

static struct rig r;

static void test_flushing(void)
{
    struct bytes line = {0};

    rig_begin(&r, 0);
    ok(write_all(r.to_us, VIEW("a\nb\n")), "write", NULL);
    ok(reader_until(&r.c.in, '\n', 10, &line) == READ_ITEM, "line", "first");
    writer_add_text(&r.c.out, "one");
    ok(reader_until(&r.c.in, '\n', 10, &line) == READ_ITEM, "line", "second");
    came_out(&r, "", "nothing leaves while input is there");
    fd_close(&r.to_us);
    ok(reader_until(&r.c.in, '\n', 10, &line) == READ_END, "line", "end");
    came_out(&r, "one", "everything leaves before waiting");
    ok(connection_trouble(&r.c) == CONNECTION_ENDED, "trouble", "ended");
    rig_end(&r);
    bytes_free(&line);
}

static void test_limits(void)
{
    struct view unread;

    rig_begin(&r, 1);
    ok(reader_peek(&r.c.in, &unread) == READ_FAILED, "silence", "fails");
    ok(connection_trouble(&r.c) == CONNECTION_SILENT, "trouble", "silent");
    rig_end(&r);

    rig_begin(&r, 60);
    connection_end_at(&r.c, clock_steady_ms() + 200);
    ok(reader_peek(&r.c.in, &unread) == READ_FAILED, "end", "fails");
    ok(connection_trouble(&r.c) == CONNECTION_EXPIRED, "trouble", "expired");
    writer_add_text(&r.c.out, "bye");
    ok(connection_flush(&r.c), "last words", NULL);
    came_out(&r, "bye", "last words");
    rig_end(&r);

    rig_begin(&r, 60);
    connection_end_at(&r.c, clock_steady_ms() - 1);
    ok(write_all(r.to_us, VIEW("busy")), "write", NULL);
    ok(reader_peek(&r.c.in, &unread) == READ_FAILED, "end", "also of a busy client");
    rig_end(&r);
}

static void test_loss(void)
{
    struct view unread;
    char block[4096];

    rig_begin(&r, 0);
    fd_close(&r.from_us);
    writer_add_text(&r.c.out, "x");
    ok(reader_peek(&r.c.in, &unread) == READ_FAILED, "nobody listens", "fails");
    ok(connection_trouble(&r.c) == CONNECTION_LOST, "trouble", "lost");
    rig_end(&r);

    /* a client that sends and never reads may not hold us for ever */
    rig_begin(&r, 1);
    memset(block, 'x', sizeof block);
    bool flushed = true;
    for (size_t i = 0; i < 64 && flushed; i++) {
        writer_add(&r.c.out, view_at(block, sizeof block));
        flushed = connection_flush(&r.c);
    }
    ok(!flushed, "a full pipe", "fails in time");
    ok(connection_trouble(&r.c) == CONNECTION_LOST, "trouble", "lost");
    rig_end(&r);

    rig_begin(&r, 1);
    for (size_t i = 0; i < 64; i++)
        writer_add(&r.c.out, view_at(block, sizeof block));
    ok(!connection_flush(&r.c), "a full pipe", "whole buffers fail in time");
    rig_end(&r);
}

static void test_switch(void)
{
    int in[2], out[2];
    struct view unread;

    rig_begin(&r, 5);
    ok(fd_pipe(in) && fd_pipe(out), "pipes", NULL);
    ok(write_all(r.to_us, VIEW("clear")) && write_all(in[1], VIEW("secret")), "write",
       NULL);
    ok(reader_peek(&r.c.in, &unread) == READ_ITEM, "clear text", "read ahead");
    connection_switch(&r.c, in[0], out[1]);
    ok(reader_peek(&r.c.in, &unread) == READ_ITEM, "switched", "read");
    same(unread, VIEW("secret"), "what was read ahead is forgotten");
    for (size_t i = 0; i < 2; i++) {
        fd_close(&in[i]);
        fd_close(&out[i]);
    }
    rig_end(&r);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    test_flushing();
    test_limits();
    test_loss();
    test_switch();
    return tap_done();
}
