#include "queue/qfix.h"

#include "base/heap.h"

#include <stdlib.h>

void qfix_messages_add(struct qfix_messages *m, struct qfix_message message)
{
    if (m->count == m->room) {
        m->room = m->room ? m->room + m->room / 2 : 64;
        m->at = heap_resize(m->at, m->room, sizeof *m->at);
    }
    m->at[m->count++] = message;
}

static int order(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int by_name(const void *a, const void *b)
{
    const struct qfix_message *x = a, *y = b;
    return x->form != y->form ? (int)x->form - (int)y->form : order(x->name, y->name);
}

static int by_inode(const void *a, const void *b)
{
    const struct qfix_message *x = a, *y = b;
    return order(x->inode, y->inode);
}

struct qfix_message *qfix_find(const struct qfix_messages *m, uint64_t inode)
{
    struct qfix_message key = {.inode = inode};
    return m->count ? bsearch(&key, m->at, m->count, sizeof key, by_inode) : NULL;
}

static bool same_name(const struct qfix_message *a, const struct qfix_message *b)
{
    return by_name(a, b) == 0;
}

/* One number in several split directories: whose are the other files of that number? */
static void block_repeated(const struct qfix_messages *m, struct qfix_numbers *blocked)
{
    for (size_t i = 1; i < m->count; i++)
        if (same_name(&m->at[i - 1], &m->at[i]))
            qfix_numbers_add(blocked, m->at[i].name);
}

static enum qfix_deed deed_of(const struct qfix_message *m)
{
    if (m->form == QFIX_FIX)
        return m->name == m->inode ? QFIX_FINISH : QFIX_STALE;
    return m->name == m->inode ? QFIX_KEEP : QFIX_RENAME;
}

static void decide(struct qfix_messages *m, struct qfix_numbers *blocked)
{
    for (size_t i = 0; i < m->count; i++) {
        struct qfix_message *message = &m->at[i];
        message->deed = deed_of(message);
        if (message->deed != QFIX_KEEP && qfix_numbers_has(blocked, message->name))
            message->deed = QFIX_STUCK;
    }
}

static void block_linked(struct qfix_messages *m, struct qfix_numbers *blocked)
{
    for (size_t i = 1; i < m->count; i++) {
        struct qfix_message *a = &m->at[i - 1], *b = &m->at[i];
        if (a->inode != b->inode || same_name(a, b))
            continue;
        a->deed = b->deed = QFIX_LINKED;
        qfix_numbers_add(blocked, a->name);
        qfix_numbers_add(blocked, b->name);
        qfix_numbers_add(blocked, a->inode);
    }
}

/* A message that is to get a number which does not become free keeps its own, which
 * therefore does not become free either. */
static void spread(struct qfix_messages *m, struct qfix_numbers *blocked)
{
    for (size_t i = 0; i < blocked->count; i++) {
        struct qfix_message *heir = qfix_find(m, blocked->at[i]);
        if (!heir || (heir->deed != QFIX_RENAME && heir->deed != QFIX_FINISH))
            continue;
        heir->deed = QFIX_STUCK;
        qfix_numbers_add(blocked, heir->name);
    }
}

void qfix_plan(struct qfix_messages *m, struct qfix_numbers *blocked)
{
    if (!m->count)
        return;
    qsort(m->at, m->count, sizeof *m->at, by_name);
    block_repeated(m, blocked);
    qsort(m->at, m->count, sizeof *m->at, by_inode);
    decide(m, blocked);
    block_linked(m, blocked);
    spread(m, blocked);
}
