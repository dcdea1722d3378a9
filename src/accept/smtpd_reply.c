#include "accept/smtpd.h"

#include "base/clock.h"

#include <limits.h>
#include <poll.h>

/* Replies that say that a command made no sense. Clients that go on after many of
 * them are not mail servers. */
static bool is_error(struct view reply)
{
    return view_starts(reply, VIEW("500 ")) || view_starts(reply, VIEW("502 ")) ||
           view_starts(reply, VIEW("555 "));
}

void smtpd_reply(struct smtpd *s, const char *text)
{
    struct view reply = view_of(text);

    writer_add(&s->connection.out, reply);
    writer_add(&s->connection.out, VIEW("\r\n"));
    if (is_error(reply))
        s->errors++;
    if (s->logged && (text[0] == '4' || text[0] == '5'))
        smtpd_log(s, "reject", text);
}

void smtpd_end(struct smtpd *s, const char *text)
{
    if (text)
        smtpd_reply(s, text);
    s->over = true;
    s->exit_code = 1;
}

void smtpd_input_failed(struct smtpd *s)
{
    switch (connection_trouble(&s->connection)) {
    case CONNECTION_SILENT:
        smtpd_end(s, "451 timeout (#4.4.2)");
        return;
    case CONNECTION_EXPIRED:
        smtpd_end(s, "421 session too long (#4.4.2)");
        return;
    case CONNECTION_ENDED:
    case CONNECTION_LOST:
        smtpd_end(s, NULL);
        return;
    }
}

void smtpd_pause(struct smtpd *s, uint64_t seconds)
{
    int64_t until =
        clock_steady_ms() + (int64_t)(seconds < INT_MAX ? seconds : INT_MAX) * 1000;
    int64_t end = s->connection.end_ms;
    bool expires = end < until;

    if (!connection_flush(&s->connection)) {
        smtpd_end(s, NULL);
        return;
    }
    if (expires)
        until = end;
    for (int64_t left; (left = until - clock_steady_ms()) > 0;)
        poll(NULL, 0, left < INT_MAX ? (int)left : INT_MAX);
    if (expires)
        smtpd_end(s, "421 session too long (#4.4.2)");
}
