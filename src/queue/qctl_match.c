#include "queue/qctl.h"

/* A set: pattern begins behind its '['. *in tells whether c is one of it, and the
 * result where it ends; 0: there is no end, and '[' means itself. */
static size_t match_set(struct view pattern, char c, bool *in)
{
    size_t i = 0;
    bool other = pattern.len && pattern.data[0] == '!';

    *in = false;
    if (other)
        i++;
    for (size_t first = i; i < pattern.len; i++) {
        if (pattern.data[i] == ']' && i > first) {
            *in ^= other;
            return i + 1;
        }
        unsigned char low = (unsigned char)byte_lower(pattern.data[i]), high = low;
        if (i + 2 < pattern.len && pattern.data[i + 1] == '-' &&
            pattern.data[i + 2] != ']') {
            high = (unsigned char)byte_lower(pattern.data[i + 2]);
            i += 2;
        }
        *in |= (unsigned char)c >= low && (unsigned char)c <= high;
    }
    return 0;
}

/* Matches c, in lower case, with what pattern begins with, of which there is one.
 * Its length, or 0. */
static size_t match_one(struct view pattern, char c)
{
    bool in;
    size_t len;

    switch (pattern.data[0]) {
    case '?':
        return 1;
    case '[':
        len = match_set(view_from(pattern, 1), c, &in);
        if (len)
            return in ? len + 1 : 0;
        return c == '[';
    case '\\':
        if (pattern.len > 1)
            return byte_lower(pattern.data[1]) == c ? 2 : 0;
        return c == '\\';
    default:
        return byte_lower(pattern.data[0]) == c;
    }
}

/* Of several stars only the last can be at fault: what is before it has been matched as
 * early as possible. */
bool qctl_match(struct view pattern, struct view text)
{
    struct view star = {0}, retry = {0};
    bool starred = false;

    for (;;) {
        if (pattern.len && pattern.data[0] == '*') {
            pattern = star = view_from(pattern, 1);
            retry = text;
            starred = true;
            continue;
        }
        if (!text.len && !pattern.len)
            return true;
        size_t len =
            text.len && pattern.len ? match_one(pattern, byte_lower(text.data[0])) : 0;
        if (len) {
            pattern = view_from(pattern, len);
            text = view_from(text, 1);
            continue;
        }
        if (!starred || !retry.len)
            return false;
        pattern = star;
        text = retry = view_from(retry, 1);
    }
}
