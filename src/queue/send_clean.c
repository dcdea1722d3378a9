#include "base/fd.h"
#include "base/heap.h"
#include "mail/queue_dir.h"
#include "queue/send.h"

#include <errno.h>
#include <unistd.h>

/* qmail-clean answers its requests in order, a byte each, so any number of them
 * may be under way. */

enum { REQUEST_FD = 5, ANSWER_FD = 6, ANSWER_GONE = '+' };

struct request {
    const char *verb;
    ino_t message;
    unsigned detail;
    clean_done *done;
};

static struct {
    struct request *waiting; /* a ring, for answers */
    size_t first, count, room;
    struct bytes out; /* requests not written yet */
    size_t out_at;
    size_t want_in, want_out;
    bool wants;
    bool lost;
} state;

void clean_start(void)
{
    fd_nonblocking(REQUEST_FD);
    fd_nonblocking(ANSWER_FD);
}

static void lose(void)
{
    if (state.lost)
        return;
    log_line("alert: oh no! lost qmail-clean connection! dying...");
    state.lost = true;
    state.count = 0;
    send_leave();
}

bool clean_is_idle(void)
{
    return state.lost || state.count == 0;
}

bool clean_is_asked(ino_t message)
{
    for (size_t i = 0; i < state.count; i++)
        if (state.waiting[(state.first + i) % state.room].message == message)
            return true;
    return false;
}

static void grow(void)
{
    size_t room = state.room ? state.room * 2 : 64;
    struct request *waiting = heap_array(room, sizeof *waiting);
    for (size_t i = 0; i < state.count; i++)
        waiting[i] = state.waiting[(state.first + i) % state.room];
    heap_free(state.waiting);
    state.waiting = waiting;
    state.room = room;
    state.first = 0;
}

static void write_requests(void)
{
    while (state.out_at < state.out.len) {
        struct view left = view_from(bytes_view(&state.out), state.out_at);
        ssize_t n = write(REQUEST_FD, left.data, left.len);
        if (n == -1) {
            if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK)
                lose();
            return;
        }
        state.out_at += (size_t)n;
    }
    bytes_clear(&state.out);
    state.out_at = 0;
}

void clean_request(const char *verb, ino_t message, unsigned detail, clean_done *done)
{
    if (state.lost)
        return;
    if (state.count == state.room)
        grow();
    state.waiting[(state.first + state.count++) % state.room] = (struct request){
        .verb = verb, .message = message, .detail = detail, .done = done};
    bytes_add_text(&state.out, queue_flat_path(verb, message).text);
    bytes_add_byte(&state.out, '\0');
}

void clean_flush(void)
{
    if (!state.lost && state.out.len)
        write_requests();
}

static void take_answer(char answer)
{
    if (state.count == 0)
        return; /* nobody asked */
    struct request r = state.waiting[state.first];
    state.first = (state.first + 1) % state.room;
    state.count--;
    if (answer != ANSWER_GONE)
        log_line("warning: qmail-clean unable to clean up %s",
                 queue_flat_path(r.verb, r.message).text);
    if (r.done)
        r.done(r.message, r.detail, answer == ANSWER_GONE);
}

void clean_wants(struct loop *l)
{
    state.wants = !clean_is_idle();
    if (!state.wants)
        return;
    state.want_in = loop_want(l, ANSWER_FD, POLLIN);
    state.want_out = state.want_in;
    if (state.out_at < state.out.len)
        state.want_out = loop_want(l, REQUEST_FD, POLLOUT);
}

void clean_serve(const struct loop *l)
{
    char answers[64];

    if (!state.wants || state.lost)
        return;
    if (state.want_out != state.want_in && loop_ready(l, state.want_out))
        write_requests();
    if (!loop_ready(l, state.want_in))
        return;
    ssize_t n = read(ANSWER_FD, answers, sizeof answers);
    if (n == 0 ||
        (n == -1 && errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK))
        lose();
    for (ssize_t i = 0; i < n; i++)
        take_answer(answers[i]);
}
