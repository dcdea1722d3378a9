#include "deliver/remote.h"

#include "tap.h"

static const struct {
    const char *name;
    struct view input, wire;
    bool partial;
} cases[] = {
    {"empty", VIEW_INIT(""), VIEW_INIT(""), false},
    {"one empty line", VIEW_INIT("\n"), VIEW_INIT("\r\n"), false},
    {"lines", VIEW_INIT("a\nb\n"), VIEW_INIT("a\r\nb\r\n"), false},
    {"lines with CR", VIEW_INIT("a\r\nb\r\n"), VIEW_INIT("a\r\nb\r\n"), false},
    {"dot alone", VIEW_INIT("a\n.\nb\n"), VIEW_INIT("a\r\n..\r\nb\r\n"), false},
    {"dots", VIEW_INIT(".a\n..b\nc.\n"), VIEW_INIT("..a\r\n...b\r\nc.\r\n"), false},
    {"CR as line end", VIEW_INIT("a\rb\n"), VIEW_INIT("a\r\nb\r\n"), false},
    {"CR at the end", VIEW_INIT("a\r"), VIEW_INIT("a\r\n"), false},
    {"dot after CR", VIEW_INIT("a\r.\nb\n"), VIEW_INIT("a\r\n..\r\nb\r\n"), false},
    {"dot between CRs", VIEW_INIT("a\r.\rb\n"), VIEW_INIT("a\r\n..\r\nb\r\n"), false},
    {"dot CR LF after CR LF", VIEW_INIT("a\r\n.\r\n"), VIEW_INIT("a\r\n..\r\n"), false},
    {"CR CR", VIEW_INIT("a\r\rb\n"), VIEW_INIT("a\r\n\r\nb\r\n"), false},
    {"CR CR LF", VIEW_INIT("a\r\r\n"), VIEW_INIT("a\r\n\r\n"), false},
    {"CR LF LF", VIEW_INIT("a\r\n\n"), VIEW_INIT("a\r\n\r\n"), false},
    {"LF CR", VIEW_INIT("a\n\r"), VIEW_INIT("a\r\n\r\n"), false},
    {"CR at the beginning, then a dot", VIEW_INIT("\r.\r\n"), VIEW_INIT("\r\n..\r\n"),
     false},
    {"NUL and 8-bit", VIEW_INIT("a\0b\xff\n"), VIEW_INIT("a\0b\xff\r\n"), false},
    {"no line end", VIEW_INIT("text"), VIEW_INIT("text"), true},
    {"dot without line end", VIEW_INIT("a\n."), VIEW_INIT("a\r\n.."), true},
    {"text after CR", VIEW_INIT("a\rb"), VIEW_INIT("a\r\nb"), true},
    {"NUL without line end", VIEW_INIT("a\n\0"), VIEW_INIT("a\r\n\0"), true},
};

/* The message in blocks of first, then of step bytes. */
static void in_blocks(size_t i, size_t first, size_t step)
{
    struct remote_blast blast = {0};
    struct bytes wire = {0}, want = {0};
    struct view rest = cases[i].input;
    for (size_t len = first; rest.len; len = step) {
        if (len > rest.len)
            len = rest.len;
        remote_blast_feed(&blast, view_before(rest, len), &wire);
        rest = view_from(rest, len);
    }
    bool ended = remote_blast_end(&blast, &wire);
    bytes_add(&want, cases[i].wire);
    if (!cases[i].partial)
        bytes_add_text(&want, ".\r\n");
    bool good =
        ended == !cases[i].partial && view_equal(bytes_view(&wire), bytes_view(&want));
    if (!good || (first == 1 && step == 1))
        ok(good, cases[i].name, NULL);
    if (!good)
        same(bytes_view(&wire), bytes_view(&want), cases[i].name);
    bytes_free(&wire);
    bytes_free(&want);
}

/* What stands for the rule that nothing grows: a block's output is at most twice the
 * block, whatever came before. */
static void bounded(void)
{
    static char block[4096];
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = i % 2 ? '\n' : '.';
    struct remote_blast blast = {0};
    struct bytes wire = {0};
    for (int round = 0; round < 100; round++) {
        bytes_clear(&wire);
        remote_blast_feed(&blast, view_at(block, sizeof block), &wire);
    }
    same_number(wire.len, 2 * sizeof block, "twice the block");
    ok(wire.room < 4 * sizeof block, "the room is bounded", NULL);
    bytes_free(&wire);
}

int main(void)
{
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t first = 1; first <= cases[i].input.len + 1; first++)
            for (size_t step = 1; step <= cases[i].input.len + 1; step++)
                in_blocks(i, first, step);
    bounded();
    return tap_done();
}
