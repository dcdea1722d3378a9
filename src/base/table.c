#include "base/table.h"

#include "base/heap.h"

#include <string.h>

enum { SMALLEST_TABLE = 16 };

/* FNV-1a over the lower-case bytes. The keys are the admin's, not a stranger's,
 * so nobody can choose them to collide. */
uint32_t table_hash(struct view key)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < key.len; i++)
        h = (h ^ (unsigned char)byte_lower(key.data[i])) * 16777619u;
    return h;
}

/* The entry of that key, or the free one where it belongs. room is a power of
 * two and never full. */
static struct table_entry *place(const struct table *t, struct view key, uint32_t hash)
{
    for (size_t i = hash & (t->room - 1);; i = (i + 1) & (t->room - 1)) {
        struct table_entry *e = &t->entries[i];
        if (!e->used || (e->hash == hash && view_equal_case(e->key, key)))
            return e;
    }
}

static void grow(struct table *t)
{
    struct table bigger = {.room = t->room ? t->room * 2 : SMALLEST_TABLE};
    bigger.entries = heap_array(bigger.room, sizeof *bigger.entries);
    memset(bigger.entries, 0, bigger.room * sizeof *bigger.entries);
    for (size_t i = 0; i < t->room; i++)
        if (t->entries[i].used)
            *place(&bigger, t->entries[i].key, t->entries[i].hash) = t->entries[i];
    bigger.count = t->count;
    heap_free(t->entries);
    *t = bigger;
}

void table_add(struct table *t, struct view key, struct view value)
{
    if (t->count * 2 >= t->room)
        grow(t);
    uint32_t hash = table_hash(key);
    struct table_entry *e = place(t, key, hash);
    if (!e->used)
        t->count++;
    *e = (struct table_entry){.key = key, .value = value, .hash = hash, .used = true};
}

bool table_find(const struct table *t, struct view key, struct view *value)
{
    if (!t->room)
        return false;
    const struct table_entry *e = place(t, key, table_hash(key));
    if (e->used && value)
        *value = e->value;
    return e->used;
}

void table_free(struct table *t)
{
    heap_free(t->entries);
    *t = (struct table){0};
}
