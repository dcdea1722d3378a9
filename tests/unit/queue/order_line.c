#include "queue/order.h"

#include "tap.h"

#include <string.h>

static const struct {
    const char *line;
    bool valid;
    enum order_verb verb;
    ino_t message;
    int64_t seconds;
    long nanoseconds;
} requests[] = {
    {"state 5 1.2", true, ORDER_STATE, 5, 1, 2},
    {"try 0 0.0", true, ORDER_TRY, 0, 0, 0},
    {"hold 1091970 1790000000.999999999", true, ORDER_HOLD, 1091970, 1790000000,
     999999999},
    {"release 5 -7.3", true, ORDER_RELEASE, 5, -7, 3},
    {"return 18446744073709551615 9223372036854775807.1", true, ORDER_RETURN,
     (ino_t)UINT64_MAX, INT64_MAX, 1},
    {"delete 5 -9223372036854775808.1", true, ORDER_DELETE, 5, INT64_MIN, 1},
    {"", false, ORDER_STATE, 0, 0, 0},
    {"state", false, ORDER_STATE, 0, 0, 0},
    {"state 5", false, ORDER_STATE, 0, 0, 0},
    {"state 5 1", false, ORDER_STATE, 0, 0, 0},
    {"state 5 1.", false, ORDER_STATE, 0, 0, 0},
    {"state 5 .1", false, ORDER_STATE, 0, 0, 0},
    {"state 5 -0.1", false, ORDER_STATE, 0, 0, 0},
    {"state 5 --1.1", false, ORDER_STATE, 0, 0, 0},
    {"state 5 1.-1", false, ORDER_STATE, 0, 0, 0},
    {"state 5 1.1000000000", false, ORDER_STATE, 0, 0, 0},
    {"state 5 9223372036854775808.1", false, ORDER_STATE, 0, 0, 0},
    {"state 5 -9223372036854775809.1", false, ORDER_STATE, 0, 0, 0},
    {"state 05 1.1", false, ORDER_STATE, 0, 0, 0},
    {"state -5 1.1", false, ORDER_STATE, 0, 0, 0},
    {"state  5 1.1", false, ORDER_STATE, 0, 0, 0},
    {"state 5 1.1 ", false, ORDER_STATE, 0, 0, 0},
    {"state 5 1.1 x", false, ORDER_STATE, 0, 0, 0},
    {"State 5 1.1", false, ORDER_STATE, 0, 0, 0},
    {"remove 5 1.1", false, ORDER_STATE, 0, 0, 0},
    {"hold 18446744073709551616 1.1", false, ORDER_STATE, 0, 0, 0},
};

static const struct {
    const char *line;
    bool valid;
} answers[] = {
    {"done - - - -", true},
    {"done h w1790000000 - -", true},
    {"done d w-5 a18446744073709551615 b", true},
    {"held h w0 ? -", true},
    {"other - - - -", true},
    {"bad-request - - - -", true},
    {"", false},
    {"done", false},
    {"done - - -", false},
    {"done - - - - -", false},
    {"done - - - x", false},
    {"done x - - -", false},
    {"done rh - - -", false},
    {"done r- - - -", false},
    {"done hh - - -", false},
    {"done  - - -", false},
    {"done - w - -", false},
    {"done - w1x - -", false},
    {"done - a-1 - -", false},
    {"done - b - -", false},
    {"well - - - -", false},
};

int main(void)
{
    struct bytes out = {0};

    for (size_t i = 0; i < COUNT(requests); i++) {
        struct order o;
        bool valid = order_parse(view_of(requests[i].line), &o);
        ok(valid == requests[i].valid, requests[i].line, "valid or not");
        if (!valid)
            continue;
        ok(o.verb == requests[i].verb && o.message == requests[i].message &&
               o.birth.tv_sec == requests[i].seconds &&
               o.birth.tv_nsec == requests[i].nanoseconds,
           requests[i].line, "read");
        bytes_clear(&out);
        order_add(&out, &o);
        ok(out.len <= ORDER_MAX_LINE + 1, requests[i].line, "short enough");
        bytes_cut(&out, out.len - 1);
        same(bytes_view(&out), view_of(requests[i].line), "written again");
    }
    for (size_t i = 0; i < COUNT(answers); i++) {
        struct order_answer a;
        bool valid = order_parse_answer(view_of(answers[i].line), &a);
        ok(valid == answers[i].valid, answers[i].line, "valid or not");
        if (!valid)
            continue;
        bytes_clear(&out);
        order_add_answer(&out, &a);
        ok(out.len <= ORDER_MAX_LINE + 1, answers[i].line, "short enough");
        bytes_cut(&out, out.len - 1);
        same(bytes_view(&out), view_of(answers[i].line), "written again");
    }
    bytes_free(&out);
    return tap_done();
}
