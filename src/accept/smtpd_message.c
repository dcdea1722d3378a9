#include "accept/smtpd.h"

#include "accept/hops.h"
#include "accept/received.h"
#include "accept/smtpd_data.h"
#include "base/clock.h"
#include "base/number.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_REPLY = 512 };

/* A message on its way through us. */
struct message {
    struct smtpd_data decoder;
    struct hops hops;
    uint64_t len; /* as stored, without our field */
};

/* What became of reading a message. */
enum outcome {
    OUTCOME_WHOLE,
    OUTCOME_BARE_LF, /* cannot go on */
    OUTCOME_GONE     /* the client or its time is; the session is over */
};

static void write_received(struct smtpd *s)
{
    struct received received = received_from_environment();
    struct bytes field = {0};

    received.cipher = getenv("SSL_CIPHER");
    received.helo_given = s->helo_given;
    received.helo = bytes_view(&s->helo);
    received.tls = s->tls_active;
    received.authenticated = s->auth.done;
    received_add(&field, &received, clock_now());
    enqueue_message(&s->queue, bytes_view(&field));
    bytes_free(&field);
}

/* What makes a message refused that has been read well, or NULL. */
static const char *refusal(const struct smtpd *s, const struct message *m)
{
    if (m->hops.count >= HOPS_TOO_MANY)
        return "554 too many hops, this message is looping (#5.4.6)";
    if (s->policy.max_bytes && m->len > s->policy.max_bytes)
        return "552 sorry, that message size exceeds my databytes limit (#5.3.4)";
    if (m->decoder.bare_cr && !s->policy.allow_bare_cr)
        return "554 bare CR in message, see RFC 5321 section 2.3.8 (#5.6.0)";
    return NULL;
}

/* Decodes one block of input and hands on what it means. */
static enum smtpd_data_step pass_block(struct smtpd *s, struct message *m,
                                       struct view *block)
{
    struct view whole = *block, run;
    enum smtpd_data_step step;

    while ((step = smtpd_data_next(&m->decoder, block, &run)) == SMTPD_DATA_RUN) {
        m->len = number_sum(m->len, run.len);
        enqueue_message(&s->queue, run);
    }
    /* hops are counted in the lines as they were sent, dots and all */
    hops_count(&m->hops, view_before(whole, whole.len - block->len));
    if (refusal(s, m))
        enqueue_withhold(&s->queue);
    return step;
}

static enum outcome pass_text(struct smtpd *s, struct message *m)
{
    struct reader *in = &s->connection.in;
    struct view block;

    while (reader_peek(in, &block) == READ_ITEM) {
        size_t len = block.len;
        enum smtpd_data_step step = pass_block(s, m, &block);
        reader_skip(in, len - block.len);
        if (step == SMTPD_DATA_END)
            return OUTCOME_WHOLE;
        if (step == SMTPD_DATA_BARE_LF)
            return OUTCOME_BARE_LF;
    }
    return OUTCOME_GONE;
}

static void write_envelope(struct smtpd *s)
{
    struct view rest = bytes_view(&s->recipients);

    enqueue_sender(&s->queue, bytes_view(&s->sender));
    while (rest.len)
        enqueue_recipient(&s->queue, view_cut(&rest, '\0'));
}

/* Answers for a message that was read to its end. */
static void conclude(struct smtpd *s, const struct message *m)
{
    struct enqueue_answer answer;
    const char *refused = refusal(s, m);
    char reply[MAX_REPLY];

    write_envelope(s);
    enqueue_finish(&s->queue, &answer);
    if (refused) {
        smtpd_reply(s, refused);
        return;
    }
    if (answer.verdict == ENQUEUE_QUEUED) {
        snprintf(reply, sizeof reply, "250 ok %lld qp %ld", (long long)clock_now(),
                 (long)answer.pid);
        smtpd_log(s, "accept", reply);
    } else {
        snprintf(reply, sizeof reply, "%s %s",
                 answer.verdict == ENQUEUE_PERM ? "554" : "451", answer.text);
    }
    smtpd_reply(s, reply);
}

static void receive(struct smtpd *s)
{
    struct message m = {0};

    smtpd_data_begin(&m.decoder);
    smtpd_reply(s, "354 go ahead");
    if (!connection_flush(&s->connection)) {
        smtpd_end(s, NULL);
        return;
    }
    write_received(s);
    switch (pass_text(s, &m)) {
    case OUTCOME_WHOLE:
        conclude(s, &m);
        return;
    case OUTCOME_BARE_LF:
        smtpd_end(s, "451 See https://cr.yp.to/docs/smtplf.html.");
        return;
    case OUTCOME_GONE:
        smtpd_input_failed(s);
        return;
    }
}

void smtpd_data_command(struct smtpd *s, struct view argument)
{
    (void)argument;
    if (!s->mail_given) {
        smtpd_reply(s, "503 MAIL first (#5.5.1)");
        return;
    }
    if (s->recipient_count == 0) {
        smtpd_reply(s, "503 RCPT first (#5.5.1)");
        return;
    }
    if (enqueue_start(&s->queue, NULL))
        receive(s);
    else
        smtpd_reply(s, "451 qqt failure (#4.3.0)");
    smtpd_forget(s);
}
