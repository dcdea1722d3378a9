#include "base/table.h"
#include "deliver/spawn.h"
#include "mail/address.h"

#include <string.h>

static struct view host_of(const struct spawn_delivery *d)
{
    struct view local, host;
    address_split(d->recipient, &local, &host);
    return host;
}

/* Whoever chooses hosts so that they share a chain gets no more than a chain of one
 * reading from the pipe. */
static struct spawn_delivery **chain_of(struct spawn_gathering *g, struct view host)
{
    return &g->alike[table_hash(host) % COUNT(g->alike)];
}

static bool is_room(const struct spawn_delivery *first, const struct spawn_delivery *d,
                    uint64_t most)
{
    return first->others_count + 1 < most &&
           first->together_len + d->strings.len <= SPAWN_MAX_TOGETHER;
}

static bool is_alike(const struct spawn_delivery *a, const struct spawn_delivery *b)
{
    return view_equal(a->message, b->message) && view_equal(a->sender, b->sender) &&
           view_equal_case(host_of(a), host_of(b));
}

static void join(struct spawn_delivery *first, struct spawn_delivery *d)
{
    first->last->others = d;
    first->last = d;
    first->others_count++;
    first->together_len += d->strings.len;
}

void spawn_gather(struct spawn_gathering *g, struct spawn_delivery *d, uint64_t most)
{
    struct spawn_delivery **chain = chain_of(g, host_of(d));

    for (struct spawn_delivery *first = *chain; first; first = first->next) {
        if (is_room(first, d, most) && is_alike(first, d)) {
            join(first, d);
            return;
        }
    }
    d->last = d;
    d->together_len = d->strings.len;
    d->next = *chain;
    *chain = d;
    if (g->last)
        g->last->later = d;
    else
        g->first = d;
    g->last = d;
}

struct spawn_delivery *spawn_gathered(struct spawn_gathering *g)
{
    struct spawn_delivery *first = g->first;
    if (first)
        memset(g, 0, sizeof *g);
    return first;
}
