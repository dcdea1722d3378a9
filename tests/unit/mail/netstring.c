#include "mail/netstring.h"

#include "tap.h"

static const struct {
    const char *name, *input, *rest;
    enum netstring_result result;
    uint64_t len;
} lengths[] = {
    {"one digit", "5:hello,", "hello,", NETSTRING_LENGTH, 5},
    {"several", "1234567:", "", NETSTRING_LENGTH, 1234567},
    {"zero", "0:,", ",", NETSTRING_LENGTH, 0},
    {"leading zeros", "000000000000000000000007:", "", NETSTRING_LENGTH, 7},
    {"no digit", ":,", ",", NETSTRING_LENGTH, 0},
    {"nothing yet", "", "", NETSTRING_MORE, 0},
    {"more to come", "12", "", NETSTRING_MORE, 12},
    {"a letter", "1x:", ":", NETSTRING_BAD, 1},
    {"a sign", "-1:", "1:", NETSTRING_BAD, 0},
    {"another sign", "+1:", "1:", NETSTRING_BAD, 0},
    {"a blank", " 1:", "1:", NETSTRING_BAD, 0},
    {"a comma", "1,", "", NETSTRING_BAD, 1},
    {"a line feed", "1\n:", ":", NETSTRING_BAD, 1},
    {"8 bits", "1\xb2:", ":", NETSTRING_BAD, 1},
    {"beyond the limit by its last digit", "2000000009:", "", NETSTRING_LENGTH,
     2000000009},
    {"at the limit", "200000000:", "", NETSTRING_LENGTH, 200000000},
    {"beyond the limit, and on", "20000000000:", ":", NETSTRING_TOO_LONG, 2000000000},
    {"beyond the limit, and anything", "200000001x", "", NETSTRING_TOO_LONG, 200000001},
    {"absurd", "99999999999999999999:", "9999999999:", NETSTRING_TOO_LONG, 999999999},
};

static const struct {
    const char *string, *netstring;
} whole[] = {
    {"", "0:,"},
    {"a", "1:a,"},
    {"123456789", "9:123456789,"},
    {"1234567890", "10:1234567890,"},
};

/* In one piece, or in pieces of one byte. */
static enum netstring_result read_in(size_t step, struct view *rest, uint64_t *len)
{
    enum netstring_result result = NETSTRING_MORE;
    *len = 0;
    while (rest->len && result == NETSTRING_MORE) {
        struct view piece = view_before(*rest, rest->len < step ? rest->len : step);
        size_t before = piece.len;
        result = netstring_length(&piece, len);
        *rest = view_from(*rest, before - piece.len);
    }
    return result;
}

int main(void)
{
    struct bytes out = {0};

    for (size_t i = 0; i < COUNT(lengths); i++)
        for (size_t step = 1; step < 100; step += 98) {
            struct view rest = view_of(lengths[i].input);
            uint64_t len;
            enum netstring_result result = read_in(step, &rest, &len);
            ok(result == lengths[i].result, lengths[i].name, "result");
            same_number(len, lengths[i].len, lengths[i].name);
            same(rest, view_of(lengths[i].rest), lengths[i].name);
        }
    for (size_t i = 0; i < COUNT(whole); i++) {
        struct view string = view_of(whole[i].string);
        bytes_clear(&out);
        netstring_add(&out, string);
        same(bytes_view(&out), view_of(whole[i].netstring), "written");
        same_number(netstring_size(string.len), out.len, "size");
    }
    same_number(netstring_size(UINT64_MAX / 2), UINT64_MAX / 2 + 21, "a large size");
    bytes_free(&out);
    return tap_done();
}
