#include "accept/smtpd.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    MAX_LOG_LINE = 1000,
    MAX_LOG_PART = 200 /* of an address or name, so that the reply has its place */
};

static void add_clean(struct bytes *line, struct view v)
{
    if (v.len > MAX_LOG_PART)
        v.len = MAX_LOG_PART;
    for (size_t i = 0; i < v.len; i++) {
        char c = v.data[i];
        bool clean = c >= 33 && c <= 126 && c != '<' && c != '>';
        bytes_add_byte(line, clean ? c : '?');
    }
}

static struct view sender_of(const struct smtpd *s)
{
    return bytes_view(s->address_of == SMTPD_SENDER ? &s->address : &s->sender);
}

/* That of RCPT, or the message's first. */
static struct view recipient_of(const struct smtpd *s)
{
    struct view rest = bytes_view(&s->recipients);
    switch (s->address_of) {
    case SMTPD_RECIPIENT:
        return bytes_view(&s->address);
    case SMTPD_SENDER:
        return VIEW("");
    case SMTPD_NOBODY:
        break;
    }
    return view_cut(&rest, '\0');
}

void smtpd_log(const struct smtpd *s, const char *event, const char *reply)
{
    const char *ip = getenv("TCPREMOTEIP");
    struct bytes line = {0};

    if (!s->policy.log)
        return;
    bytes_add_text(&line, "qmail-smtpd: pid ");
    bytes_add_number(&line, (uint64_t)getpid());
    bytes_add_text(&line, " ip ");
    add_clean(&line, view_of(ip ? ip : "unknown"));
    bytes_add_byte(&line, ' ');
    bytes_add_text(&line, event);
    bytes_add_text(&line, " mail <");
    add_clean(&line, sender_of(s));
    bytes_add_text(&line, "> rcpt <");
    add_clean(&line, recipient_of(s));
    bytes_add_text(&line, "> helo ");
    add_clean(&line, bytes_view(&s->helo));
    bytes_add_text(&line, ": ");
    bytes_add_text(&line, reply);
    if (line.len > MAX_LOG_LINE - 1)
        bytes_cut(&line, MAX_LOG_LINE - 1);
    bytes_add_byte(&line, '\n');
    /* mail does not stop for a log that cannot be written */
    ssize_t written = write(2, line.data, line.len);
    (void)written;
    bytes_free(&line);
}
