#include "accept/qmtp.h"

#include "accept/received.h"
#include "base/clock.h"
#include "base/die.h"
#include "base/signals.h"
#include "mail/netstring.h"

#include <signal.h>
#include <unistd.h>

void qmtp_limit_time(void)
{
    signals_exit_on(SIGALRM, DIE_TEMP);
    alarm(QMTP_MESSAGE_S);
}

bool qmtp_start(struct enqueue *queue, const char *protocol)
{
    struct received received = received_from_environment();
    struct bytes field = {0};

    if (!enqueue_start(queue, NULL))
        return false;
    received.protocol = protocol;
    received_add(&field, &received, clock_now());
    enqueue_message(queue, bytes_view(&field));
    bytes_free(&field);
    return true;
}

void qmtp_add_answer(struct bytes *out, const struct enqueue_answer *answer,
                     int64_t now)
{
    switch (answer->verdict) {
    case ENQUEUE_QUEUED:
        bytes_add_format(out, "Kok %lld qp %ld", (long long)now, (long)answer->pid);
        return;
    case ENQUEUE_TEMP:
        bytes_add_byte(out, 'Z');
        break;
    case ENQUEUE_PERM:
        bytes_add_byte(out, 'D');
        break;
    }
    bytes_add_text(out, answer->text);
}

void qmtp_reply(struct connection *c, struct view reply)
{
    writer_add_number(&c->out, reply.len);
    writer_add_byte(&c->out, ':');
    writer_add(&c->out, reply);
    writer_add_byte(&c->out, ',');
}
