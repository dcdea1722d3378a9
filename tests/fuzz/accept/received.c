/* The Received field of anybody: strings of a client and of an environment, split at
 * NULs. It is two lines of bytes that cannot end or disguise a part of it. */
#include "accept/received.h"

#include "fuzz.h"

#include <string.h>

enum { STRINGS = 6, MAX_STRING = 256 };

static size_t count(struct view v, char byte)
{
    size_t n = 0;
    for (size_t i = 0; i < v.len; i++)
        n += v.data[i] == byte;
    return n;
}

static void look_at_field(struct view field, const struct received *r)
{
    struct view rest = field;

    MUST(view_starts(field, VIEW("Received: from ")) && view_ends(field, VIEW("\n")));
    MUST(count(field, '\n') == 2);
    view_cut(&rest, '\n');
    MUST(view_starts(rest, VIEW("  by ")));
    for (size_t i = 0; i < field.len; i++)
        MUST(field.data[i] == '\n' || (field.data[i] >= 32 && field.data[i] <= 126));
    MUST(count(field, ';') == 1);
    MUST(count(field, '(') == count(field, ')'));
    MUST(count(field, '(') <= 3);
    MUST(r->helo_given || count(field, '(') <= 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static char strings[STRINGS][MAX_STRING];
    struct bytes field = {0};

    if (len == 0)
        return 0;
    struct view rest = view_at((const char *)data + 1, len - 1);
    const char *given[STRINGS] = {NULL};
    for (size_t i = 0; i < STRINGS; i++) {
        struct view v = view_cut(&rest, '\0');
        v.len = v.len < MAX_STRING ? v.len : MAX_STRING - 1;
        if (v.len)
            memcpy(strings[i], v.data, v.len);
        strings[i][v.len] = '\0';
        if (data[0] & 1u << i)
            given[i] = strings[i];
    }
    struct received r = {.remote_host = given[0],
                         .remote_info = given[1],
                         .remote_ip = given[2],
                         .local = given[3],
                         .cipher = given[4],
                         .helo_given = given[5] != NULL,
                         .helo = view_of(strings[5]),
                         .tls = data[0] & 64,
                         .authenticated = data[0] & 128};
    received_add(&field, &r, 1600000000);
    look_at_field(bytes_view(&field), &r);
    bytes_free(&field);
    return 0;
}
