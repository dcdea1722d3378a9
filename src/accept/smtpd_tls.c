#include "accept/smtpd.h"

void smtpd_tls_begin(struct smtpd *s)
{
    ucspi_tls_find(&s->tls);
    s->tls_active = ucspi_tls_is_active();
}

bool smtpd_tls_offered(const struct smtpd *s)
{
    return s->tls.offered && !s->tls_active;
}

void smtpd_starttls(struct smtpd *s, struct view argument)
{
    if (argument.len) {
        smtpd_reply(s, "501 syntax error (no parameters allowed) (#5.5.4)");
        return;
    }
    if (!smtpd_tls_offered(s)) {
        smtpd_reply(s, "502 unimplemented (#5.5.1)");
        return;
    }
    smtpd_reply(s, "220 ready for tls");
    if (!connection_flush(&s->connection) ||
        !ucspi_tls_start(&s->tls, &s->connection, s->connection.timeout_s)) {
        smtpd_end(s, NULL);
        return;
    }
    /* what was said in clear text may have been said by anybody */
    smtpd_forget(s);
    bytes_clear(&s->helo);
    s->helo_given = false;
    s->tls_active = true;
}
