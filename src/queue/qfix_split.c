#include "queue/qfix.h"

#include "base/heap.h"
#include "conf.h"

#include <fcntl.h>
#include <stdlib.h>

struct misplaced {
    uint64_t number, place;
};

/* Those of one kind. */
static struct {
    struct misplaced *at;
    size_t count, room;
} state;

static void collect(const struct qfix_file *f)
{
    struct stat st;

    if (f->form != QFIX_PLAIN || f->place == qfix_place(f->kind, f->number) ||
        qfix_numbers_has(&qfix_blocked, f->number) ||
        fstatat(f->dir, f->name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
        !S_ISREG(st.st_mode))
        return;
    if (state.count == state.room) {
        state.room = state.room ? state.room + state.room / 2 : 64;
        state.at = heap_resize(state.at, state.room, sizeof *state.at);
    }
    state.at[state.count++] = (struct misplaced){f->number, f->place};
}

static int compare(const void *a, const void *b)
{
    const struct misplaced *x = a, *y = b;
    return x->number < y->number ? -1 : x->number > y->number;
}

/* Whether several misplaced files have the number of the one at index i. */
static bool is_ambiguous(size_t i)
{
    uint64_t number = state.at[i].number;
    return (i > 0 && state.at[i - 1].number == number) ||
           (i + 1 < state.count && state.at[i + 1].number == number);
}

static void move(enum queue_kind kind, size_t i)
{
    const struct misplaced *m = &state.at[i];
    struct qfix_name name = qfix_name(m->number, QFIX_PLAIN);
    uint64_t right = qfix_place(kind, m->number);
    struct stat st;

    bool done = !is_ambiguous(i) && !qfix_stat(kind, right, name.text, &st);
    if (done && qfix_repairs) {
        enum qfix_moved moved = qfix_move(kind, m->place, name.text, right, name.text);
        if (moved == QFIX_MISSING)
            return;
        done = moved == QFIX_MOVED;
    }
    if (!done)
        qfix_numbers_add(&qfix_blocked, m->number);
    qfix_report("bad-split", qfix_path(kind, m->place, name.text), NULL,
                done ? QFIX_FIXED : QFIX_LEFT);
}

void qfix_split(void)
{
    for (enum queue_kind kind = 0; kind < QUEUE_KINDS; kind++) {
        if (!queue_kinds[kind].split)
            continue;
        state.count = 0;
        qfix_each(kind, collect);
        if (state.count)
            qsort(state.at, state.count, sizeof *state.at, compare);
        for (size_t i = 0; i < state.count; i++)
            move(kind, i);
    }
    heap_free(state.at);
    state.at = NULL;
    state.count = state.room = 0;
    qfix_sync();
}

/* Directories beyond CONF_SPLIT */

static struct qfix_numbers occupied; /* with something that no repair takes away */

static void look_for_rest(const struct qfix_file *f)
{
    if (f->place >= CONF_SPLIT && f->form != QFIX_OTHER &&
        qfix_numbers_has(&qfix_blocked, f->number))
        qfix_numbers_add(&occupied, f->place);
}

static void look_at_place(enum queue_kind kind, uint64_t place)
{
    if (place < CONF_SPLIT)
        return;
    bool gone = qfix_repairs ? qfix_remove_dir(kind, place)
                             : !qfix_numbers_has(&occupied, place);
    struct qfix_name name = qfix_name(place, QFIX_PLAIN);
    qfix_report("extra", qfix_path(kind, QFIX_TOP, name.text), NULL,
                gone ? QFIX_FIXED : QFIX_LEFT);
}

void qfix_extra(void)
{
    for (enum queue_kind kind = 0; kind < QUEUE_KINDS; kind++) {
        if (!queue_kinds[kind].split)
            continue;
        qfix_numbers_clear(&occupied);
        qfix_each(kind, look_for_rest);
        const struct qfix_numbers *places = qfix_places(kind);
        for (size_t i = 0; i < places->count; i++)
            look_at_place(kind, places->at[i]);
    }
    qfix_numbers_clear(&occupied);
}
