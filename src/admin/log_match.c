#include "admin/log.h"

/* c as qmail-send writes it to the log. */
static char logged(char c)
{
    if (c == '\n')
        return '/';
    if (c < 33 || c > 126 || c == '%')
        return '_';
    return byte_lower(c);
}

bool log_match(struct view pattern, struct view v)
{
    size_t p = 0, i = 0;
    size_t star = pattern.len, resume = 0; /* the last '*', and what it has eaten */

    while (i < v.len) {
        if (p < pattern.len && pattern.data[p] == '*') {
            star = p++;
            resume = i;
        } else if (p < pattern.len && (pattern.data[p] == '?' ||
                                       logged(pattern.data[p]) == logged(v.data[i]))) {
            p++;
            i++;
        } else if (star < pattern.len) {
            p = star + 1;
            i = ++resume;
        } else
            return false;
    }
    while (p < pattern.len && pattern.data[p] == '*')
        p++;
    return p == pattern.len;
}
