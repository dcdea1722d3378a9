#include "base/heap.h"
#include "base/number.h"
#include "queue/send.h"

/* The square root of a message's age grows by this from one attempt to the next. */
static const uint64_t steps[CHANNELS] = {[CHANNEL_LOCAL] = 10, [CHANNEL_REMOTE] = 20};

static bool is_before(const struct schedule_entry *a, const struct schedule_entry *b)
{
    return a->due != b->due ? a->due < b->due : a->order < b->order;
}

/* Puts e where it belongs, from place at downwards. */
static void sink(struct schedule *s, size_t at, struct schedule_entry e)
{
    for (;;) {
        size_t child = at * 2 + 1;
        if (child >= s->count)
            break;
        if (child + 1 < s->count &&
            is_before(&s->entries[child + 1], &s->entries[child]))
            child++;
        if (!is_before(&s->entries[child], &e))
            break;
        s->entries[at] = s->entries[child];
        at = child;
    }
    s->entries[at] = e;
}

void schedule_add(struct schedule *s, ino_t message, int64_t due)
{
    if (s->count == s->room) {
        s->room = s->room ? s->room + s->room / 2 : 64;
        s->entries = heap_resize(s->entries, s->room, sizeof *s->entries);
    }
    struct schedule_entry e = {.due = due, .order = s->added++, .message = message};
    size_t at = s->count++;
    for (size_t parent; at > 0 && is_before(&e, &s->entries[parent = (at - 1) / 2]);
         at = parent)
        s->entries[at] = s->entries[parent];
    s->entries[at] = e;
}

const struct schedule_entry *schedule_first(const struct schedule *s)
{
    return &s->entries[0];
}

void schedule_drop_first(struct schedule *s)
{
    struct schedule_entry last = s->entries[--s->count];
    if (s->count)
        sink(s, 0, last);
}

static void order_all(struct schedule *s)
{
    for (size_t i = s->count / 2; i > 0; i--)
        sink(s, i - 1, s->entries[i - 1]);
}

void schedule_forget(struct schedule *s, ino_t message)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->count; i++)
        if (s->entries[i].message != message)
            s->entries[kept++] = s->entries[i];
    s->count = kept;
    order_all(s);
}

void schedule_all_due(struct schedule *s, int64_t now)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->entries[i].due > now)
            s->entries[i].due = now;
    order_all(s);
}

uint64_t schedule_age(int64_t birth, int64_t now)
{
    return now > birth ? (uint64_t)now - (uint64_t)birth : 0;
}

int64_t schedule_next(enum channel c, int64_t birth, int64_t now)
{
    /* unsigned, because a file's time may be anything: the difference of two
     * times and the distance to the last one always fit */
    uint64_t root = number_root(schedule_age(birth, now)) + steps[c];
    uint64_t square = number_product(root, root);
    uint64_t most = (uint64_t)INT64_MAX - (uint64_t)birth;
    return square < most ? (int64_t)((uint64_t)birth + square) : INT64_MAX;
}
