#include "mail/netstring.h"

enum netstring_result netstring_length(struct view *rest, uint64_t *len)
{
    while (rest->len) {
        char c = rest->data[0];
        *rest = view_from(*rest, 1);
        if (c == ':')
            return NETSTRING_LENGTH;
        if (*len > NETSTRING_MAX)
            return NETSTRING_TOO_LONG;
        if (!byte_is_digit(c))
            return NETSTRING_BAD;
        *len = *len * 10 + (uint64_t)(c - '0');
    }
    return NETSTRING_MORE;
}

uint64_t netstring_size(uint64_t len)
{
    uint64_t size = len + 3; /* a digit, the colon, the comma */
    for (uint64_t n = len; n >= 10; n /= 10)
        size++;
    return size;
}

void netstring_add_length(struct bytes *out, uint64_t len)
{
    bytes_add_number(out, len);
    bytes_add_byte(out, ':');
}

void netstring_add(struct bytes *out, struct view string)
{
    netstring_add_length(out, string.len);
    bytes_add(out, string);
    bytes_add_byte(out, ',');
}
