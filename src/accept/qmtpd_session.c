#include "accept/qmtpd.h"

#include "accept/rcptcheck.h"
#include "base/clock.h"
#include "base/die.h"
#include "base/number.h"

/* The message */

static bool is_too_large(const struct qmtpd *s)
{
    return s->policy.max_bytes && s->message.len > s->policy.max_bytes;
}

static void pass(struct qmtpd *s, struct view run)
{
    struct qmtpd_message *m = &s->message;

    m->len = number_sum(m->len, run.len);
    hops_count(&m->hops, run);
    if (is_too_large(s) || m->hops.count >= HOPS_TOO_MANY)
        enqueue_withhold(&s->queue);
    enqueue_message(&s->queue, run);
}

/* Reads a text of len bytes that is stored as it is. */
static bool take_plain(struct qmtpd *s, uint64_t len)
{
    struct view part;

    if (s->policy.max_bytes && len > s->policy.max_bytes)
        enqueue_withhold(&s->queue); /* before any of it is passed on */
    while (len) {
        if (!qmtp_part(&s->input, &len, &part))
            return false;
        pass(s, part);
    }
    return true;
}

/* The same where lines end in CR LF. */
static bool take_crlf(struct qmtpd *s, uint64_t len)
{
    struct qmtpd_text text = {0};
    struct view part, run;

    while (len) {
        if (!qmtp_part(&s->input, &len, &part))
            return false;
        while (qmtpd_text_next(&text, &part, &run))
            pass(s, run);
    }
    pass(s, qmtpd_text_end(&text));
    return true;
}

/* The netstring begins with a byte that tells how lines end. */
static bool take_message(struct qmtpd *s)
{
    uint64_t len, one = 1;
    struct view encoding;

    if (!qmtp_length(&s->input, &len))
        return false;
    if (len == 0)
        return qmtp_stop(&s->input, DIE_PERM);
    if (!qmtp_part(&s->input, &one, &encoding))
        return false;
    char line_end = encoding.data[0];
    if (line_end != '\n' && line_end != '\r')
        return qmtp_stop(&s->input, DIE_PERM);
    if (!qmtp_start(&s->queue, "QMTP"))
        return qmtp_stop(&s->input, DIE_TEMP);
    bool taken = line_end == '\n' ? take_plain(s, len - 1) : take_crlf(s, len - 1);
    return taken && qmtp_comma(&s->input);
}

/* The envelope */

static bool take_sender(struct qmtpd *s)
{
    struct qmtpd_message *m = &s->message;

    if (!qmtp_address(&s->input, &m->sender, &m->sender_usable))
        return false;
    if (view_has(bytes_view(&m->sender), '\0'))
        m->sender_usable = false;
    if (!m->sender_usable)
        enqueue_withhold(&s->queue);
    enqueue_sender(&s->queue, bytes_view(&m->sender));
    return true;
}

static enum qmtpd_fate ask_rcptcheck(const struct qmtpd *s)
{
    struct rcptcheck_question question = {
        .program = s->policy.rcptcheck,
        .sender = bytes_view(&s->message.sender),
        .recipient = bytes_view(&s->recipient),
        .helo = VIEW(""),
        .quiet = true,
    };
    struct rcptcheck_reply reply;

    switch (rcptcheck_ask(&question, &reply)) {
    case RCPTCHECK_ACCEPTED:
        return QMTPD_ACCEPTED;
    case RCPTCHECK_NO_MAILBOX:
        return QMTPD_NO_MAILBOX;
    case RCPTCHECK_OVER_LIMIT:
    case RCPTCHECK_TROUBLE:
        break;
    }
    return QMTPD_UNVERIFIED;
}

/* Completes s->recipient and decides about it. False where the decision cannot be
 * made. */
