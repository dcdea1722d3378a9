/* log_count - counting a stream of any length in memory that is bounded.
 *
 * Delays go into a histogram, what happened when into a series of bins, names into a
 * table of the most frequent, and what is under way into a pool that gives up the
 * oldest. What each of them loses is bounded or counted, and said here. */
#ifndef ADMIN_LOG_COUNT_H
#define ADMIN_LOG_COUNT_H

#include "admin/log.h"
#include "base/hash.h"

/* -- histogram: log_histogram.c */

enum {
    LOG_STEP_BITS = 5, /* 32 steps to each doubling */
    LOG_STEPS = 1 << LOG_STEP_BITS,
    LOG_DOUBLINGS = 48, /* the last step is for all above 2^48 microseconds, 8 years */
    LOG_HISTOGRAM_ROOM = LOG_STEPS * (LOG_DOUBLINGS - LOG_STEP_BITS + 1)
};

/* Durations in microseconds by their logarithm. {0} is valid and empty. */
struct log_histogram {
    uint64_t count;
    double sum_us;
    int64_t least_us, most_us; /* these two are exact */
    uint64_t steps[LOG_HISTOGRAM_ROOM];
};

/* A value below 0 counts as 0. */
void log_histogram_add(struct log_histogram *h, int64_t us);

/* The value that so many of 1000 values do not exceed, within 1.6 % of the true one;
 * LOG_NO_TIME where there are no values. */
int64_t log_histogram_at(const struct log_histogram *h, unsigned of_1000);

/* The mean, or LOG_NO_TIME. */
int64_t log_histogram_mean(const struct log_histogram *h);

/* The least value that falls into step number step, which may be one too many. */
int64_t log_histogram_from(size_t step);

/* -- series: log_series.c */

enum { LOG_BINS = 512 };

struct log_bin {
    uint64_t messages, bytes;
    uint64_t results[LOG_RESULTS];
    uint64_t peak[LOG_CHANNELS];  /* most deliveries at a time */
    double held_us[LOG_CHANNELS]; /* deliveries under way times how long */
    double known_us;              /* how long that was known */
};

/* What happened in each of at most LOG_BINS spans of equal width, which doubles when
 * the time to be covered grows. {0} is valid and empty. */
struct log_series {
    int64_t width_us;
    int64_t first; /* bins[0] begins at first * width_us */
    size_t count;
    int64_t from_us, to_us; /* of the bin that was asked for last */
    size_t last;
    struct log_bin bins[LOG_BINS];
};

/* The bin that a time, which is known, falls into; good until the next call. */
struct log_bin *log_series_at(struct log_series *s, int64_t time_us);

/* So many deliveries were under way between the two times. */
void log_series_hold(struct log_series *s, int64_t from_us, int64_t to_us,
                     const uint64_t running[LOG_CHANNELS]);

/* Adds up bins. */
void log_bin_join(struct log_bin *to, const struct log_bin *more);

/* -- the most frequent: log_top.c */

/* The number of no entry. */
#define LOG_NONE UINT32_MAX

enum { LOG_FIGURES = 6 };

struct log_top_entry {
    uint64_t count;                /* at most this often ... */
    uint64_t error;                /* ... and at least this many less */
    uint64_t figures[LOG_FIGURES]; /* the caller's, since the name was taken in */
    uint32_t turn;                 /* how many names this entry has had */
    uint32_t len;                  /* of the name, which is cut to fit */
};

/* How an entry is found, apart from it, so that looking touches little memory: by its
 * hash, and as the rarest. */
struct log_top_link {
    uint64_t hash;
    uint32_t next;  /* with the same bucket */
    uint32_t place; /* in the heap */
};
struct log_top_place {
    uint64_t count;
    uint32_t entry;
};

/* Names and how often they came. While there are at most max of them all figures are
 * exact; from then on a new name takes the place of the rarest, with its count as error
 * (Metwally, Agrawal and El Abbadi, "Space-Saving", 2005): every name that makes up
 * more than 1/max of all is there, and no count is wrong by more than that. */
struct log_top {
    uint32_t max, used;
    uint32_t name_max;
    bool fold;        /* capital letters are taken for small ones */
    uint64_t total;   /* of all counts */
    uint64_t evicted; /* names that had to go */
    struct log_top_entry *entries;
    struct log_top_link *links;
    char *names;
    uint32_t *buckets;
    struct log_top_place *heap; /* the rarest first */
    struct hash_key key;
    struct bytes name; /* being looked for */
};

/* max is a power of two. */
void log_top_open(struct log_top *top, uint32_t max, uint32_t name_max, bool fold);
void log_top_free(struct log_top *top);

/* Counts a name once. The number of its entry. */
uint32_t log_top_add(struct log_top *top, struct view name);

/* An entry that is to be found again, though its name may be gone by then. */
struct log_top_mark {
    uint32_t entry, turn;
};
struct log_top_mark log_top_mark(const struct log_top *top, uint32_t entry);

/* The figures of a mark's entry; NULL if that has another name now, or for the mark of
 * LOG_NONE. */
uint64_t *log_top_figures(struct log_top *top, struct log_top_mark mark);

struct view log_top_name(const struct log_top *top, const struct log_top_entry *entry);

/* The most frequent entries, at most max, the first the most frequent, those with equal
 * counts by name: their number. Their memory is for heap_free(). */
size_t log_top_sorted(const struct log_top *top, size_t max,
                      const struct log_top_entry ***sorted);

/* -- what is under way: log_pool.c */

/* The first member of what is in a pool. */
struct log_link {
    uint64_t key;
    uint32_t newer, older, next;
    bool used;
};

/* Things found by number, and in the order in which they were last touched. */
struct log_pool {
    size_t each;
    uint32_t max, room, fresh, used; /* fresh: entries never used begin there */
    uint32_t newest, oldest, free;
    uint32_t *buckets; /* twice as many as room */
    char *entries;
    uint64_t seed;
};

/* For at most max things, a power of two, of each bytes that begin with a struct
 * log_link. */
void log_pool_open(struct log_pool *pool, uint32_t max, size_t each);
void log_pool_free(struct log_pool *pool);

/* The thing of that number, or NULL. Things move when one is added. */
void *log_pool_find(struct log_pool *pool, uint64_t key);

/* Adds one that is not there, all zero behind its link. The pool is not full. */
void *log_pool_add(struct log_pool *pool, uint64_t key);

bool log_pool_full(const struct log_pool *pool);

/* Makes it the newest. */
void log_pool_touch(struct log_pool *pool, void *thing);

void log_pool_remove(struct log_pool *pool, void *thing);
void log_pool_clear(struct log_pool *pool);

/* The oldest thing, and the next newer one, or NULL. */
void *log_pool_oldest(struct log_pool *pool);
void *log_pool_newer(struct log_pool *pool, const void *thing);

#endif
