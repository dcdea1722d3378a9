#include "base/heap.h"
#include "base/number.h"
#include "queue/send.h"

#include <string.h>

/* The square root of a message's age grows by this from one attempt to the next. */
static const uint64_t steps[CHANNELS] = {[CHANNEL_LOCAL] = 10, [CHANNEL_REMOTE] = 20};

static bool is_before(const struct schedule_entry *a, const struct schedule_entry *b)
{
    return a->due != b->due ? a->due < b->due : a->order < b->order;
}

/* The index, a hash table without chains: an entry is in the slot that its message
 * asks for or, where others were first, in one of those behind it. */

static size_t wanted_slot(const struct schedule *s, ino_t message)
{
    uint64_t mixed = (uint64_t)message * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(mixed >> 32 ^ mixed) & (s->places_room - 1);
}

static size_t next_slot(const struct schedule *s, size_t slot)
{
    return (slot + 1) & (s->places_room - 1);
}

static void index_entry(struct schedule *s, size_t at)
{
    size_t slot = wanted_slot(s, s->entries[at].message);
    while (s->places[slot])
        slot = next_slot(s, slot);
    s->places[slot] = at + 1;
    s->entries[at].slot = slot;
}

/* At least twice as many slots as entries. */
static void index_all(struct schedule *s)
{
    size_t room = 64;
    while (room / 2 <= s->room)
        room *= 2;
    heap_free(s->places);
    s->places = heap_array(room, sizeof *s->places);
    s->places_room = room;
    memset(s->places, 0, room * sizeof *s->places);
    for (size_t at = 0; at < s->count; at++)
        index_entry(s, at);
}

/* Whether an entry that wants slot may move up to the empty slot hole, which is before
 * where it is now: nobody would find it if it wanted one behind the hole. */
static bool may_fill(const struct schedule *s, size_t hole, size_t now, size_t slot)
{
    size_t mask = s->places_room - 1;
    return ((now - slot) & mask) >= ((now - hole) & mask);
}

static void unindex_entry(struct schedule *s, size_t at)
{
    size_t hole = s->entries[at].slot;
    for (size_t now = next_slot(s, hole); s->places[now]; now = next_slot(s, now)) {
        struct schedule_entry *e = &s->entries[s->places[now] - 1];
        if (!may_fill(s, hole, now, wanted_slot(s, e->message)))
            continue;
        s->places[hole] = s->places[now];
        e->slot = hole;
        hole = now;
    }
    s->places[hole] = 0;
}

/* The heap */

static void put(struct schedule *s, size_t at, struct schedule_entry e)
{
    s->entries[at] = e;
    if (s->places)
        s->places[e.slot] = at + 1;
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
        put(s, at, s->entries[child]);
        at = child;
    }
    put(s, at, e);
}

/* The same upwards. */
static void rise(struct schedule *s, size_t at, struct schedule_entry e)
{
    for (size_t parent; at > 0 && is_before(&e, &s->entries[parent = (at - 1) / 2]);
         at = parent)
        put(s, at, s->entries[parent]);
    put(s, at, e);
}

void schedule_add(struct schedule *s, ino_t message, int64_t due)
{
    if (s->count == s->room) {
        s->room = s->room ? s->room + s->room / 2 : 64;
        s->entries = heap_resize(s->entries, s->room, sizeof *s->entries);
        if (s->places)
            index_all(s);
    }
    size_t at = s->count++;
    s->entries[at] =
        (struct schedule_entry){.due = due, .order = s->added++, .message = message};
    if (s->places)
        index_entry(s, at);
    rise(s, at, s->entries[at]);
}

const struct schedule_entry *schedule_first(const struct schedule *s)
{
    return &s->entries[0];
}

static void take_out(struct schedule *s, size_t at)
{
    if (s->places)
        unindex_entry(s, at);
    struct schedule_entry last = s->entries[--s->count];
    if (at == s->count)
        return;
    if (at > 0 && is_before(&last, &s->entries[(at - 1) / 2]))
        rise(s, at, last);
    else
        sink(s, at, last);
}

void schedule_drop_first(struct schedule *s)
{
    take_out(s, 0);
}

const struct schedule_entry *schedule_find(struct schedule *s, ino_t message)
{
    if (s->count == 0)
        return NULL;
    if (!s->places)
        index_all(s);
    for (size_t slot = wanted_slot(s, message); s->places[slot];
         slot = next_slot(s, slot)) {
        const struct schedule_entry *e = &s->entries[s->places[slot] - 1];
        if (e->message == message)
            return e;
    }
    return NULL;
}

bool schedule_forget(struct schedule *s, ino_t message)
{
    const struct schedule_entry *e;
    bool found = false;
    for (; (e = schedule_find(s, message)); found = true)
        take_out(s, (size_t)(e - s->entries));
    return found;
}

static void order_all(struct schedule *s)
{
    for (size_t i = s->count / 2; i > 0; i--)
        sink(s, i - 1, s->entries[i - 1]);
}

void schedule_all_due(struct schedule *s, int64_t now)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->entries[i].due > now)
            s->entries[i].due = now;
    order_all(s);
}

void schedule_earlier(struct schedule *s, int64_t seconds, int64_t now)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->entries[i].due > now)
            s->entries[i].due -= seconds;
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
