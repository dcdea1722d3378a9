#include "base/json.h"

/* The length of the UTF-8 sequence that v begins with, or 0: RFC 3629, section 4,
 * which knows no overlong forms, no surrogates, nothing beyond U+10FFFF. */
static size_t utf8_length(struct view v)
{
    unsigned char first = (unsigned char)v.data[0];
    unsigned char low = 0x80, high = 0xbf;
    size_t len = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4 || v.len < len)
        return 0;
    if (first == 0xe0)
        low = 0xa0;
    if (first == 0xed)
        high = 0x9f;
    if (first == 0xf0)
        low = 0x90;
    if (first == 0xf4)
        high = 0x8f;
    for (size_t i = 1; i < len; i++, low = 0x80, high = 0xbf) {
        unsigned char c = (unsigned char)v.data[i];
        if (c < low || c > high)
            return 0;
    }
    return len;
}

static void add_escaped(struct bytes *out, char c)
{
    static const char letters[] = "\b\f\n\r\t";
    static const char names[] = "bfnrt";
    size_t at = view_find(VIEW(letters), c);

    bytes_add_byte(out, '\\');
    if (c == '"' || c == '\\')
        bytes_add_byte(out, c);
    else if (at < sizeof letters - 1)
        bytes_add_byte(out, names[at]);
    else
        bytes_add_format(out, "u%04x", (unsigned)(unsigned char)c);
}

static bool is_plain(char c)
{
    return c >= ' ' && c < 127 && c != '"' && c != '\\';
}

void json_add_string(struct bytes *out, struct view v)
{
    bytes_add_byte(out, '"');
    while (v.len > 0) {
        size_t len = 0;
        while (len < v.len && is_plain(v.data[len]))
            len++;
        if (len > 0)
            bytes_add(out, view_before(v, len));
        else if ((unsigned char)v.data[0] < 128) {
            add_escaped(out, v.data[0]);
            len = 1;
        } else {
            len = utf8_length(v);
            bytes_add(out, len > 0 ? view_before(v, len) : VIEW("\xef\xbf\xbd"));
            len += len == 0;
        }
        v = view_from(v, len);
    }
    bytes_add_byte(out, '"');
}

void json_add_comma(struct bytes *out)
{
    if (out->len > 0 && !view_has(VIEW("[{"), out->data[out->len - 1]))
        bytes_add_byte(out, ',');
}

void json_add_name(struct bytes *out, const char *name)
{
    json_add_comma(out);
    json_add_string(out, view_of(name));
    bytes_add_byte(out, ':');
}

void json_add_text(struct bytes *out, const char *name, struct view value)
{
    json_add_name(out, name);
    json_add_string(out, value);
}

void json_add_number(struct bytes *out, const char *name, uint64_t value)
{
    json_add_name(out, name);
    bytes_add_number(out, value);
}

void json_add_bool(struct bytes *out, const char *name, bool value)
{
    json_add_name(out, name);
    bytes_add_text(out, value ? "true" : "false");
}
