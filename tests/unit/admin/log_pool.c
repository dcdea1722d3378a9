#include "admin/log_count.h"

#include "tap.h"

struct thing {
    struct log_link link;
    uint64_t value;
};

enum { MAX = 256 };

static struct log_pool pool;

static uint64_t oldest(void)
{
    const struct thing *t = log_pool_oldest(&pool);
    return t ? t->link.key : UINT64_MAX;
}

static void add(uint64_t key)
{
    struct thing *t = log_pool_add(&pool, key);
    t->value = key * 3;
}

static bool holds(uint64_t key)
{
    const struct thing *t = log_pool_find(&pool, key);
    return t && t->value == key * 3;
}

int main(void)
{
    log_pool_open(&pool, MAX, sizeof(struct thing));
    ok(!log_pool_find(&pool, 7), "empty", NULL);
    ok(!log_pool_oldest(&pool), "empty", "oldest");
    for (uint64_t key = 0; key < MAX; key++)
        add(key << 32 | key);
    ok(log_pool_full(&pool), "full", NULL);
    bool all = true;
    for (uint64_t key = 0; key < MAX; key++)
        all = all && holds(key << 32 | key);
    ok(all, "all are there", NULL);
    ok(!holds(5), "another is not", NULL);

    same_number(oldest(), 0, "the oldest");
    log_pool_touch(&pool, log_pool_oldest(&pool));
    same_number(oldest(), UINT64_C(1) << 32 | 1, "the oldest, touched");
    log_pool_touch(&pool, log_pool_find(&pool, 0));
    same_number(oldest(), UINT64_C(1) << 32 | 1, "the newest, touched");
    log_pool_remove(&pool, log_pool_find(&pool, UINT64_C(1) << 32 | 1));
    ok(!log_pool_full(&pool) && !holds(UINT64_C(1) << 32 | 1), "removed", NULL);
    add(UINT64_MAX);
    ok(holds(UINT64_MAX) && log_pool_full(&pool), "in its place", NULL);

    size_t count = 0;
    uint64_t last = 0;
    for (const struct thing *t = log_pool_oldest(&pool); t;
         t = log_pool_newer(&pool, t)) {
        count++;
        last = t->link.key;
    }
    same_number(count, MAX, "in order, all");
    same_number(last, UINT64_MAX, "in order, the newest last");
    log_pool_clear(&pool);
    ok(!log_pool_oldest(&pool) && pool.used == 0, "cleared", NULL);
    for (uint64_t key = 0; key < 10 * MAX; key++) {
        if (log_pool_full(&pool))
            log_pool_remove(&pool, log_pool_oldest(&pool));
        add(key);
    }
    same_number(oldest(), 9 * MAX, "the oldest go");
    same_number(pool.fresh, MAX, "and no more room is taken");
    log_pool_free(&pool);
    return tap_done();
}
