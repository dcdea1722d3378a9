#include "dotqmail/redirect.h"

#include "base/die.h"
#include "base/error.h"
#include "base/writer.h"
#include "conf.h"
#include "mail/enqueue.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

const char *redirect_variable_or_die(const char *name)
{
    const char *value = getenv(name);
    if (!value)
        die_perm("%s not set", name);
    return value;
}

/* Queued it is, whoever hears of it. Were there not enough memory to say so, the
 * message would be sent on once more by the next attempt: none is needed. */
static void say_queued(const char *program, pid_t pid)
{
    struct writer line;
    writer_open(&line, 2, 0);
    writer_add_text(&line, program);
    writer_add_text(&line, ": qp ");
    writer_add_number(&line, (uint64_t)pid);
    writer_add_text(&line, "\n");
    writer_flush(&line);
}

void redirect_or_die(const char *program, const struct redirect *r)
{
    static struct enqueue queue;
    struct enqueue_answer answer;

    if (!enqueue_start(&queue, CONF_QMAIL))
        die_temp("unable to fork: %s", error_text(errno));
    enqueue_message(&queue, view_of(r->delivered_to));
    int error = enqueue_message_from(&queue, 0) ? 0 : errno;
    enqueue_sender(&queue, view_of(r->sender));
    for (char *const *to = r->recipients; *to; to++)
        enqueue_recipient(&queue, view_of(*to));
    enqueue_finish(&queue, &answer);
    if (error)
        die_temp("unable to read message: %s", error_text(error));
    if (answer.verdict != ENQUEUE_QUEUED)
        die_with(answer.verdict == ENQUEUE_PERM ? DIE_PERM : DIE_TEMP, "%s",
                 answer.text);
    say_queued(program, answer.pid);
}
