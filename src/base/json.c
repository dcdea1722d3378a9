#include "base/json.h"

#include "base/utf8.h"

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
            bytes_add(out, len > 0 ? view_before(v, len) : VIEW(UTF8_REPLACEMENT));
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
