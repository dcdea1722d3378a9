#include "base/utf8.h"

size_t utf8_length(struct view v)
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

uint32_t utf8_number(struct view character)
{
    unsigned char first = (unsigned char)character.data[0];
    uint32_t n = character.len == 1 ? first : first & (0xffu >> (character.len + 1));

    for (size_t i = 1; i < character.len; i++)
        n = n << 6 | ((unsigned char)character.data[i] & 0x3f);
    return n;
}
