#include "dotqmail/redirect.h"

#include "base/die.h"
#include "base/error.h"
#include "base/writer.h"
#include "conf.h"
#include "mail/enqueue.h"

#include <errno.h>
#include <stdlib.h>

const char *redirect_variable_or_die(const char *name)
{
    const char *value = getenv(name);
    if (!value)
        die_perm("%s not set", name);
    return value;
}

static void say_queued(const char *program, pid_t pid)
{
    struct bytes line = {0};
    bytes_add_format(&line, "%s: qp %jd\n", program, (intmax_t)pid);
    write_all(2, bytes_view(&line)); /* queued it is, whoever hears of it */
    bytes_free(&line);
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
