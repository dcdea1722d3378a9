/* The text behind DATA, in two blocks cut where the first byte says: what comes out is
 * what the table of RFC 5321, 4.5.2 and 2.3.8 makes of whole lines, and the end is
 * found at the same byte. */
#include "accept/smtpd_data.h"

#include "fuzz.h"

struct result {
    enum smtpd_data_step end; /* END, BARE_LF, or MORE where neither has come */
    struct bytes text;
    bool bare_cr;
    size_t left; /* input behind the end */
};

static void decode(struct view input, size_t cut, struct result *r)
{
    struct smtpd_data d;
    struct view block = view_before(input, cut), rest = view_from(input, cut), run;

    smtpd_data_begin(&d);
    for (;;) {
        r->end = smtpd_data_next(&d, &block, &run);
        if (r->end == SMTPD_DATA_RUN) {
            bytes_add(&r->text, run);
        } else if (r->end == SMTPD_DATA_MORE && rest.len) {
            block = rest;
            rest = view_from(rest, rest.len);
        } else {
            break;
        }
    }
    r->bare_cr = d.bare_cr;
    r->left = block.len + rest.len;
}

/* Line by line. What there is of a last line is not looked at. */
static void decode_lines(struct view input, struct result *r)
{
    for (;;) {
        size_t lf = view_find(input, '\n');
        r->end = SMTPD_DATA_MORE;
        if (lf == input.len)
            return;
        r->end = SMTPD_DATA_BARE_LF;
        if (lf == 0 || input.data[lf - 1] != '\r')
            return;
        struct view line = view_before(input, lf - 1);
        input = view_from(input, lf + 1);
        r->end = SMTPD_DATA_END;
        r->left = input.len;
        if (view_is(line, "."))
            return;
        r->bare_cr = r->bare_cr || view_has(line, '\r');
        if (view_starts(line, VIEW(".")) && !view_starts(line, VIEW(".\r")))
            line = view_from(line, 1);
        bytes_add(&r->text, line);
        bytes_add_byte(&r->text, '\n');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct result got = {0}, want = {0};

    if (len == 0)
        return 0;
    struct view input = view_at((const char *)data + 1, len - 1);
    decode(input, data[0] < input.len ? data[0] : input.len, &got);
    decode_lines(input, &want);
    MUST(got.end == want.end);
    if (got.end ==
        SMTPD_DATA_MORE) /* what there is of the next line may be there, too */
        MUST(view_starts(bytes_view(&got.text), bytes_view(&want.text)));
    if (got.end == SMTPD_DATA_END) {
        MUST(got.text.len == want.text.len);
        MUST(got.bare_cr == want.bare_cr);
        MUST(got.left == want.left);
    }
    bytes_free(&got.text);
    bytes_free(&want.text);
    return 0;
}
