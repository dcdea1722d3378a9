/* Any bytes as a JSON string: printable or UTF-8 between two quotes, and read by RFC
 * 8259 they are the bytes, with U+FFFD for each that is no part of a character. */
#include "base/json.h"

#include "base/utf8.h"
#include "fuzz.h"

/* The character that v begins with, by its number alone; 0 bytes: none. */
static size_t character(struct view v, uint32_t *number)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = (unsigned char)v.data[0];
    size_t len = first < 0x80   ? 1
                 : first < 0xc0 ? 0
                 : first < 0xe0 ? 2
                 : first < 0xf0 ? 3
                 : first < 0xf8 ? 4
                                : 0;

    if (len > v.len)
        return 0;
    *number = len < 2 ? first : first & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if (((unsigned char)v.data[i] & 0xc0) != 0x80)
            return 0;
        *number = *number << 6 | ((unsigned char)v.data[i] & 0x3f);
    }
    if (*number < least[len] || *number > 0x10ffff ||
        (*number >= 0xd800 && *number < 0xe000))
        return 0;
    return len;
}

static void replace_bad(struct bytes *out, struct view v)
{
    while (v.len) {
        uint32_t number;
        size_t len = character(v, &number);
        MUST(utf8_length(v) == len);
        MUST(len == 0 || utf8_number(view_before(v, len)) == number);
        bytes_add(out, len ? view_before(v, len) : VIEW(UTF8_REPLACEMENT));
        v = view_from(v, len ? len : 1);
    }
}

static char unescape(struct view *rest)
{
    static const char names[] = "bfnrt\"\\", meant[] = "\b\f\n\r\t\"\\";
    unsigned n = 0;

    MUST(rest->len);
    char c = rest->data[0];
    *rest = view_from(*rest, 1);
    if (c != 'u') {
        size_t at = view_find(view_of(names), c);
        MUST(at < sizeof names - 1);
        return meant[at];
    }
    MUST(rest->len >= 4);
    for (size_t i = 0; i < 4; i++) {
        size_t digit = view_find(VIEW("0123456789abcdef"), rest->data[i]);
        MUST(digit < 16);
        n = n * 16 + (unsigned)digit;
    }
    MUST(n < 128);
    *rest = view_from(*rest, 4);
    return (char)n;
}

static void read_string(struct bytes *out, struct view text)
{
    MUST(text.len >= 2 && text.data[0] == '"' && text.data[text.len - 1] == '"');
    struct view rest = view_before(view_from(text, 1), text.len - 2);
    while (rest.len) {
        char c = rest.data[0];
        MUST((unsigned char)c >= 32 && c != 127 && c != '"');
        rest = view_from(rest, 1);
        bytes_add_byte(out, c == '\\' ? unescape(&rest) : c);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bytes text = {0}, got = {0}, want = {0};
    struct view v = view_at((const char *)data, len);

    json_add_string(&text, v);
    read_string(&got, bytes_view(&text));
    replace_bad(&want, v);
    MUST(view_equal(bytes_view(&got), bytes_view(&want)));
    bytes_free(&text);
    bytes_free(&got);
    bytes_free(&want);
    return 0;
}
