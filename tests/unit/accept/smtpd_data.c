/* Every input is decoded whole and in every way to cut it into two and three
 * blocks: the result may not depend on where the network cuts. */
#include "accept/smtpd_data.h"

#include "tap.h"

#include <string.h>

enum want { END, OPEN, BARE_LF };

static const struct {
    const char *name, *input;
    enum want end;
    bool bare_cr;
    const char *text;
    const char *rest; /* what is left behind the end */
} cases[] = {
    {"empty", ".\r\n", END, false, "", ""},
    {"lines", "a\r\nb\r\n.\r\n", END, false, "a\nb\n", ""},
    {"empty lines", "\r\n\r\n.\r\n", END, false, "\n\n", ""},
    {"commands behind the end", "a\r\n.\r\nQUIT\r\n", END, false, "a\n", "QUIT\r\n"},
    {"dot and dots", ".x\r\n..\r\n...\r\n.\r\n", END, false, "x\n.\n..\n", ""},
    {"dot in a line", "a.b\r\nc.\r\n.\r\n", END, false, "a.b\nc.\n", ""},
    {"dot and space", ". \r\n.\r\n", END, false, " \n", ""},
    {"8-bit bytes", "\x80\xff\r\n.\r\n", END, false, "\x80\xff\n", ""},
    {"not over yet: nothing", "", OPEN, false, "", ""},
    {"not over yet: text", "abc", OPEN, false, "abc", ""},
    {"not over yet: CR", "abc\r", OPEN, false, "abc", ""},
    {"not over yet: line", "abc\r\n", OPEN, false, "abc\n", ""},
    {"not over yet: dot", "abc\r\n.", OPEN, false, "abc\n", ""},
    {"not over yet: dot CR", "abc\r\n.\r", OPEN, false, "abc\n", ""},
    {"bare CR", "a\rb\r\n.\r\n", END, true, "a\rb\n", ""},
    {"bare CR first", "\rb\r\n.\r\n", END, true, "\rb\n", ""},
    {"CR CR LF", "a\r\r\n.\r\n", END, true, "a\r\n", ""},
    {"CR CR CR LF", "\r\r\r\n.\r\n", END, true, "\r\r\n", ""},
    {"CR before dot", "a\r.\r\nb\r\n.\r\n", END, true, "a\r.\nb\n", ""},
    {"CR dot CR", "a\r.\rb\r\n.\r\n", END, true, "a\r.\rb\n", ""},
    {"dot CR", "a\r\n.\rb\r\n.\r\n", END, true, "a\n.\rb\n", ""},
    {"dot CR CR LF", "a\r\n.\r\r\nb\r\n.\r\n", END, true, "a\n.\r\nb\n", ""},
    {"dot CR dot CR LF", ".\r.\r\n.\r\n", END, true, ".\r.\n", ""},
    {"bare LF", "a\nb\r\n.\r\n", BARE_LF, false, NULL, NULL},
    {"bare LF first", "\n.\r\n", BARE_LF, false, NULL, NULL},
    {"bare LF behind a line", "a\r\n\n.\r\n", BARE_LF, false, NULL, NULL},
    {"LF dot CR LF", "a\n.\r\n", BARE_LF, false, NULL, NULL},
    {"LF dot LF", "a\n.\n", BARE_LF, false, NULL, NULL},
    {"CR LF dot LF", "a\r\n.\nQUIT\r\n", BARE_LF, false, NULL, NULL},
    {"dot text LF", ".x\ny\r\n.\r\n", BARE_LF, false, NULL, NULL},
    {"bare LF after bare CR", "a\rb\nc\r\n.\r\n", BARE_LF, true, NULL, NULL},
};

struct result {
    enum want end;
    bool bare_cr;
    struct bytes text, rest;
};

/* Decodes one block after the other until the end. */
static void decode(const struct view *blocks, size_t count, struct result *r)
{
    struct smtpd_data d;

    r->end = OPEN;
    bytes_clear(&r->text);
    bytes_clear(&r->rest);
    smtpd_data_begin(&d);
    for (size_t i = 0; i < count; i++) {
        struct view rest = blocks[i], run;
        enum smtpd_data_step step = SMTPD_DATA_RUN;
        while (r->end == OPEN &&
               (step = smtpd_data_next(&d, &rest, &run)) == SMTPD_DATA_RUN)
            bytes_add(&r->text, run);
        if (step == SMTPD_DATA_BARE_LF)
            r->end = BARE_LF;
        if (step == SMTPD_DATA_END)
            r->end = END;
        if (r->end == END)
            bytes_add(&r->rest, rest);
    }
    r->bare_cr = d.bare_cr;
}

static bool is_right(const struct result *r, size_t i)
{
    if (r->end != cases[i].end || r->bare_cr != cases[i].bare_cr)
        return false;
    if (r->end == BARE_LF)
        return true;
    return view_is(bytes_view(&r->text), cases[i].text) &&
           view_is(bytes_view(&r->rest), cases[i].rest);
}

/* The number of ways to cut input into three (two, one) blocks that go wrong. */
static size_t wrong_cuts(size_t i)
{
    struct view input = view_of(cases[i].input);
    struct result r = {0};
    size_t wrong = 0;

    for (size_t a = 0; a <= input.len; a++)
        for (size_t b = a; b <= input.len; b++) {
            struct view blocks[] = {view_before(input, a),
                                    view_before(view_from(input, a), b - a),
                                    view_from(input, b)};
            decode(blocks, COUNT(blocks), &r);
            wrong += !is_right(&r, i);
        }
    bytes_free(&r.text);
    bytes_free(&r.rest);
    return wrong;
}

/* Runs reach from line to line: a block of whole lines is one run each. */
static void test_runs(void)
{
    struct smtpd_data d;
    struct view rest = VIEW("one\r\ntwo\r\nthree"), run;

    smtpd_data_begin(&d);
    ok(smtpd_data_next(&d, &rest, &run) == SMTPD_DATA_RUN, "run", "first");
    same(run, VIEW("one"), "first run");
    ok(smtpd_data_next(&d, &rest, &run) == SMTPD_DATA_RUN, "run", "second");
    same(run, VIEW("\ntwo"), "second run");
    ok(smtpd_data_next(&d, &rest, &run) == SMTPD_DATA_RUN, "run", "third");
    same(run, VIEW("\nthree"), "third run");
    ok(smtpd_data_next(&d, &rest, &run) == SMTPD_DATA_MORE, "run", "no more");
}

static void test_nul(void)
{
    struct view input = VIEW("a\0b\r\n\0.\r\n.\r\n");
    struct result r = {0};

    decode(&input, 1, &r);
    ok(r.end == END, "NUL", "end");
    same(bytes_view(&r.text), VIEW("a\0b\n\0.\n"), "NUL");
    bytes_free(&r.text);
    bytes_free(&r.rest);
}

int main(void)
{
    for (size_t i = 0; i < COUNT(cases); i++)
        same_number(wrong_cuts(i), 0, cases[i].name);
    test_runs();
    test_nul();
    return tap_done();
}
