/* Any bytes from a client of qmail-send's socket, whole and in pieces: each line gets
 * one line for an answer, in their sequence, and only what is a request is obeyed. A
 * line that is too long ends it all. */
#include "queue/send.h"

#include "base/clock.h"
#include "net/unix_socket.h"

#include "fuzz.h"
#include "must.h"
#include "played.h"

enum { LISTENER = 900, MAX_INPUT = 600 };

static struct bytes answers, obeyed;
static bool is_calling; /* a client waits to be accepted */

int unix_socket_listen(const char *path, int backlog)
{
    (void)path;
    (void)backlog;
    return LISTENER;
}

int unix_socket_accept(int listener)
{
    must(listener == LISTENER);
    errno = EAGAIN;
    bool accepted = is_calling;
    is_calling = false;
    return accepted ? PLAYED : -1;
}

/* An answer in which every part depends on the request. */
static struct order_answer answer_to(const struct order *o)
{
    return (struct order_answer){
        .result = (enum order_result)(o->message % ORDER_BAD),
        .mark = o->verb == ORDER_HOLD ? QUEUE_HELD : QUEUE_NO_MARK,
        .channels = {{.place = ORDER_WAITS, .due = o->birth.tv_sec},
                     {.place = ORDER_ATTEMPT, .deliveries = o->message}},
        .bouncing = o->verb == ORDER_TRY,
    };
}

struct order_answer obey(const struct order *o)
{
    order_add(&obeyed, o);
    return answer_to(o);
}

/* Nobody is silent too long here, nor does a turn take any time. */
int64_t clock_steady_ms(void)
{
    return 1000;
}

static struct loop l;

/* A client that is there has a time by which it must speak. */
static bool is_served(void)
{
    loop_begin(&l);
    order_wants(&l);
    return l.wake_ms != INT64_MAX;
}

static void turn(void)
{
    loop_begin(&l);
    order_wants(&l);
    for (size_t i = 0; i < l.count; i++)
        l.wants[i].revents = POLLIN | POLLOUT;
    order_serve(&l);
}

/* Until the end of input is seen: then the client is dropped, and not before. */
static void play(struct view in, size_t step)
{
    bytes_clear(&answers);
    bytes_clear(&obeyed);
    played[0] =
        (struct played){.in = in, .step = step, .out = &answers, .out_step = 8 * step};
    is_calling = true;
    do
        turn();
    while (is_served());
}

/* What must come of it. Answers stop at a line that is too long. */
static void expect(struct view in, struct bytes *want, struct bytes *want_obeyed)
{
    while (view_has(in, '\n')) {
        struct order_answer a = {.result = ORDER_BAD};
        struct order o;
        struct view line = view_cut(&in, '\n');
        if (line.len > ORDER_MAX_LINE)
            return;
        if (order_parse(line, &o)) {
            a = answer_to(&o);
            order_add(want_obeyed, &o);
        }
        order_add_answer(want, &a);
    }
}

static void check(struct view in)
{
    static struct bytes want, want_obeyed;
    bytes_clear(&want);
    bytes_clear(&want_obeyed);
    expect(in, &want, &want_obeyed);
    must(view_equal(bytes_view(&answers), bytes_view(&want)));
    must(view_equal(bytes_view(&obeyed), bytes_view(&want_obeyed)));
    struct view rest = bytes_view(&answers);
    while (rest.len) {
        struct order_answer a;
        must(order_parse_answer(view_cut(&rest, '\n'), &a));
    }
}

/* The first byte says how long the pieces are. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static bool started;
    struct view in = input_of(data, len);
    size_t step = take_step(&in);

    if (len > MAX_INPUT)
        return 0;
    if (!started)
        order_start();
    started = true;
    play(in, 0);
    check(in);
    play(in, step);
    check(in);
    return 0;
}
