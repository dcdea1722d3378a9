#include "accept/qmqpd.h"

#include "base/clock.h"
#include "base/die.h"

static bool take_message(struct qmqpd *s)
{
    uint64_t len;
    struct view part;

    if (!qmtp_length(&s->input, &len))
        return false;
    if (!qmtp_start(&s->queue, "QMQP"))
        return qmtp_stop(&s->input, DIE_TEMP);
    s->too_large = s->max_bytes && len > s->max_bytes;
    if (s->too_large)
        enqueue_withhold(&s->queue);
    while (len) {
        if (!qmtp_part(&s->input, &len, &part))
            return false;
        enqueue_message(&s->queue, part);
    }
    return qmtp_comma(&s->input);
}

/* A bad address spoils the whole message. */
static bool take_address(struct qmqpd *s, struct bytes *address)
{
    bool fits;

    if (!qmtp_address(&s->input, address, &fits))
        return false;
    if (!fits || view_has(bytes_view(address), '\0')) {
        s->bad_address = true;
        enqueue_withhold(&s->queue);
    }
    return true;
}

static bool take_envelope(struct qmqpd *s, struct bytes *address)
{
    if (!take_address(s, address))
        return false;
    enqueue_sender(&s->queue, bytes_view(address));
    while (s->input.left) {
        if (!take_address(s, address))
            return false;
        enqueue_recipient(&s->queue, bytes_view(address));
    }
    return true;
}

static void conclude(struct qmqpd *s)
{
    struct enqueue_answer answer;
    struct bytes reply = {0};

    enqueue_finish(&s->queue, &answer);
    if (s->too_large)
        bytes_add_text(&reply,
                       "Dsorry, that message size exceeds my databytes limit (#5.3.4)");
    else if (s->bad_address)
        bytes_add_text(&reply, "Dsorry, I can't accept addresses like that (#5.1.3)");
    else
        qmtp_add_answer(&reply, &answer, clock_now());
    qmtp_reply(&s->connection, bytes_view(&reply));
    connection_flush(&s->connection); /* if it is not taken there is no more to do */
    bytes_free(&reply);
}

/* netstring( netstring(message) netstring(sender) netstring(recipient) ... ) */
static bool take_request(struct qmqpd *s)
{
    struct bytes address = {0};
    uint64_t len;

    if (!qmtp_length_within(&s->input, QMQPD_MAX_NUMBER, &len))
        return false;
    qmtp_enter(&s->input, len);
    bool taken = take_message(s) && take_envelope(s, &address) && qmtp_leave(&s->input);
    bytes_free(&address);
    return taken;
}

int qmqpd_serve(struct qmqpd *s)
{
    qmtp_input_open(&s->input, &s->connection);
    qmtp_limit_time();
    if (take_request(s))
        conclude(s);
    return s->input.exit_code;
}
