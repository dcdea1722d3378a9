#include "admin/log_count.h"
#include "base/heap.h"

#include "tap.h"

static struct log_top top;
static const struct log_top_entry **sorted;

static uint32_t add(const char *name)
{
    return log_top_add(&top, view_of(name));
}

static struct view name_of(size_t i)
{
    return log_top_name(&top, sorted[i]);
}

static void exact(void)
{
    log_top_open(&top, 4, 8, true);
    add("a");
    add("b");
    add("B");
    add("");
    add("long name, cut");
    same_number(log_top_sorted(&top, 9, &sorted), 4, "names");
    same(name_of(0), VIEW("b"), "most frequent, in any case");
    same_number(sorted[0]->count, 2, "its count");
    same(name_of(1), VIEW(""), "equal counts by name");
    same(name_of(3), VIEW("long nam"), "cut");
    heap_free(sorted);
    same_number(log_top_sorted(&top, 1, &sorted), 1, "no more than asked for");
    heap_free(sorted);
    same_number(top.evicted, 0, "all fit");
}

static void marks(void)
{
    struct log_top_mark a = log_top_mark(&top, add("a")); /* a 2, b 2, the others 1 */
    struct log_top_mark rare = log_top_mark(&top, add(""));
    struct log_top_mark rarest = log_top_mark(&top, add("long name, cut again"));
    add("");
    add("a");
    add("b");
    log_top_figures(&top, rarest)[0] = 7;
    add("new");
    ok(log_top_figures(&top, rarest) == NULL, "a name that had to go", NULL);
    ok(log_top_figures(&top, a) && log_top_figures(&top, rare), "others stay", NULL);
    same_number(top.evicted, 1, "evicted");
    log_top_sorted(&top, 4, &sorted);
    for (size_t i = 0; i < 4; i++)
        if (view_is(name_of(i), "new")) {
            same_number(sorted[i]->count, 3, "the new one's count");
            same_number(sorted[i]->error, 2, "and by how much it may be wrong");
            same_number(sorted[i]->figures[0], 0, "its figures begin anew");
        }
    heap_free(sorted);
    ok(log_top_figures(&top, (struct log_top_mark){LOG_NONE, 0}) == NULL, "nobody",
       NULL);
    log_top_free(&top);
}

/* Ten names are every other one, among a hundred thousand different ones. */
static void bounds(void)
{
    enum { MAX = 256, NAMES = 100000, FREQUENT = 10 };
    struct bytes name = {0};
    uint64_t real[FREQUENT] = {0};

    log_top_open(&top, MAX, 16, false);
    for (unsigned i = 0; i < NAMES; i++) {
        bytes_clear(&name);
        bytes_add_format(&name, "x%u", i);
        log_top_add(&top, bytes_view(&name));
        bytes_clear(&name);
        unsigned which = i % 7 * (i % 3) % FREQUENT;
        real[which]++;
        bytes_add_format(&name, "f%u", which);
        log_top_add(&top, bytes_view(&name));
    }
    same_number(top.total, 2 * NAMES, "total");
    same_number(top.used, MAX, "entries");
    bool bounded = true;
    uint64_t sum = 0;
    size_t count = log_top_sorted(&top, MAX, &sorted), met = 0;
    for (size_t i = 0; i < count; i++) {
        struct view v = name_of(i);
        sum += sorted[i]->count;
        bounded = bounded && sorted[i]->error <= top.total / MAX;
        if (v.data[0] != 'f')
            continue;
        uint64_t want = real[v.data[1] - '0'];
        met++;
        bounded = bounded && sorted[i]->count >= want &&
                  sorted[i]->count - sorted[i]->error <= want;
    }
    ok(bounded, "bounds of counts and errors", NULL);
    same_number(sum, top.total, "counts sum up");
    size_t frequent = 0;
    for (size_t i = 0; i < FREQUENT; i++)
        frequent += real[i] > top.total / MAX;
    ok(met >= frequent && frequent > 3, "the frequent are there", NULL);
    bool first = true;
    for (size_t i = 1; i < top.used; i++)
        first = first && top.heap[(i - 1) / 2].count <= top.heap[i].count;
    ok(first, "the heap is in order", NULL);
    heap_free(sorted);
    bytes_free(&name);
    log_top_free(&top);
}

int main(void)
{
    exact();
    marks();
    bounds();
    return tap_done();
}
