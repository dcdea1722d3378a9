#include "accept/smtpd.h"

#include "accept/rcptcheck.h"
#include "accept/smtpd_address.h"
#include "accept/smtpd_bad.h"
#include "base/number.h"

#include <stdlib.h>

static const char syntax_error[] = "555 syntax error (#5.5.4)";

/* A literal of one of our own addresses becomes a name. Hardly any client gives one,
 * and to ask the system takes longer than all control files. */
static bool replace_literal(struct smtpd *s)
{
    struct smtpd_policy *p = &s->policy;
    if (!p->replace_literals || !view_ends(bytes_view(&s->address), VIEW("]")))
        return true;
    if (!p->own.count && !ip_own_read(&p->own)) {
        smtpd_end(s, "421 unable to figure out my IP addresses (#4.3.0)");
        return false;
    }
    smtpd_address_literal(&s->address, &p->own, bytes_view(&p->literal_host));
    return true;
}

/* Reads the address of a command into s->address, as it will stand in the
 * envelope. False where it cannot; that has been said. */
static bool read_address(struct smtpd *s, struct view argument, enum smtpd_role role,
                         struct view *parameters)
{
    bool good = smtpd_address_parse(argument, &s->address, parameters);

    s->address_of = role;
    if (good && !replace_literal(s))
        return false;
    good = good && s->address.len <= SMTPD_MAX_ADDRESS &&
           (s->address.len || role == SMTPD_SENDER);
    if (!good)
        smtpd_reply(s, syntax_error);
    return good;
}

/* MAIL */

enum size_claim { SIZE_FITS, SIZE_OVER, SIZE_NO_NUMBER };

/* What the client says about the size of its message (RFC 1870). */
static enum size_claim judge_size(const struct smtpd *s, struct view parameters)
{
    enum { MAX_DIGITS = 20 };
    enum size_claim claim = SIZE_FITS;
    struct view value;

    while (smtpd_parameter_next(&parameters, VIEW("SIZE="), &value)) {
        uint64_t size;
        if (value.len > MAX_DIGITS || !number_take(&value, &size) || value.len)
            return SIZE_NO_NUMBER;
        if (s->policy.max_bytes && size > s->policy.max_bytes)
            claim = SIZE_OVER;
    }
    return claim;
}

/* Where the admin asks for it, who has authenticated may only send as himself. */
static bool is_foreign_sender(const struct smtpd *s)
{
    const char *wanted = getenv("FORCEAUTHMAILFROM");
    const char *name = getenv("SMTPAUTHUSER");

    return s->auth.done && name && wanted && view_is(view_of(wanted), "1") &&
           !view_equal_case(bytes_view(&s->address), view_of(name));
}

void smtpd_mail(struct smtpd *s, struct view argument)
{
    struct view parameters;

    if (s->tls.required && !s->tls_active) {
        smtpd_reply(s, "530 must issue a STARTTLS command first (#5.7.0)");
        return;
    }
    if (s->auth.required && !s->auth.done) {
        smtpd_reply(s, "530 Authorization required (#5.7.1)");
        return;
    }
    if (!read_address(s, argument, SMTPD_SENDER, &parameters))
        return;
    enum size_claim size = judge_size(s, parameters);
    if (size == SIZE_NO_NUMBER) {
        smtpd_reply(s, syntax_error);
        return;
    }
    if (size == SIZE_OVER) {
        smtpd_forget(s);
        smtpd_reply(s,
                    "552 sorry, that message size exceeds my databytes limit (#5.3.4)");
        return;
    }
    if (is_foreign_sender(s)) {
        smtpd_reply(s, "503 from and auth not the same (#5.5.1)");
        return;
    }
    smtpd_forget(s);
    bytes_set(&s->sender, bytes_view(&s->address));
    s->mail_given = true;
    smtpd_reply(s, "250 ok");
}

/* RCPT */

static bool address_is_bad(const struct smtpd_bad_lists *bad, struct view address,
                           bool relay)
{
    return smtpd_bad_address(&bad->always, address) ||
           (!relay && smtpd_bad_address(&bad->norelay, address));
}

