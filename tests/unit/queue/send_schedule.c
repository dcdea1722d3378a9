#include "queue/send.h"

#include "base/heap.h"
#include "base/number.h"

#include "tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { LIFETIME_S = 604800 };

/* The due times of the first attempts, in seconds after birth, for attempts in time. */
static const int64_t local_times[] = {0,    100,  400,  900,  1600, 2500,
                                      3600, 4900, 6400, 8100, 10000};
static const int64_t remote_times[] = {0,     400,   1600,  3600,  6400, 10000,
                                       14400, 19600, 25600, 32400, 40000};

static void attempts(enum channel c, const int64_t *times, unsigned count)
{
    static const int64_t births[] = {0, 1, 1700000000, -5000, INT64_C(1) << 40};
    for (size_t b = 0; b < COUNT(births); b++) {
        int64_t now = births[b], last = now;
        unsigned n = 0;
        bool fine = true;
        for (;; n++) {
            if (n < 11)
                fine &= now - births[b] == times[n];
            last = now;
            if (schedule_age(births[b], now) > LIFETIME_S) {
                n++;
                break;
            }
            now = schedule_next(c, births[b], now);
        }
        ok(fine, channel_name(c), "first attempts");
        same_number(n, count, "attempts in a lifetime");
        same_number((uint64_t)(last - births[b]), 608400, "the last one");
    }
}

/* Attempts that are late, clocks that were set, and times that no clock shows. */
static const struct {
    const char *name;
    int64_t birth, now, local, remote;
} cases[] = {
    {"one second late", 1000, 1101, 1000 + 400, 1000 + 900},
    {"just before a square", 0, 99, 361, 841},
    {"clock set back", 1000, 10, 1100, 1400},
    {"clock set back before 1970", 1000, -1000000, 1100, 1400},
    {"born before 1970", -100, 0, 300, 800},
    {"as old as can be", INT64_MIN, INT64_MAX, INT64_MAX, INT64_MAX},
    {"born at the end of time", INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX},
    {"nearly", INT64_MAX - 100, 0, INT64_MAX, INT64_MAX},
    {"not quite", INT64_MAX - 101, 0, INT64_MAX - 1, INT64_MAX},
    {"born at its beginning", INT64_MIN, INT64_MIN, INT64_MIN + 100, INT64_MIN + 400},
};

static void oddities(void)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t birth = cases[i].birth, now = cases[i].now;
        ok(schedule_next(CHANNEL_LOCAL, birth, now) == cases[i].local, cases[i].name,
           "local");
        ok(schedule_next(CHANNEL_REMOTE, birth, now) == cases[i].remote, cases[i].name,
           "remote");
    }
    same_number(schedule_age(INT64_MIN, INT64_MAX), UINT64_MAX, "the greatest age");
    same_number(schedule_age(5, 4), 0, "not born yet");
}

/* The schedule against a list that is searched: the same order, whatever happens. */
struct model {
    struct schedule_entry entries[400];
    size_t count;
    uint64_t added;
};

static size_t model_first(const struct model *m)
{
    size_t first = 0;
    for (size_t i = 1; i < m->count; i++) {
        const struct schedule_entry *e = &m->entries[i], *f = &m->entries[first];
        if (e->due < f->due || (e->due == f->due && e->order < f->order))
            first = i;
    }
    return first;
}

static void model_drop(struct model *m, size_t i)
{
    m->entries[i] = m->entries[--m->count];
}

static int64_t random_due(void)
{
    static const int64_t odd[] = {INT64_MIN, INT64_MAX, 0, -1};
    return rand() % 20 == 0 ? odd[rand() % 4] : rand() % 30;
}

static bool history(unsigned steps)
{
    static struct model m;
    struct schedule s = {0};
    bool fine = true;

    m.count = 0;
    m.added = 0;
    for (unsigned step = 0; step < steps && fine; step++) {
        int what = rand() % 100;
        if (what < 52 && m.count < COUNT(m.entries)) {
            struct schedule_entry e = {.due = random_due(),
                                       .order = m.added++,
                                       .message = (ino_t)(rand() % 50)};
            schedule_add(&s, e.message, e.due);
            m.entries[m.count++] = e;
        } else if (what < 96 && m.count) {
            size_t first = model_first(&m);
            fine = schedule_first(&s)->message == m.entries[first].message &&
                   schedule_first(&s)->due == m.entries[first].due;
            schedule_drop_first(&s);
            model_drop(&m, first);
        } else if (what < 97) {
            ino_t message = (ino_t)(rand() % 50);
            const struct schedule_entry *e = schedule_find(&s, message);
            size_t same = 0;
            for (size_t i = 0; i < m.count; i++)
                same += m.entries[i].message == message;
            fine = e ? e->message == message && same : !same;
        } else if (what < 98) {
            int64_t now = rand() % 30;
            schedule_all_due(&s, now);
            for (size_t i = 0; i < m.count; i++)
                if (m.entries[i].due > now)
                    m.entries[i].due = now;
        } else if (what < 99) {
            int64_t now = rand() % 30, seconds = rand() % 20;
            schedule_earlier(&s, seconds, now);
            for (size_t i = 0; i < m.count; i++)
                if (m.entries[i].due > now)
                    m.entries[i].due -= seconds;
        } else {
            ino_t message = (ino_t)(rand() % 50);
            schedule_forget(&s, message);
            for (size_t i = m.count; i-- > 0;)
                if (m.entries[i].message == message)
                    model_drop(&m, i);
        }
        fine &= s.count == m.count;
    }
    heap_free(s.entries);
    heap_free(s.places);
    return fine;
}

int main(void)
{
    const char *given = getenv("SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    unsigned right = 0;

    attempts(CHANNEL_LOCAL, local_times, 79);
    attempts(CHANNEL_REMOTE, remote_times, 40);
    oddities();
    printf("# SEED=%u\n", seed);
    srand(seed);
    for (int i = 0; i < 300; i++)
        right += history((unsigned)(rand() % 2000));
    same_number(right, 300, "random histories");
    return tap_done();
}

/* Stand-ins for what send_waiting.c, which names the channels, needs of main. */
bool send_is_leaving(void)
{
    return false;
}

void send_leave(void)
{
}

bool send_sleep(void)
{
    return true;
}
