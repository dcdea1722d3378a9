#include "queue/qfix.h"

#include "base/heap.h"

#include <stdlib.h>

enum { FIRST_ROOM = 64 };

void qfix_numbers_add(struct qfix_numbers *set, uint64_t n)
{
    if (set->count == set->room) {
        set->room = set->room ? set->room + set->room / 2 : FIRST_ROOM;
        set->at = heap_resize(set->at, set->room, sizeof *set->at);
    }
    set->sorted = set->count == 0 || (set->sorted && set->at[set->count - 1] <= n);
    set->at[set->count++] = n;
}

static int compare(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

void qfix_numbers_sort(struct qfix_numbers *set)
{
    if (!set->sorted && set->count)
        qsort(set->at, set->count, sizeof *set->at, compare);
    set->sorted = true;
}

bool qfix_numbers_has(struct qfix_numbers *set, uint64_t n)
{
    if (!set->count)
        return false;
    qfix_numbers_sort(set);
    return bsearch(&n, set->at, set->count, sizeof n, compare);
}

void qfix_numbers_clear(struct qfix_numbers *set)
{
    heap_free(set->at);
    *set = (struct qfix_numbers){0};
}
