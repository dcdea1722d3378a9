#include "queue/qfix.h"

#include "base/heap.h"

#include <fcntl.h>

struct qfix_state qfix;

static void note(const struct qfix_file *f)
{
    struct stat st;

    if (f->form == QFIX_OTHER)
        return;
    if (f->kind == QUEUE_KIND_MESS) {
        if (fstatat(f->dir, f->name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
            !S_ISREG(st.st_mode))
            return;
        struct qfix_message message = {
            .name = f->number, .inode = st.st_ino, .place = f->place, .form = f->form};
        qfix_messages_add(&qfix.messages, message);
    }
    qfix_numbers_add(f->form == QFIX_PLAIN ? &qfix.plain[f->kind] : &qfix.fix[f->kind],
                     f->number);
}

/* What plain file a message would call its own. While a number is on its way, N may
 * be the old one of another message. */
static bool has_plain(const struct qfix_message *m, enum queue_kind kind)
{
    return (m->form == QFIX_PLAIN ||
            !qfix_numbers_has(&qfix.plain[QUEUE_KIND_MESS], m->name)) &&
           qfix_numbers_has(&qfix.plain[kind], m->name);
}

/* In a copy of a half repaired queue only what bears the message's own N.fix is sure:
 * inode numbers mean others there. */
static bool has_fix(const struct qfix_message *m, enum queue_kind kind)
{
    if (qfix.stale && m->form == QFIX_PLAIN)
        return false;
    return qfix_numbers_has(&qfix.fix[kind],
                            m->form == QFIX_PLAIN ? m->inode : m->name);
}

bool qfix_has(const struct qfix_message *m, enum queue_kind kind)
{
    return has_plain(m, kind) || has_fix(m, kind);
}

bool qfix_is_known(enum queue_kind kind, uint64_t number)
{
    return qfix_numbers_has(&qfix.plain[kind], number) ||
           qfix_is_there(kind, number, QFIX_PLAIN);
}

/* Two files of one kind for one message. */
static void block_conflicts(void)
{
    for (size_t i = 0; i < qfix.messages.count; i++) {
        const struct qfix_message *m = &qfix.messages.at[i];
        for (enum queue_kind kind = 0; kind < QUEUE_KIND_MESS; kind++)
            if (has_plain(m, kind) && has_fix(m, kind)) {
                qfix_numbers_add(&qfix_blocked, m->name);
                break;
            }
    }
}

void qfix_scan(void)
{
    heap_free(qfix.messages.at);
    qfix.messages = (struct qfix_messages){0};
    qfix.stale = false;
    for (enum queue_kind kind = 0; kind < QUEUE_KINDS; kind++) {
        qfix_numbers_clear(&qfix.plain[kind]);
        qfix_numbers_clear(&qfix.fix[kind]);
        qfix_each(kind, note);
    }
    for (size_t i = 0; i < qfix.messages.count; i++) {
        const struct qfix_message *m = &qfix.messages.at[i];
        qfix.stale |= m->form == QFIX_FIX && m->name != m->inode;
    }
    block_conflicts();
    qfix_plan(&qfix.messages, &qfix_blocked);
}

static bool locate_name(enum queue_kind kind, uint64_t likely, const char *name,
                        uint64_t *place)
{
    const struct qfix_numbers *places = qfix_places(kind);
    struct stat st;

    *place = queue_kinds[kind].split ? likely : QFIX_TOP;
    if (qfix_stat(kind, *place, name, &st))
        return true;
    for (size_t i = 0; i < places->count; i++) {
        *place = places->at[i];
        if (qfix_stat(kind, *place, name, &st))
            return true;
    }
    *place = QFIX_TOP;
    return queue_kinds[kind].split && qfix_stat(kind, *place, name, &st);
}

bool qfix_locate(const struct qfix_message *m, enum queue_kind kind, uint64_t *place,
                 struct qfix_name *name)
{
    struct stat st;

    *name = qfix_name(m->name, kind == QUEUE_KIND_MESS ? m->form : QFIX_PLAIN);
    if (kind == QUEUE_KIND_MESS) {
        *place = m->place;
        return qfix_stat(kind, *place, name->text, &st);
    }
    if (has_plain(m, kind) &&
        locate_name(kind, qfix_place(kind, m->name), name->text, place))
        return true;
    if (!has_fix(m, kind))
        return false;
    *name = qfix_name(m->form == QFIX_PLAIN ? m->inode : m->name, QFIX_FIX);
    return locate_name(kind, m->place, name->text, place);
}