static bool judge_recipient(struct qmtpd *s, bool fits, enum qmtpd_fate *fate)
{
    const struct qmtpd_policy *p = &s->policy;
    struct view suffix = view_of(p->suffix ? p->suffix : "");

    *fate = QMTPD_UNUSABLE;
    if (!fits || s->recipient.len + suffix.len >= QMTP_ADDRESS_LIMIT)
        return true;
    if (!p->suffix) {
        switch (rcpthosts_check(&p->rcpthosts, bytes_view(&s->recipient))) {
        case RCPTHOSTS_ALLOWED:
            break;
        case RCPTHOSTS_REFUSED:
            *fate = QMTPD_REFUSED;
            return true;
        case RCPTHOSTS_FAILED:
            return false;
        }
    }
    if (view_has(bytes_view(&s->recipient), '\0'))
        return true;
    bytes_add(&s->recipient, suffix);
    *fate = QMTPD_ACCEPTED;
    if (p->rcptcheck && (!p->suffix || p->rcptcheck_relay) && !s->queue.withheld)
        *fate = ask_rcptcheck(s);
    return true;
}

static bool take_recipient(struct qmtpd *s)
{
    struct qmtpd_message *m = &s->message;
    enum qmtpd_fate fate;
    bool fits;

    if (m->fates.len == QMTPD_MAX_RECIPIENTS)
        return qmtp_stop(&s->input, DIE_TEMP);
    if (!qmtp_address(&s->input, &s->recipient, &fits))
        return false;
    if (!judge_recipient(s, fits, &fate))
        return qmtp_stop(&s->input, DIE_TEMP);
    bytes_add_byte(&m->fates, (char)fate);
    if (fate == QMTPD_ACCEPTED) {
        m->accepted = true;
        enqueue_recipient(&s->queue, bytes_view(&s->recipient));
    }
    return true;
}

static bool take_recipients(struct qmtpd *s)
{
    uint64_t len;

    if (!qmtp_length(&s->input, &len))
        return false;
    qmtp_enter(&s->input, len);
    while (s->input.left)
        if (!take_recipient(s))
            return false;
    return qmtp_leave(&s->input);
}

/* Replies */

/* What is said of the recipients that share the message's fate. */
static void add_result(const struct qmtpd *s, const struct enqueue_answer *answer,
                       struct bytes *out)
{
    const struct qmtpd_message *m = &s->message;

    if (m->hops.count >= HOPS_TOO_MANY)
        bytes_add_text(out, "Dtoo many hops, this message is looping (#5.4.6)");
    else if (is_too_large(s))
        bytes_add_text(out,
                       "Dsorry, that message size exceeds my databytes limit (#5.3.4)");
    else if (!m->sender_usable)
        bytes_add_text(out, "Dunacceptable sender (#5.1.7)");
    else
        qmtp_add_answer(out, answer, clock_now());
}

/* Completes the envelope, if the message may go, and tells what came of it. */
static void conclude(struct qmtpd *s)
{
    static const struct view fixed[] = {
        [QMTPD_REFUSED] = VIEW_INIT(
            "Dsorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"),
        [QMTPD_UNUSABLE] = VIEW_INIT("Dsorry, I can't handle that recipient (#5.1.3)"),
        [QMTPD_NO_MAILBOX] =
            VIEW_INIT("Dsorry, no mailbox here by that name. (#5.1.1)"),
        [QMTPD_UNVERIFIED] = VIEW_INIT("Zunable to verify recipient (#4.3.0)"),
    };
    const struct qmtpd_message *m = &s->message;
    struct enqueue_answer answer;
    struct bytes result = {0};

    if (!m->accepted)
        enqueue_withhold(&s->queue);
    enqueue_finish(&s->queue, &answer);
    add_result(s, &answer, &result);
    for (size_t i = 0; i < m->fates.len; i++) {
        unsigned char fate = (unsigned char)m->fates.data[i];
        qmtp_reply(&s->connection,
                   fate == QMTPD_ACCEPTED ? bytes_view(&result) : fixed[fate]);
    }
    bytes_free(&result);
}

/* One message. False when there are no more. */
static bool serve_message(struct qmtpd *s)
{
    struct qmtpd_message *m = &s->message;

    m->hops = (struct hops){0};
    m->len = 0;
    m->accepted = false;
    bytes_clear(&m->fates);
    if (!take_message(s) || !take_sender(s) || !take_recipients(s))
        return false;
    conclude(s);
    return true;
}

int qmtpd_serve(struct qmtpd *s)
{
    qmtp_input_open(&s->input, &s->connection);
    do
        qmtp_limit_time();
    while (serve_message(s));
    connection_flush(&s->connection); /* what has been queued is worth its reply */
    return s->input.exit_code;
}
