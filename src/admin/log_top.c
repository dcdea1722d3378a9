#include "admin/log_count.h"
#include "base/heap.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS_PER_ENTRY = 2 };

static size_t bucket_count(const struct log_top *top)
{
    return (size_t)top->max * BUCKETS_PER_ENTRY;
}

void log_top_open(struct log_top *top, uint32_t max, uint32_t name_max, bool fold)
{
    *top = (struct log_top){
        .max = max, .name_max = name_max, .fold = fold, .key = hash_key_random()};
    top->entries = heap_array(max, sizeof *top->entries);
    top->names = heap_array(max, name_max);
    top->links = heap_array(max, sizeof *top->links);
    top->buckets = heap_array(bucket_count(top), sizeof *top->buckets);
    top->heap = heap_array(max, sizeof *top->heap);
    for (size_t i = 0; i < bucket_count(top); i++)
        top->buckets[i] = LOG_NONE;
}

void log_top_free(struct log_top *top)
{
    heap_free(top->entries);
    heap_free(top->links);
    heap_free(top->names);
    heap_free(top->buckets);
    heap_free(top->heap);
    bytes_free(&top->name);
    *top = (struct log_top){0};
}

struct view log_top_name(const struct log_top *top, const struct log_top_entry *entry)
{
    size_t n = (size_t)(entry - top->entries);
    return view_at(top->names + n * top->name_max, entry->len);
}

static uint32_t *bucket_of(const struct log_top *top, uint64_t hash)
{
    return &top->buckets[hash & (bucket_count(top) - 1)];
}

static uint32_t find(const struct log_top *top, struct view name, uint64_t hash)
{
    uint32_t n = *bucket_of(top, hash);

    while (n != LOG_NONE && (top->links[n].hash != hash ||
                             !view_equal(log_top_name(top, &top->entries[n]), name)))
        n = top->links[n].next;
    return n;
}

static void put(struct log_top *top, uint32_t place, struct log_top_place what)
{
    top->heap[place] = what;
    top->links[what.entry].place = place;
}

/* What is at place counts more than before: it goes down until no child counts less. */
static void sink(struct log_top *top, uint32_t place)
{
    const struct log_top_place what = top->heap[place];

    for (;;) {
        uint32_t child = 2 * place + 1;
        if (child >= top->used)
            break;
        if (child + 1 < top->used &&
            top->heap[child + 1].count < top->heap[child].count)
            child++;
        if (top->heap[child].count >= what.count)
            break;
        put(top, place, top->heap[child]);
        place = child;
    }
    put(top, place, what);
}

/* A new entry counts 0, so it goes up past all that count more. */
static uint32_t take_fresh(struct log_top *top)
{
    uint32_t n = top->used++;
    uint32_t place = n;

    top->entries[n] = (struct log_top_entry){0};
    for (; place > 0 && top->heap[(place - 1) / 2].count > 0; place = (place - 1) / 2)
        put(top, place, top->heap[(place - 1) / 2]);
    put(top, place, (struct log_top_place){0, n});
    return n;
}

/* The rarest entry, whose name is forgotten. */
static uint32_t take_rarest(struct log_top *top)
{
    uint32_t n = top->heap[0].entry;
    struct log_top_entry *entry = &top->entries[n];
    uint32_t *link = bucket_of(top, top->links[n].hash);

    while (*link != n)
        link = &top->links[*link].next;
    *link = top->links[n].next;
    *entry = (struct log_top_entry){
        .count = entry->count, .error = entry->count, .turn = entry->turn + 1};
    top->evicted++;
    return n;
}

static uint32_t take_in(struct log_top *top, struct view name, uint64_t hash)
{
    uint32_t n = top->used < top->max ? take_fresh(top) : take_rarest(top);
    uint32_t *bucket = bucket_of(top, hash);

    top->entries[n].len = (uint32_t)name.len;
    if (name.len)
        memcpy(top->names + (size_t)n * top->name_max, name.data, name.len);
    top->links[n].hash = hash;
    top->links[n].next = *bucket;
    *bucket = n;
    return n;
}

uint32_t log_top_add(struct log_top *top, struct view name)
{
    if (name.len > top->name_max)
        name.len = top->name_max;
    if (top->fold) {
        bytes_set(&top->name, name);
        bytes_lower(&top->name);
        name = bytes_view(&top->name);
    }
    uint64_t hash = hash_of(top->key, name);
    uint32_t n = find(top, name, hash);
    if (n == LOG_NONE)
        n = take_in(top, name, hash);
    struct log_top_entry *entry = &top->entries[n];
    top->heap[top->links[n].place].count = ++entry->count;
    top->total++;
    sink(top, top->links[n].place);
    return n;
}

struct log_top_mark log_top_mark(const struct log_top *top, uint32_t entry)
{
    return (struct log_top_mark){entry, top->entries[entry].turn};
}

uint64_t *log_top_figures(struct log_top *top, struct log_top_mark mark)
{
    if (mark.entry >= top->used || top->entries[mark.entry].turn != mark.turn)
        return NULL;
    return top->entries[mark.entry].figures;
}

/* qsort() hands over no context. */
static const struct log_top *sorting;

static int compare(const void *a, const void *b)
{
    const struct log_top_entry *x = *(const struct log_top_entry *const *)a;
    const struct log_top_entry *y = *(const struct log_top_entry *const *)b;
    struct view left = log_top_name(sorting, x), right = log_top_name(sorting, y);

    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    size_t len = left.len < right.len ? left.len : right.len;
    int order = len ? memcmp(left.data, right.data, len) : 0;
    if (order)
        return order;
    return left.len < right.len ? -1 : left.len > right.len;
}

size_t log_top_sorted(const struct log_top *top, size_t max,
                      const struct log_top_entry ***sorted)
{
    *sorted = heap_array(top->used ? top->used : 1, sizeof(struct log_top_entry *));
    for (uint32_t i = 0; i < top->used; i++)
        (*sorted)[i] = &top->entries[i];
    sorting = top;
    qsort(*sorted, top->used, sizeof(struct log_top_entry *), compare);
    return top->used < max ? top->used : max;
}