static bool helo_is_bad(const struct smtpd *s, bool relay)
{
    const struct smtpd_bad_lists *bad = &s->policy.bad_helos;
    struct view name = bytes_view(&s->helo);

    return s->helo_given && (smtpd_bad_name(&bad->always, name) ||
                             (!relay && smtpd_bad_name(&bad->norelay, name)));
}

/* A refusal that tells that the client guesses addresses. */
static void refuse_recipient(struct smtpd *s, const char *reply)
{
    s->refused++;
    smtpd_reply(s, reply);
}

/* Whether mail for the address may come in at all; if not it has been answered. */
static bool passes_rcpthosts(struct smtpd *s)
{
    switch (rcpthosts_check(&s->policy.rcpthosts, bytes_view(&s->address))) {
    case RCPTHOSTS_ALLOWED:
        return true;
    case RCPTHOSTS_REFUSED:
        refuse_recipient(
            s, "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)");
        return false;
    case RCPTHOSTS_FAILED:
        break;
    }
    smtpd_end(s, "421 unable to read controls (#4.3.0)");
    return false;
}

/* The lists and limits, in the order of their replies. */
static bool passes_lists(struct smtpd *s, bool relay)
{
    const struct smtpd_policy *p = &s->policy;

    if (p->max_refused && s->refused >= p->max_refused) {
        smtpd_end(s, "421 too many invalid addresses, goodbye (#4.3.0)");
        return false;
    }
    if (helo_is_bad(s, relay)) {
        smtpd_reply(s, "553 sorry, your HELO host name has been denied (#5.7.1)");
        return false;
    }
    if (address_is_bad(&p->bad_senders, bytes_view(&s->sender), relay)) {
        smtpd_reply(
            s, "553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)");
        return false;
    }
    if (!relay && !passes_rcpthosts(s))
        return false;
    if (address_is_bad(&p->bad_recipients, bytes_view(&s->address), relay)) {
        refuse_recipient(s,
                         "553 sorry, your envelope recipient has been denied (#5.7.1)");
        return false;
    }
    if (p->max_recipients && s->recipient_count >= p->max_recipients) {
        smtpd_reply(s, "452 max rcpt limit exceeded (#4.5.3)");
        return false;
    }
    return true;
}

/* Asks the admin's program. */
static bool passes_rcptcheck(struct smtpd *s, bool relay)
{
    const struct smtpd_policy *p = &s->policy;
    struct rcptcheck_question question = {
        .program = p->rcptcheck,
        .sender = bytes_view(&s->sender),
        .recipient = bytes_view(&s->address),
        .helo = bytes_view(&s->helo),
        .quiet = !p->log,
    };
    struct rcptcheck_reply reply = {""};

    if (!p->rcptcheck || (relay && !p->rcptcheck_relay))
        return true;
    if (rcptcheck_ask(&question, &reply) == RCPTCHECK_ACCEPTED)
        return true;
    if (reply.text[0] == '5')
        s->refused++;
    if (view_starts(view_of(reply.text), VIEW("421 ")))
        smtpd_end(s, reply.text);
    else
        smtpd_reply(s, reply.text);
    return false;
}

static void accept_recipient(struct smtpd *s)
{
    const struct smtpd_policy *p = &s->policy;

    bytes_add(&s->recipients, bytes_view(&s->address));
    bytes_add_byte(&s->recipients, '\0');
    s->recipient_count++;
    if (p->tarpit_count && s->recipient_count > p->tarpit_count)
        smtpd_pause(s, p->tarpit_delay_s);
    if (!s->over)
        smtpd_reply(s, "250 ok");
}

void smtpd_rcpt(struct smtpd *s, struct view argument)
{
    const char *suffix = getenv("RELAYCLIENT");
    struct view parameters;

    if (!s->mail_given) {
        smtpd_reply(s, "503 MAIL first (#5.5.1)");
        return;
    }
    if (!read_address(s, argument, SMTPD_RECIPIENT, &parameters))
        return;
    if (!passes_lists(s, suffix != NULL))
        return;
    if (suffix)
        bytes_add_text(&s->address, suffix);
    if (passes_rcptcheck(s, suffix != NULL))
        accept_recipient(s);
}
