/* Any text is base64 by the rule of RFC 4648, 4, or it is refused; what it means,
 * written again, is the text but for bits that mean nothing. Any bytes written are read
 * as themselves. */
#include "base/base64.h"

#include "fuzz.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void encode(struct bytes *out, struct view v)
{
    for (size_t i = 0; i < v.len; i += 3) {
        uint32_t group = 0;
        size_t n = v.len - i < 3 ? v.len - i : 3;
        for (size_t j = 0; j < 3; j++)
            group = group << 8 | (j < n ? (unsigned char)v.data[i + j] : 0);
        for (size_t j = 0; j < 4; j++)
            bytes_add_byte(out, j > n ? '=' : alphabet[group >> (18 - 6 * j) & 63]);
    }
}

static bool is_base64(struct view v)
{
    size_t digits = 0;
    while (digits < v.len && view_has(view_at(alphabet, 64), v.data[digits]))
        digits++;
    struct view rest = view_from(v, digits);
    return v.len % 4 == 0 &&
           (rest.len == 0 || view_is(rest, "=") || view_is(rest, "=="));
}

/* The last digit before padding has bits left over. */
static bool same_but_last(struct view a, struct view b)
{
    struct view x = view_trim_end(a, "="), y = view_trim_end(b, "=");
    size_t from = x.len && x.len < a.len ? x.len - 1 : x.len;
    return a.len == b.len && x.len == y.len &&
           view_equal(view_before(x, from), view_before(y, from));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bytes plain = {0}, text = {0};
    struct view v = view_at((const char *)data, len);

    MUST(base64_decode(v, &plain) == is_base64(v));
    if (is_base64(v)) {
        encode(&text, bytes_view(&plain));
        MUST(same_but_last(bytes_view(&text), v));
    }
    bytes_clear(&text);
    encode(&text, v);
    MUST(base64_decode(bytes_view(&text), &plain));
    MUST(view_equal(bytes_view(&plain), v));
    bytes_free(&plain);
    bytes_free(&text);
    return 0;
}
