#include "queue/qfix.h"

#include "base/die.h"

/* Giving messages the numbers of their inodes, whatever the permutation, so that an
 * interruption at any point loses nothing. Each message goes from N over I.fix to I,
 * where I, its inode number, is no other's.
 *
 * First all go to I.fix, the message files last: as long as one has the old name, its
 * other files can be found by the old number, or are I.fix already. Then nobody needs
 * an old number any more, and all go to I, the message files last again; until then
 * what is called I already belongs to I.fix. So at every moment each file tells whose
 * it is, and another run goes on where this one ended.
 *
 * A power cut may keep a later renaming and lose an earlier one, so each step is done
 * for all messages and made stable before the next begins. The steps are such that
 * qmail-send, if somebody starts it on a half repaired queue, finds no sender without
 * recipients, and no message file under its final name without either: both would be
 * finished messages, to be removed. */

enum { STEPS = 3, STEP_KINDS = 4 };

struct step {
    size_t count;
    enum queue_kind kinds[STEP_KINDS];
};

static const struct step to_fix[STEPS] = {
    {2, {QUEUE_KIND_INFO, QUEUE_KIND_TODO}},
    {4, {QUEUE_KIND_LOCAL, QUEUE_KIND_REMOTE, QUEUE_KIND_BOUNCE, QUEUE_KIND_INTD}},
    {1, {QUEUE_KIND_MESS}}};
static const struct step to_inode[STEPS] = {
    {4, {QUEUE_KIND_LOCAL, QUEUE_KIND_REMOTE, QUEUE_KIND_BOUNCE, QUEUE_KIND_INTD}},
    {2, {QUEUE_KIND_INFO, QUEUE_KIND_TODO}},
    {1, {QUEUE_KIND_MESS}}};

static void report(const struct qfix_message *m, const char *code,
                   enum qfix_result result)
{
    struct qfix_name name = qfix_name(m->name, m->form);
    bool tells = m->deed != QFIX_LINKED;
    qfix_report(code, qfix_path(QUEUE_KIND_MESS, m->place, name.text),
                tells ? &m->inode : NULL, result);
}

/* Nobody but us renames these, so what is in the way was not there at the scan. */
static void move(enum queue_kind kind, uint64_t from, struct qfix_name old, uint64_t to,
                 struct qfix_name name)
{
    if (qfix_move(kind, from, old.text, to, name.text) == QFIX_TAKEN)
        die_temp("unable to rename %s: the queue changes meanwhile",
                 qfix_path(kind, from, old.text));
}

/* Where the files of a message are while they are called I.fix. */
static uint64_t place_of(const struct qfix_message *m, enum queue_kind kind)
{
    return queue_kinds[kind].split ? m->place : QFIX_TOP;
}

static void rename_to_fix(const struct qfix_message *m, enum queue_kind kind)
{
    struct qfix_name old = qfix_name(m->name, QFIX_PLAIN);
    struct qfix_name name = qfix_name(m->inode, QFIX_FIX);
    uint64_t place = place_of(m, kind);

    if (m->deed == QFIX_RENAME)
        move(kind, place, old, place, name);
}

static void rename_to_inode(const struct qfix_message *m, enum queue_kind kind)
{
    struct qfix_name old = qfix_name(m->inode, QFIX_FIX);
    struct qfix_name name = qfix_name(m->inode, QFIX_PLAIN);

    if (m->deed == QFIX_RENAME || m->deed == QFIX_FINISH)
        move(kind, place_of(m, kind), old, qfix_place(kind, m->inode), name);
}

static void rename_each(const struct step *step,
                        void (*rename_file)(const struct qfix_message *m,
                                            enum queue_kind kind))
{
    const struct qfix_messages *all = &qfix.messages;

    for (size_t i = 0; i < all->count; i++)
        for (size_t k = 0; k < step->count; k++)
            rename_file(&all->at[i], step->kinds[k]);
    qfix_sync();
}

static bool rename_all(void)
{
    const struct qfix_messages *all = &qfix.messages;
    bool any = false;

    for (size_t i = 0; i < all->count; i++)
        any |= all->at[i].deed == QFIX_RENAME || all->at[i].deed == QFIX_FINISH;
    for (size_t i = 0; any && i < STEPS; i++)
        rename_each(&to_fix[i], rename_to_fix);
    for (size_t i = 0; any && i < STEPS; i++)
        rename_each(&to_inode[i], rename_to_inode);
    return any;
}

/* I.fix that is left beside I, or was somewhere else than I.fix of the message. */
static bool finished_any;

static void finish(const struct qfix_file *f)
{
    if (f->form != QFIX_FIX)
        return;
    const struct qfix_message *owner = qfix_find(&qfix.messages, f->number);
    if (!owner || owner->deed == QFIX_STALE ||
        (!qfix_repairs && owner->deed != QFIX_KEEP))
        return; /* kept aside; or said of the message */
    bool left = qfix_numbers_has(&qfix_blocked, f->number) ||
                owner->deed == QFIX_STUCK || owner->deed == QFIX_LINKED;
    enum qfix_result result = left ? QFIX_LEFT : QFIX_FIXED;
    if (qfix_repairs && !left) {
        struct qfix_name name = qfix_name(f->number, QFIX_PLAIN);
        enum qfix_moved moved = qfix_move(f->kind, f->place, f->name,
                                          qfix_place(f->kind, f->number), name.text);
        if (moved == QFIX_MISSING)
            return;
        if (moved == QFIX_TAKEN) {
            qfix_numbers_add(&qfix_blocked, f->number);
            result = QFIX_LEFT;
        }
        finished_any = true;
    }
    qfix_report("bad-inode", qfix_path(f->kind, f->place, f->name), &f->number, result);
}

static void report_all(void)
{
    for (size_t i = 0; i < qfix.messages.count; i++) {
        const struct qfix_message *m = &qfix.messages.at[i];
        switch (m->deed) {
        case QFIX_KEEP:
        case QFIX_STALE: /* kept aside, and reported there */
            break;
        case QFIX_RENAME:
        case QFIX_FINISH:
            report(m, "bad-inode", QFIX_FIXED);
            break;
        case QFIX_STUCK:
            report(m, "bad-inode", QFIX_LEFT);
            break;
        case QFIX_LINKED:
            report(m, "bad-links", QFIX_LEFT);
            break;
        }
    }
}

bool qfix_renumber(void)
{
    bool any = qfix_repairs && rename_all();

    report_all();
    for (enum queue_kind kind = 0; kind < QUEUE_KIND_MESS; kind++)
        qfix_each(kind, finish);
    qfix_sync();
    return any || finished_any;
}
