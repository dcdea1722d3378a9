#include "base/base64.h"

enum { GROUP = 4, PAD = 2 };

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The number of bytes that are padding, or more than PAD. */
static size_t padding(struct view text)
{
    return text.len - view_trim_end(text, "=").len;
}

bool base64_decode(struct view text, struct bytes *plain)
{
    size_t pad = padding(text);

    bytes_clear(plain);
    if (text.len % GROUP != 0 || pad > PAD)
        return false;
    bytes_reserve(plain, text.len);
    uint32_t group = 0;
    for (size_t i = 0; i < text.len; i++) {
        size_t digit = 0; /* padding counts as zeros, which are cut off below */
        if (i < text.len - pad)
            digit = view_find(view_at(alphabet, sizeof alphabet - 1), text.data[i]);
        if (digit == sizeof alphabet - 1)
            return false;
        group = group << 6 | (uint32_t)digit;
        if (i % GROUP != GROUP - 1)
            continue;
        bytes_add_byte(plain, (char)(group >> 16 & 255));
        bytes_add_byte(plain, (char)(group >> 8 & 255));
        bytes_add_byte(plain, (char)(group & 255));
        group = 0;
    }
    bytes_cut(plain, plain->len - pad);
    return true;
}
