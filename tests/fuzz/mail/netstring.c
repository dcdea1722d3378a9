/* Any bytes as the number of a netstring: cut anywhere it must mean the same, and no
 * more may be used than the number. */
#include "mail/netstring.h"

#include "fuzz.h"

#include <stdlib.h>

struct outcome {
    enum netstring_result result;
    uint64_t len;
    size_t used;
};

static struct outcome read_cut(struct view all, size_t cut)
{
    struct view blocks[] = {view_before(all, cut), view_from(all, cut)};
    struct outcome o = {.result = NETSTRING_MORE};

    for (size_t i = 0; i < COUNT(blocks) && o.result == NETSTRING_MORE; i++) {
        size_t before = blocks[i].len;
        o.result = netstring_length(&blocks[i], &o.len);
        o.used += before - blocks[i].len;
    }
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view all = view_at((const char *)data, len);
    struct outcome whole = read_cut(all, 0);

    for (size_t i = 0; i + 1 < whole.used; i++)
        if (!byte_is_digit(all.data[i]))
            abort();
    if (whole.len > (uint64_t)NETSTRING_MAX * 10 + 9)
        abort();
    if (whole.result == NETSTRING_LENGTH && all.data[whole.used - 1] != ':')
        abort();
    if (whole.result == NETSTRING_MORE && whole.used != len)
        abort();
    for (size_t cut = 0; cut <= len && cut < 64; cut++) {
        struct outcome o = read_cut(all, cut);
        if (o.result != whole.result || o.len != whole.len || o.used != whole.used)
            abort();
    }
    return 0;
}
