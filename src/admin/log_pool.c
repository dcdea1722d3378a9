#include "admin/log_count.h"
#include "base/heap.h"
#include "base/os.h"

#include <string.h>

enum { FIRST_ROOM = 64 };

static struct log_link *at(const struct log_pool *pool, uint32_t n)
{
    void *entry = pool->entries + pool->each * n;
    return entry;
}

static uint32_t number_of(const struct log_pool *pool, const void *thing)
{
    return (uint32_t)((size_t)((const char *)thing - pool->entries) / pool->each);
}

static uint32_t *bucket_of(const struct log_pool *pool, uint64_t key)
{
    uint64_t mixed = (key ^ pool->seed) * 0x9e3779b97f4a7c15u;
    return &pool->buckets[(mixed >> 32) & (2 * (uint64_t)pool->room - 1)];
}

void log_pool_open(struct log_pool *pool, uint32_t max, size_t each)
{
    *pool = (struct log_pool){.each = each,
                              .max = max,
                              .newest = LOG_NONE,
                              .oldest = LOG_NONE,
                              .free = LOG_NONE};
    os_random(&pool->seed, sizeof pool->seed);
}

void log_pool_free(struct log_pool *pool)
{
    heap_free(pool->entries);
    heap_free(pool->buckets);
    *pool = (struct log_pool){0};
}

static void file(struct log_pool *pool, uint32_t n)
{
    struct log_link *link = at(pool, n);
    uint32_t *bucket = bucket_of(pool, link->key);
    link->next = *bucket;
    *bucket = n;
}

static void grow(struct log_pool *pool)
{
    pool->room = pool->room ? 2 * pool->room : FIRST_ROOM;
    if (pool->room > pool->max)
        pool->room = pool->max;
    size_t buckets = 2 * (size_t)pool->room;
    pool->entries = heap_resize(pool->entries, pool->room, pool->each);
    heap_free(pool->buckets);
    pool->buckets = heap_array(buckets, sizeof *pool->buckets);
    for (size_t i = 0; i < buckets; i++)
        pool->buckets[i] = LOG_NONE;
    for (uint32_t n = 0; n < pool->fresh; n++)
        if (at(pool, n)->used)
            file(pool, n);
}

void *log_pool_find(struct log_pool *pool, uint64_t key)
{
    if (pool->used == 0)
        return NULL;
    for (uint32_t n = *bucket_of(pool, key); n != LOG_NONE; n = at(pool, n)->next)
        if (at(pool, n)->key == key)
            return at(pool, n);
    return NULL;
}

bool log_pool_full(const struct log_pool *pool)
{
    return pool->used == pool->max;
}

static void join_newest(struct log_pool *pool, uint32_t n)
{
    struct log_link *link = at(pool, n);

    link->newer = LOG_NONE;
    link->older = pool->newest;
    if (pool->newest != LOG_NONE)
        at(pool, pool->newest)->newer = n;
    else
        pool->oldest = n;
    pool->newest = n;
}

static void leave_order(struct log_pool *pool, const struct log_link *link)
{
    if (link->newer != LOG_NONE)
        at(pool, link->newer)->older = link->older;
    else
        pool->newest = link->older;
    if (link->older != LOG_NONE)
        at(pool, link->older)->newer = link->newer;
    else
        pool->oldest = link->newer;
}

void *log_pool_add(struct log_pool *pool, uint64_t key)
{
    uint32_t n = pool->free;

    if (n != LOG_NONE)
        pool->free = at(pool, n)->next;
    else {
        if (pool->fresh == pool->room)
            grow(pool);
        n = pool->fresh++;
    }
    struct log_link *link = at(pool, n);
    memset(link, 0, pool->each);
    link->key = key;
    link->used = true;
    file(pool, n);
    join_newest(pool, n);
    pool->used++;
    return link;
}

void log_pool_touch(struct log_pool *pool, void *thing)
{
    uint32_t n = number_of(pool, thing);

    if (pool->newest == n)
        return;
    leave_order(pool, thing);
    join_newest(pool, n);
}

void log_pool_remove(struct log_pool *pool, void *thing)
{
    struct log_link *link = thing;
    uint32_t n = number_of(pool, thing);
    uint32_t *place = bucket_of(pool, link->key);

    while (*place != n)
        place = &at(pool, *place)->next;
    *place = link->next;
    leave_order(pool, link);
    link->used = false;
    link->next = pool->free;
    pool->free = n;
    pool->used--;
}

void log_pool_clear(struct log_pool *pool)
{
    for (void *thing; (thing = log_pool_oldest(pool));)
        log_pool_remove(pool, thing);
}

void *log_pool_oldest(struct log_pool *pool)
{
    return pool->oldest == LOG_NONE ? NULL : at(pool, pool->oldest);
}

void *log_pool_newer(struct log_pool *pool, const void *thing)
{
    const struct log_link *link = thing;
    return link->newer == LOG_NONE ? NULL : at(pool, link->newer);
}
