/* Any bytes as answers of qmail-clean, whole and in pieces: each counts for one
 * request, in their sequence, and only '+' says that files are gone. What is asked is
 * what qmail-clean understands. */
#include "queue/send.h"

#include "base/fd.h"
#include "queue/clean.h"

#include "fuzz.h"
#include "must.h"
#include "played.h"

enum { REQUEST_FD = 5, ANSWER_FD = 6, LOG_FD = 0, MAX_REQUESTS = 20 };

static struct bytes asked, told, log_written;
static bool leaving;

bool send_is_leaving(void)
{
    return leaving;
}

void send_leave(void)
{
    leaving = true;
}

static ino_t message_of(unsigned i)
{
    return (ino_t)i * i * 1000003 + 1;
}

static void done(ino_t message, unsigned detail, bool gone)
{
    must(message == message_of(detail));
    bytes_add_format(&told, "%u%c", detail, gone ? '+' : '!');
}

static void turn(void)
{
    static struct loop l;
    loop_begin(&l);
    clean_wants(&l);
    for (size_t i = 0; i < l.count; i++)
        l.wants[i].revents = POLLIN | POLLOUT;
    clean_serve(&l);
}

static void answer(struct view in, size_t step)
{
    played[ANSWER_FD].in = in;
    played[ANSWER_FD].step = step;
    played[ANSWER_FD].at_end = EAGAIN;
    while (played[ANSWER_FD].in.len && !clean_is_idle())
        turn();
}

static void check_requests(unsigned count)
{
    struct view rest = bytes_view(&asked);
    struct clean_request r;
    for (unsigned i = 0; i < count; i++)
        must(clean_parse(view_cut(&rest, '\0'), &r) && r.message == message_of(i) &&
             r.deed == (i % 2 ? CLEAN_MESSAGE : CLEAN_TODO));
    must(rest.len == 0);
}

static void check_log(struct view answers, unsigned count)
{
    struct view rest = bytes_view(&log_written);
    for (unsigned i = 0; i < count && i < answers.len; i++)
        if (answers.data[i] != '+') {
            struct view line = view_cut(&rest, '\n');
            must(view_starts(line, VIEW("warning: ")) && is_printable_text(line));
        }
    must(rest.len == 0);
}

static void play(unsigned count, struct view in, size_t step)
{
    static struct bytes want;

    bytes_clear(&asked);
    bytes_clear(&told);
    bytes_clear(&want);
    bytes_clear(&log_written);
    played[REQUEST_FD].out_step = step;
    for (unsigned i = 0; i < count; i++) {
        clean_request(i % 2 ? "foop" : "todo", message_of(i), i, done);
        must(!clean_is_idle() && !asked.len);
    }
    clean_flush();
    check_requests(count);
    answer(in, step);
    for (unsigned i = 0; i < count && i < in.len; i++)
        bytes_add_format(&want, "%u%c", i, in.data[i] == '+' ? '+' : '!');
    log_flush();
    must(clean_is_asked(message_of(count - 1)) == (in.len < count));
    must(view_equal(bytes_view(&told), bytes_view(&want)));
    check_log(in, count);
    for (unsigned i = 0; i < count; i++)
        answer(VIEW("+"), 0);
    must(clean_is_idle() && !leaving);
}

/* The first byte says how many requests there are, the second how long the pieces
 * are. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view in = input_of(data, len);
    unsigned count = 1 + take_number(&in) % MAX_REQUESTS;
    size_t step = take_step(&in);

    played_first = 0;
    played[REQUEST_FD].out = &asked;
    played[LOG_FD].out = &log_written;
    log_open(LOG_FD);
    play(count, in, 0);
    play(count, in, step);
    played_first = PLAYED;
    return 0;
}
