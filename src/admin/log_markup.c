#include "admin/log_page.h"
#include "base/utf8.h"

#include <inttypes.h>

/* Characters that nobody can see, or that make others look like something else: C1
 * controls, marks and overrides of direction, what XML does not allow. */
static bool is_harmful(uint32_t c)
{
    return (c >= 0x80 && c < 0xa0) || c == 0x200e || c == 0x200f ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) ||
           (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef) || c == 0xfeff;
}

static void add_ascii(struct bytes *out, char c)
{
    switch (c) {
    case '<':
        bytes_add_text(out, "&lt;");
        break;
    case '>':
        bytes_add_text(out, "&gt;");
        break;
    case '&':
        bytes_add_text(out, "&amp;");
        break;
    case '"':
        bytes_add_text(out, "&quot;");
        break;
    case '\'':
        bytes_add_text(out, "&#39;");
        break;
    default:
        if (c >= ' ' && c < 127)
            bytes_add_byte(out, c);
        else
            bytes_add_text(out, UTF8_REPLACEMENT);
    }
}

/* Adds the first character; its length. */
static size_t add_character(struct bytes *out, struct view v)
{
    size_t len = utf8_length(v);

    if (len == 1)
        add_ascii(out, v.data[0]);
    else if (len == 0 || is_harmful(utf8_number(view_before(v, len))))
        bytes_add_text(out, UTF8_REPLACEMENT);
    else
        bytes_add(out, view_before(v, len));
    return len ? len : 1;
}

void markup_add_short(struct bytes *out, struct view v, size_t max)
{
    for (size_t count = 0; v.len; count++) {
        if (count == max) {
            bytes_add_text(out, "\xe2\x80\xa6");
            return;
        }
        v = view_from(v, add_character(out, v));
    }
}

void markup_add(struct bytes *out, struct view v)
{
    markup_add_short(out, v, SIZE_MAX);
}

void markup_add_number(struct bytes *out, uint64_t n)
{
    if (n >= 1000) {
        markup_add_number(out, n / 1000);
        bytes_add_format(out, "\xe2\x80\xaf%03" PRIu64, n % 1000);
    } else
        bytes_add_number(out, n);
}
