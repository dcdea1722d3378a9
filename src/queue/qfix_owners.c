#include "queue/qfix.h"

#include "base/fd.h"
#include "base/file.h"

#include <fcntl.h>

/* Whether intd/N and todo/N are one file, as they ought to be. */
static bool is_shared(const struct qfix_file *f, const struct stat *st)
{
    enum queue_kind other =
        f->kind == QUEUE_KIND_INTD ? QUEUE_KIND_TODO : QUEUE_KIND_INTD;
    struct stat partner;

    return (f->kind == QUEUE_KIND_INTD || f->kind == QUEUE_KIND_TODO) &&
           qfix_stat(other, QFIX_TOP, f->name, &partner) && file_same(st, &partner);
}

/* A message that is not queued yet, or ended already (S2, S3), is never touched. */
static bool is_unfinished(const struct qfix_file *f, const struct stat *st)
{
    if (f->form != QFIX_PLAIN ||
        (f->kind != QUEUE_KIND_MESS && f->kind != QUEUE_KIND_INTD) ||
        (f->kind == QUEUE_KIND_MESS && st->st_ino != f->number))
        return false;
    return !qfix_is_known(QUEUE_KIND_TODO, f->number) &&
           !qfix_is_known(QUEUE_KIND_INFO, f->number);
}

static void look(const struct qfix_file *f)
{
    const struct queue_kind_of_file *kind = &queue_kinds[f->kind];
    struct qfix_wanted want = {kind->owner, kind->group, kind->mode};
    struct stat st, now;

    if (f->form == QFIX_OTHER ||
        fstatat(f->dir, f->name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
        !S_ISREG(st.st_mode))
        return;
    if (f->kind == QUEUE_KIND_INFO &&
        (queue_mark_of(st.st_mode) || queue_is_unsynced(st.st_mode)))
        want.mode = st.st_mode & 07777; /* qmail-qctl's order, or qmail-send's sign */
    if (qfix_owner_is_right(&st, &want) || is_unfinished(f, &st))
        return;
    bool shared = is_shared(f, &st);
    if (shared && f->kind == QUEUE_KIND_INTD)
        return; /* once is enough: as todo/N */
    int fd = qfix_open_file(f->kind, f->place, f->name);
    if (fd == -1)
        return;
    if (fstat(fd, &now) == 0 && file_same(&st, &now))
        qfix_owner(fd, qfix_path(f->kind, f->place, f->name), &want, shared ? 2 : 1);
    fd_close(&fd);
}

void qfix_owners(void)
{
    for (enum queue_kind kind = 0; kind < QUEUE_KINDS; kind++)
        qfix_each(kind, look);
}
