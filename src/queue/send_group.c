#include "base/heap.h"
#include "base/table.h"
#include "mail/address.h"
#include "queue/send.h"

#include <stdlib.h>

/* A list of which the recipients at one host stand together, in the order in which
 * hosts and recipients came. */

enum {
    RECIPIENTS_MAX = 100000, /* that are put in order at a time */
    BYTES_MAX = 4 << 20,
    SMALLEST = 64
};

struct recipient {
    size_t at, len;  /* in the addresses */
    uint32_t host;   /* hash: hosts that share it stand together, which harms nobody */
    uint32_t number; /* who came first */
    uint32_t first;  /* number of the first at that host */
};

static struct {
    struct bytes addresses;
    struct recipient *recipients;
    size_t count, room;
} state;

bool group_add(struct view address)
{
    struct view local, host;
    (void)address_split(address, &local, &host);
    if (state.count == state.room) {
        state.room = state.room ? state.room * 2 : SMALLEST;
        state.recipients =
            heap_resize(state.recipients, state.room, sizeof *state.recipients);
    }
    state.recipients[state.count] = (struct recipient){
        .at = state.addresses.len,
        .len = address.len,
        .host = table_hash(host),
        .number = (uint32_t)state.count,
    };
    state.count++;
    bytes_add(&state.addresses, address);
    return state.count < RECIPIENTS_MAX && state.addresses.len < BYTES_MAX;
}

static int order(uint32_t a, uint32_t b, uint32_t number_a, uint32_t number_b)
{
    if (a != b)
        return a < b ? -1 : 1;
    return number_a < number_b ? -1 : 1;
}

static int by_host(const void *left, const void *right)
{
    const struct recipient *a = left, *b = right;
    return order(a->host, b->host, a->number, b->number);
}

static int by_first(const void *left, const void *right)
{
    const struct recipient *a = left, *b = right;
    return order(a->first, b->first, a->number, b->number);
}

void group_take(void (*take)(struct view address))
{
    struct recipient *r = state.recipients;
    if (state.count > 1)
        qsort(r, state.count, sizeof *r, by_host);
    for (size_t i = 0; i < state.count; i++)
        r[i].first = i && r[i].host == r[i - 1].host ? r[i - 1].first : r[i].number;
    if (state.count > 1)
        qsort(r, state.count, sizeof *r, by_first);
    for (size_t i = 0; i < state.count; i++)
        take(view_at(state.addresses.data + r[i].at, r[i].len));
    group_clear();
}

void group_clear(void)
{
    state.count = 0;
    bytes_clear(&state.addresses);
    if (state.room <= SMALLEST)
        return;
    heap_free(state.recipients); /* the next list may be short */
    state.recipients = NULL;
    state.room = 0;
    bytes_free(&state.addresses);
}
