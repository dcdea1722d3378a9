/* nested - netstrings in netstrings, read byte by byte as the protocols' texts say:
 * what the models of QMTP and QMQP have in common. */
#ifndef TESTS_FUZZ_NESTED_H
#define TESTS_FUZZ_NESTED_H

#include "fuzz.h"

#include "base/bytes.h"
#include "mail/netstring.h"

struct nested {
    struct view in;
    bool inside;   /* a netstring, of which... */
    uint64_t left; /* ...so much is to come */
    int exit_code; /* why no more could be read */
};

enum { NESTED_GONE = 0, NESTED_BROKEN = 100, NESTED_TOO_MUCH = 111 };

static inline bool nested_stop(struct nested *n, int exit_code)
{
    n->exit_code = exit_code;
    return false;
}

static inline bool nested_byte(struct nested *n, char *c)
{
    if (n->inside && n->left == 0)
        return nested_stop(n, NESTED_BROKEN);
    if (n->in.len == 0)
        return nested_stop(n, NESTED_GONE);
    *c = n->in.data[0];
    n->in = view_from(n->in, 1);
    n->left -= n->inside;
    return true;
}

/* The digits and the colon. */
static inline bool nested_digits(struct nested *n, uint64_t *len)
{
    char c;
    for (*len = 0;;) {
        if (!nested_byte(n, &c))
            return false;
        if (c == ':')
            return true;
        if (*len > NETSTRING_MAX)
            return nested_stop(n, NESTED_TOO_MUCH);
        if (!byte_is_digit(c))
            return nested_stop(n, NESTED_BROKEN);
        *len = *len * 10 + (uint64_t)(c - '0');
    }
}

/* The same, and what they announce has a place inside. */
static inline bool nested_number(struct nested *n, uint64_t *len)
{
    if (!nested_digits(n, len))
        return false;
    return !n->inside || *len < n->left || nested_stop(n, NESTED_BROKEN);
}

/* So many bytes and the comma; string is replaced. */
static inline bool nested_rest(struct nested *n, uint64_t len, struct bytes *string)
{
    char c;
    for (bytes_clear(string); len; len--) {
        if (!nested_byte(n, &c))
            return false;
        bytes_add_byte(string, c);
    }
    return nested_byte(n, &c) && (c == ',' || nested_stop(n, NESTED_BROKEN));
}

static inline bool nested_string(struct nested *n, struct bytes *string)
{
    uint64_t len;
    return nested_number(n, &len) && nested_rest(n, len, string);
}

static inline bool nested_enter(struct nested *n)
{
    uint64_t len;
    if (!nested_number(n, &len))
        return false;
    n->inside = true;
    n->left = len;
    return true;
}

static inline bool nested_leave(struct nested *n)
{
    struct bytes nothing = {0};
    if (n->left)
        return nested_stop(n, NESTED_BROKEN);
    n->inside = false;
    return nested_rest(n, 0, &nothing);
}

/* A reply from the front of *out: a netstring that begins with a letter of the
 * protocol and holds text that is safe to show. The letter. */
static inline char nested_reply(struct view *out)
{
    uint64_t len = 0;
    MUST(netstring_length(out, &len) == NETSTRING_LENGTH);
    MUST(len > 1 && len < out->len && out->data[len] == ',');
    for (size_t i = 0; i < len; i++)
        MUST(out->data[i] >= 32 && out->data[i] <= 126);
    char letter = out->data[0];
    MUST(letter == 'K' || letter == 'Z' || letter == 'D');
    *out = view_from(*out, (size_t)len + 1);
    return letter;
}

#endif
