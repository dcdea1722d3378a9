#include "queue/qfix.h"

#include "base/fd.h"
#include "base/file.h"

#include <fcntl.h>

/* One step for each kind. A file is looked at under its plain name alone: by now it has
 * that, or will be looked at when it has been given it. */

static enum qfix_records read_file(const struct qfix_file *f, const char *letters,
                                   uint64_t *senders, uint64_t *records)
{
    struct stat st;
    enum qfix_records result = QFIX_SOUND;

    *senders = *records = 1; /* of a file that is gone or none */
    int fd = qfix_open_file(f->kind, f->place, f->name);
    if (fd == -1)
        return QFIX_SOUND;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        result = qfix_records(fd, letters, senders, records);
    fd_close(&fd);
    return result;
}

static void report_left(const struct qfix_file *f)
{
    qfix_report("bad-content", qfix_path(f->kind, f->place, f->name), NULL, QFIX_LEFT);
}

/* The message that f belongs to, as far as f tells. */
static struct qfix_message message_of(const struct qfix_file *f)
{
    const struct qfix_message *known = qfix_find(&qfix.messages, f->number);
    if (known && known->form == QFIX_PLAIN && known->name == f->number)
        return *known;
    for (size_t i = 0; i < qfix.messages.count; i++) {
        known = &qfix.messages.at[i];
        if (known->form == QFIX_PLAIN && known->name == f->number)
            return *known;
    }
    return (struct qfix_message){.name = f->number,
                                 .inode = f->number,
                                 .place = qfix_place(QUEUE_KIND_MESS, f->number)};
}

static void keep_aside(const struct qfix_file *f)
{
    if (qfix_numbers_has(&qfix_blocked, f->number)) {
        report_left(f);
        return;
    }
    struct qfix_message m = message_of(f);
    qfix_aside_message(&m, "bad-content", f->kind);
}

/* Whether the message has been delivered before its files had to be on the disk: they
 * may hold anything, and qmail-send removes them. */
static bool is_over(const struct qfix_file *f)
{
    struct stat st;
    return qfix_stat(QUEUE_KIND_INFO, qfix_place(QUEUE_KIND_INFO, f->number), f->name,
                     &st) &&
           queue_is_unsynced(st.st_mode);
}

/* Beside todo/N the other files mean nothing: preprocessing makes them anew. Nor do
 * orphans. */
static bool counts(const struct qfix_file *f)
{
    return f->form == QFIX_PLAIN && qfix_is_known(QUEUE_KIND_MESS, f->number) &&
           (f->kind == QUEUE_KIND_TODO ||
            (!qfix_is_there(QUEUE_KIND_TODO, f->number, QFIX_PLAIN) && !is_over(f)));
}

/* A file without which nothing can be done with the message: sound, and what it says
 * makes sense, or kept aside with all of it. */
static void judge(const struct qfix_file *f, enum qfix_records found, bool sensible)
{
    if (found == QFIX_UNREADABLE)
        report_left(f);
    else if (found == QFIX_BAD || !sensible)
        keep_aside(f);
}

static void look_at_todo(const struct qfix_file *f)
{
    uint64_t senders, records;

    if (!counts(f))
        return;
    enum qfix_records found = read_file(f, "upFT", &senders, &records);
    judge(f, found, senders > 0);
}

/* Without todo/N it is still being written; with it, it is the same file, but in a
 * copied queue. Then todo/N is all that is needed. */
static void look_at_intd(const struct qfix_file *f)
{
    uint64_t senders, records;
    struct stat todo, intd;

    if (f->form != QFIX_PLAIN ||
        !qfix_stat(QUEUE_KIND_TODO, QFIX_TOP, f->name, &todo) ||
        !qfix_stat(QUEUE_KIND_INTD, QFIX_TOP, f->name, &intd) ||
        file_same(&todo, &intd))
        return;
    enum qfix_records found = read_file(f, "upFT", &senders, &records);
    if (found == QFIX_UNREADABLE || qfix_numbers_has(&qfix_blocked, f->number)) {
        if (found != QFIX_SOUND)
            report_left(f);
        return;
    }
    if (found == QFIX_BAD || !senders)
        qfix_aside("bad-content", f->kind, f->place, f->name);
}

static void look_at_info(const struct qfix_file *f)
{
    uint64_t senders, records;

    if (!counts(f))
        return;
    enum qfix_records found = read_file(f, "F", &senders, &records);
    judge(f, found, records == 1);
}

static void look_at_recipients(const struct qfix_file *f)
{
    uint64_t senders, records;

    if (counts(f) &&
        (read_file(f, "TD", &senders, &records) != QFIX_SOUND || records == 0))
        report_left(f);
}

void qfix_contents(void)
{
    static void (*const looks[QUEUE_KINDS])(const struct qfix_file *f) = {
        [QUEUE_KIND_TODO] = look_at_todo,
        [QUEUE_KIND_INTD] = look_at_intd,
        [QUEUE_KIND_INFO] = look_at_info,
        [QUEUE_KIND_LOCAL] = look_at_recipients,
        [QUEUE_KIND_REMOTE] = look_at_recipients,
    };

    for (enum queue_kind kind = 0; kind < QUEUE_KINDS; kind++)
        if (looks[kind])
            qfix_each(kind, looks[kind]);
    qfix_sync();
}
