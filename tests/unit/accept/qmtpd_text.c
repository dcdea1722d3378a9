#include "accept/qmtpd.h"

#include "tap.h"

static const struct {
    const char *name, *text, *want;
} cases[] = {
    {"nothing", "", ""},
    {"no line end", "abc", "abc"},
    {"lines", "a\r\nb\r\n", "a\nb\n"},
    {"empty lines", "\r\n\r\n", "\n\n"},
    {"LF", "a\nb\n\n", "a\nb\n\n"},
    {"CR", "a\rb\r\rc", "a\rb\r\rc"},
    {"CR CR LF", "a\r\r\nb", "a\r\nb"},
    {"LF CR", "a\n\rb", "a\n\rb"},
    {"LF CR LF", "a\n\r\nb", "a\n\nb"},
    {"CR at the end", "a\r", "a\r"},
    {"CRs at the end", "a\r\r", "a\r\r"},
    {"dots mean nothing", "\r\n.\r\n..\r\n", "\n.\n..\n"},
};

/* Decodes the text in two blocks, cut at a place. */
static void decode(struct view text, size_t cut, struct bytes *out)
{
    struct view blocks[] = {view_before(text, cut), view_from(text, cut)};
    struct qmtpd_text t = {0};
    struct view run;

    bytes_clear(out);
    for (size_t i = 0; i < COUNT(blocks); i++)
        while (qmtpd_text_next(&t, &blocks[i], &run))
            bytes_add(out, run);
    bytes_add(out, qmtpd_text_end(&t));
}

int main(void)
{
    struct bytes out = {0};

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct view text = view_of(cases[i].text), want = view_of(cases[i].want);
        bool cuts = true;
        for (size_t at = 0; at <= text.len; at++) {
            decode(text, at, &out);
            cuts = cuts && view_equal(bytes_view(&out), want);
        }
        same(bytes_view(&out), want, cases[i].name);
        ok(cuts, cases[i].name, "cut");
    }
    bytes_free(&out);
    return tap_done();
}
