#include "queue/qfix.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/os.h"

#include <fcntl.h>

/* Files without a message */

static bool has_message(const struct qfix_file *f)
{
    if (f->form == QFIX_PLAIN)
        return qfix_numbers_has(&qfix.plain[QUEUE_KIND_MESS], f->number) ||
               (!qfix.stale &&
                qfix_numbers_has(&qfix.fix[QUEUE_KIND_MESS], f->number)) ||
               qfix_is_there(QUEUE_KIND_MESS, f->number, QFIX_PLAIN);
    /* In a copy of a half repaired queue the inode numbers are others: only what has a
     * message file of that name and number is sure. */
    const struct qfix_message *owner = qfix_find(&qfix.messages, f->number);
    return owner && (!qfix.stale || owner->form == QFIX_FIX);
}

static void look(const struct qfix_file *f)
{
    if (f->form != QFIX_OTHER && !qfix_numbers_has(&qfix_blocked, f->number) &&
        !has_message(f))
        qfix_aside("orphan", f->kind, f->place, f->name);
}

void qfix_without_message(void)
{
    for (enum queue_kind kind = 0; kind < QUEUE_KIND_MESS; kind++)
        qfix_each(kind, look);
    /* last: they tell that this is such a copy */
    for (size_t i = 0; i < qfix.messages.count; i++) {
        const struct qfix_message *m = &qfix.messages.at[i];
        if (m->deed == QFIX_STALE)
            qfix_aside("bad-inode", QUEUE_KIND_MESS, m->place,
                       qfix_name(m->name, m->form).text);
    }
    qfix_sync();
}

/* Messages without a sender */

/* A qmail-queue holds a lock of its message file until it exits. One without locks, of
 * an older installation, has its files open, and gives up after a day. */
static bool is_being_written(enum queue_kind kind, uint64_t place, const char *name)
{
    struct stat st;
    int fd = qfix_open_file(kind, place, name);
    if (fd == -1)
        return false;
    bool is_young = fstat(fd, &st) == -1 ||
                    (st.st_atime > st.st_mtime ? st.st_atime : st.st_mtime) >
                        clock_now() - QUEUE_ABANDONED_S;
    bool written = !os_lock(fd, false) || (is_young && os_may_be_open_elsewhere(fd));
    fd_close(&fd);
    return written;
}

/* Whether a qmail-queue may be at work on it: its number is right and there is no
 * envelope yet. What else bears that number was left by an older message. */
static bool is_coming(const struct qfix_message *m)
{
    return m->form == QFIX_PLAIN && m->name == m->inode &&
           !qfix_is_known(QUEUE_KIND_TODO, m->name) &&
           (is_being_written(QUEUE_KIND_MESS, m->place,
                             qfix_name(m->name, m->form).text) ||
            is_being_written(QUEUE_KIND_INTD, QFIX_TOP,
                             qfix_name(m->name, m->form).text));
}

void qfix_aside_message(const struct qfix_message *m, const char *code,
                        enum queue_kind cause)
{
    bool coming = is_coming(m);
    struct qfix_name name;
    uint64_t place;

    /* The message file first, and stable: without it the others are still known as
     * orphans, but it alone would look like something to be removed. */
    if (!coming && qfix_locate(m, QUEUE_KIND_MESS, &place, &name)) {
        qfix_aside("orphan", QUEUE_KIND_MESS, place, name.text);
        qfix_sync();
    }
    for (enum queue_kind kind = 0; kind < QUEUE_KIND_MESS; kind++) {
        if (coming && kind == QUEUE_KIND_INTD)
            continue;
        if (qfix_locate(m, kind, &place, &name))
            qfix_aside(kind == cause ? code : "orphan", kind, place, name.text);
    }
}

static bool lacks_sender(const struct qfix_message *m)
{
    if (qfix_has(m, QUEUE_KIND_INFO) || qfix_has(m, QUEUE_KIND_TODO) ||
        qfix_is_known(QUEUE_KIND_INFO, m->name) ||
        qfix_is_known(QUEUE_KIND_TODO, m->name))
        return false;
    return qfix_has(m, QUEUE_KIND_LOCAL) || qfix_has(m, QUEUE_KIND_REMOTE) ||
           qfix_has(m, QUEUE_KIND_BOUNCE);
}

void qfix_without_sender(void)
{
    for (size_t i = 0; i < qfix.messages.count; i++) {
        const struct qfix_message *m = &qfix.messages.at[i];
        if (!qfix_numbers_has(&qfix_blocked, m->name) && m->deed != QFIX_STALE &&
            lacks_sender(m))
            qfix_aside_message(m, "orphan", QUEUE_KIND_MESS);
    }
    qfix_sync();
}
