#include "deliver/remote.h"

#include "tap.h"

/* Each reply is followed by NEXT, which must stay unread. */
#define NEXT "250 of the next command\r\n"

static const struct {
    const char *name;
    struct view input, text;
    unsigned code;
} cases[] = {
    {"one line", VIEW_INIT("250 ok\r\n"), VIEW_INIT("250 ok\n"), 250},
    {"code alone", VIEW_INIT("354\r\n"), VIEW_INIT("354\n"), 354},
    {"without CR", VIEW_INIT("250 ok\n"), VIEW_INIT("250 ok\n"), 250},
    {"CR anywhere", VIEW_INIT("2\r50 o\rk\r\r\n"), VIEW_INIT("250 ok\n"), 250},
    {"two lines", VIEW_INIT("550-no\r\n550 way\r\n"), VIEW_INIT("550-no\n550 way\n"),
     550},
    {"the first code counts", VIEW_INIT("250-a\r\n550 b\r\n"),
     VIEW_INIT("250-a\n550 b\n"), 250},
    {"later code alone", VIEW_INIT("250-a\r\n250\r\n"), VIEW_INIT("250-a\n250\n"), 250},
    {"blank line between", VIEW_INIT("250-a\r\n\r\n250 b\r\n"),
     VIEW_INIT("250-a\n\n250 b\n"), 250},
    {"short line between", VIEW_INIT("250-a\r\nab\r\n250 b\r\n"),
     VIEW_INIT("250-a\nab\n250 b\n"), 250},
    {"text right after the code", VIEW_INIT("250ok\r\n"), VIEW_INIT("250ok\n"), 250},
    {"dash further on", VIEW_INIT("250 -\r\n"), VIEW_INIT("250 -\n"), 250},
    {"NUL and 8-bit", VIEW_INIT("250 \0\xe9\r\n"), VIEW_INIT("250 \0\xe9\n"), 250},
    {"empty line", VIEW_INIT("\r\n"), VIEW_INIT("\n"), 0},
    {"two digits", VIEW_INIT("25\r\n"), VIEW_INIT("25\n"), 0},
    {"no digits", VIEW_INIT("hello\r\n"), VIEW_INIT("hello\n"), 0},
    {"space in the code", VIEW_INIT("2 50 ok\r\n"), VIEW_INIT("2 50 ok\n"), 0},
    {"garbage of two lines", VIEW_INIT("abc-\r\nabc \r\n"), VIEW_INIT("abc-\nabc \n"),
     0},
    {"199", VIEW_INIT("199 x\r\n"), VIEW_INIT("199 x\n"), 0},
    {"200", VIEW_INIT("200 x\r\n"), VIEW_INIT("200 x\n"), 200},
    {"599", VIEW_INIT("599 x\r\n"), VIEW_INIT("599 x\n"), 599},
    {"600", VIEW_INIT("600 x\r\n"), VIEW_INIT("600 x\n"), 0},
    {"000", VIEW_INIT("000 x\r\n"), VIEW_INIT("000 x\n"), 0},
};

/* The reply given in pieces of step bytes. */
static void in_pieces(size_t i, size_t step)
{
    struct bytes input = {0};
    struct remote_reply reply = {0};
    size_t taken = 0;
    bytes_add(&input, cases[i].input);
    bytes_add_text(&input, NEXT);
    while (!reply.whole && taken < input.len) {
        struct view rest = view_from(bytes_view(&input), taken);
        taken += remote_reply_feed(
            &reply, view_before(rest, rest.len < step ? rest.len : step));
    }
    bool good = reply.whole && reply.code == cases[i].code &&
                taken == cases[i].input.len &&
                view_equal(bytes_view(&reply.text), cases[i].text);
    if (!good || step == 1)
        ok(good, cases[i].name, step == 1 ? "byte by byte" : "in pieces");
    if (!good)
        same(bytes_view(&reply.text), cases[i].text, cases[i].name);
    bytes_free(&reply.text);
    bytes_free(&input);
}

static void long_replies(void)
{
    struct remote_reply reply = {0};
    struct bytes x = {0};
    for (int i = 0; i < 6000; i++)
        bytes_add_byte(&x, 'x');
    remote_reply_feed(&reply, VIEW("250-"));
    remote_reply_feed(&reply, bytes_view(&x));
    ok(!reply.whole, "a long line", "is not over");
    remote_reply_feed(&reply, VIEW("\r\n450"));
    remote_reply_feed(&reply, VIEW(" ok\r\n"));
    ok(reply.whole && reply.code == 250, "a long line", "is judged");
    same_number(reply.text.len, REMOTE_MAX_REPLY, "kept of a long line");
    remote_reply_clear(&reply);
    remote_reply_feed(&reply, VIEW("554 no\r\n"));
    ok(reply.whole && reply.code == 554, "used again", NULL);
    same(bytes_view(&reply.text), VIEW("554 no\n"), "text when used again");
    bytes_free(&reply.text);
    bytes_free(&x);
}

static const struct {
    const char *name, *reply;
    struct remote_offers offers;
} offers[] = {
    {"nothing", "250 host\n", {0}},
    {"the first line is the host's", "250 PIPELINING\n", {0}},
    {"all",
     "250-h\n250-PIPELINING\n250-8BITMIME\n250-STARTTLS\n250 SIZE 1000000\n",
     {true, true, true, true, 1000000}},
    {"any case", "250-h\n250 pipeLining\n", {.pipelining = true}},
    {"parameters", "250-h\n250 8bitmime x y\n", {.eight_bit = true}},
    {"longer words", "250-h\n250-SIZES 5\n250 XPIPELINING\n", {0}},
    {"size without limit", "250-h\n250 SIZE\n", {.size = true}},
    {"size zero", "250-h\n250 SIZE 0\n", {.size = true}},
    {"size beyond 64 bits",
     "250-h\n250 SIZE 99999999999999999999999\n",
     {.size = true, .max_size = UINT64_MAX}},
    {"a line that was cut does not count",
     "250-h\n250-PIPELINING\n250-SIZE 10",
     {.pipelining = true}},
    {"lines of the code alone", "250-h\n250\n", {0}},
};

int main(void)
{
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t step = 1; step <= cases[i].input.len + sizeof NEXT; step++)
            in_pieces(i, step);
    long_replies();
    for (size_t i = 0; i < COUNT(offers); i++) {
        struct remote_offers got;
        const struct remote_offers *want = &offers[i].offers;
        remote_offers_read(&got, view_of(offers[i].reply));
        ok(got.pipelining == want->pipelining && got.size == want->size &&
               got.eight_bit == want->eight_bit && got.starttls == want->starttls &&
               got.max_size == want->max_size,
           "offers:", offers[i].name);
    }
    return tap_done();
}
