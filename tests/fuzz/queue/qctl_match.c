/* A pattern and a text: the answer is that of a search that tries everything. */
#include "queue/qctl.h"

#include "fuzz.h"
#include "must.h"

#include <string.h>

enum { MAX_LEN = 64 };

/* Where the set that begins at p (behind its '[') ends, or 0; whether c is in it. */
static size_t read_set(struct view p, unsigned char c, bool *in)
{
    size_t i = 0;
    bool negative = p.len && p.data[0] == '!';

    *in = negative;
    if (negative)
        i++;
    for (bool first = true; i < p.len; first = false) {
        if (p.data[i] == ']' && !first)
            return i + 1;
        bool range = i + 2 < p.len && p.data[i + 1] == '-' && p.data[i + 2] != ']';
        unsigned char low = (unsigned char)byte_lower(p.data[i]);
        unsigned char high = range ? (unsigned char)byte_lower(p.data[i + 2]) : low;
        if (c >= low && c <= high)
            *in = !negative;
        i += range ? 3 : 1;
    }
    return 0;
}

/* How much of p one byte of text takes, 0 where it does not match. */
static size_t one(struct view p, char text)
{
    char c = byte_lower(text);
    bool in;
    if (p.data[0] == '?')
        return 1;
    if (p.data[0] == '[') {
        size_t len = read_set(view_from(p, 1), (unsigned char)c, &in);
        if (len)
            return in ? len + 1 : 0;
    }
    if (p.data[0] == '\\' && p.len > 1)
        return byte_lower(p.data[1]) == c ? 2 : 0;
    return byte_lower(p.data[0]) == c;
}

/* Row by row: from[i] says whether what is left of the pattern matches text from i. */
static bool match(struct view pattern, struct view text)
{
    static signed char known[MAX_LEN + 1][MAX_LEN + 1];
    memset(known, -1, sizeof known);
    for (size_t p = pattern.len + 1; p-- > 0;)
        for (size_t t = text.len + 1; t-- > 0;) {
            struct view left = view_from(pattern, p);
            bool result = false;
            if (p == pattern.len)
                result = t == text.len;
            else if (left.data[0] == '*')
                result = known[p + 1][t] || (t < text.len && known[p][t + 1]);
            else if (t < text.len) {
                size_t len = one(left, text.data[t]);
                result = len && known[p + len][t + 1];
            }
            known[p][t] = result;
        }
    return known[0][0];
}

/* The first line is the pattern. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view text = input_of(data, len), pattern = view_cut(&text, '\n');
    bool result = qctl_match(pattern, text);
    if (pattern.len <= MAX_LEN && text.len <= MAX_LEN)
        must(result == match(pattern, text));
    return 0;
}
