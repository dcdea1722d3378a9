#include "queue/qfix.h"

#include <fcntl.h>

struct qfix_numbers qfix_blocked;

static void look(const struct qfix_file *f)
{
    struct stat st;

    if (f->form == QFIX_OTHER) {
        qfix_aside("bad-name", f->kind, f->place, f->name);
        return;
    }
    if (fstatat(f->dir, f->name, &st, AT_SYMLINK_NOFOLLOW) == -1 || S_ISREG(st.st_mode))
        return;
    qfix_report("bad-type", qfix_path(f->kind, f->place, f->name), NULL, QFIX_LEFT);
    qfix_numbers_add(&qfix_blocked, f->number);
}

void qfix_names(void)
{
    for (enum queue_kind kind = 0; kind < QUEUE_KINDS; kind++)
        qfix_each(kind, look);
    qfix_sync();
}
