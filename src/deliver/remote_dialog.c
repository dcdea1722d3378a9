#include "deliver/remote.h"

#include "mail/address.h"
#include "net/connection.h"

#include <sys/stat.h>
#include <unistd.h>

enum {
    MAX_PIPELINED = 100, /* commands without an answer */
    /* Commands sent at once are no longer than what the system surely takes without
     * the peer reading: so we never wait to write while the peer waits for us to read
     * its replies (RFC 2920, 3.1). */
    MAX_PIPELINED_BYTES = 8192,
    CODE_CLOSING = 421
};

struct dialog {
    const struct remote_job *job;
    const struct remote_peer *with;
    struct view ip;
    struct connection peer;
    struct remote_reply reply;
    struct remote_offers offers;
    struct bytes *recipients, *verdict;
    struct bytes tls;        /* the helper's status line */
    struct view tls_session; /* in it; empty without TLS */
};

/* What a step of the dialogue leads to. */
enum step { GO_ON, FINISHED, NEXT_ADDRESS, IN_CLEAR };

/* -- the message's file, where it is one */

/* Whether the message is a regular file; the bytes from where it is read. */
static bool message_part(int fd, off_t *from, uint64_t *len)
{
    struct stat st;
    if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
        (*from = lseek(fd, 0, SEEK_CUR)) == -1)
        return false;
    *len = st.st_size > *from ? (uint64_t)(st.st_size - *from) : 0;
    return true;
}

static bool has_eight_bit(struct view v)
{
    unsigned char all = 0;
    for (size_t i = 0; i < v.len; i++)
        all |= (unsigned char)v.data[i];
    return all > 127;
}

/* Whether the message holds a byte above 127. Reads beside the descriptor's place;
 * what cannot be read will be found out when the message is sent. */
static bool message_is_eight_bit(int fd, off_t from)
{
    char block[READER_ROOM];
    for (;;) {
        ssize_t n = pread(fd, block, sizeof block, from);
        if (n <= 0)
            return false;
        if (has_eight_bit(view_at(block, (size_t)n)))
            return true;
        from += n;
    }
}

/* -- commands, replies, verdicts */

/* Sends what is waiting and reads a whole reply. False where the connection died. */
static bool read_reply(struct dialog *d)
{
    struct view unread;
    remote_reply_clear(&d->reply);
    if (!connection_flush(&d->peer))
        return false;
    while (!d->reply.whole) {
        if (d->reply.len > REMOTE_MAX_REPLY_READ ||
            reader_peek(&d->peer.in, &unread) != READ_ITEM)
            return false;
        reader_skip(&d->peer.in, remote_reply_feed(&d->reply, unread));
    }
    return true;
}

static bool command(struct dialog *d, const char *verb, struct view argument)
{
    writer_add_text(&d->peer.out, verb);
    writer_add(&d->peer.out, argument);
    writer_add_text(&d->peer.out, "\r\n");
    return read_reply(d);
}

static enum step verdict(struct dialog *d, char letter, enum remote_text text,
                         struct view reply)
{
    bytes_clear(d->verdict);
    remote_report_reply(d->verdict, letter, text, d->ip, reply);
    return FINISHED;
}

static enum step died(struct dialog *d)
{
    return verdict(d, 'Z', REMOTE_DIED, VIEW(""));
}

/* The verdict is known: whether the peer hears of the end changes nothing. */
static enum step quit(struct dialog *d, char letter, enum remote_text text,
                      struct view reply)
{
    writer_add_text(&d->peer.out, "QUIT\r\n");
    connection_flush(&d->peer);
    return verdict(d, letter, text, reply);
}

/* The same, because of the reply just read. */
static enum step quit_for_reply(struct dialog *d, char letter, enum remote_text text)
{
    return quit(d, letter, text, bytes_view(&d->reply.text));
}

/* The letter for a command that failed. */
static char failure(const struct dialog *d)
{
    return d->reply.code >= 500 ? 'D' : 'Z';
}

/* Whether the reply says yes: 2xx and 3xx, as far as it is one. */
static bool accepted(const struct dialog *d)
{
    return d->reply.code >= 200 && d->reply.code < 400;
}

/* -- the steps */

static enum step greeting(struct dialog *d)
{
    if (!read_reply(d)) {
        died(d);
        return NEXT_ADDRESS;
    }
    if (d->reply.code == 220)
        return GO_ON;
    quit_for_reply(d, 'Z', REMOTE_GREETING);
    return NEXT_ADDRESS;
}

/* EHLO, and HELO for those who do not know it. Can be done again when TLS has been
 * put below the connection. */
static enum step hello(struct dialog *d)
{
    bool alive = command(d, "EHLO ", d->job->helo);
    if (alive && d->reply.code == 250) {
        remote_offers_read(&d->offers, bytes_view(&d->reply.text));
        return GO_ON;
    }
    d->offers = (struct remote_offers){0};
    if (alive && (d->reply.code < 400 || d->reply.code > 499))
        alive = command(d, "HELO ", d->job->helo);
    if (!alive) {
        died(d);
        return NEXT_ADDRESS;
    }
    if (d->reply.code == 250)
        return GO_ON;
    quit_for_reply(d, 'Z', REMOTE_HELO);
    return d->reply.code >= 500 ? FINISHED : NEXT_ADDRESS;
}

static enum step tls_verdict(struct dialog *d, enum remote_text text,
                             struct view detail)
{
    bytes_clear(d->verdict);
    remote_report_detail(d->verdict, text, d->ip, detail);
    return FINISHED;
}

/* The peer has agreed: the helper does the handshake, and the dialogue begins anew
 * behind it. */
static enum step start_tls(struct dialog *d)
{
    const struct remote_job *job = d->job;
    struct remote_tls_helper helper = {.path = job->tls_client,
                                       .policy = job->tls_policy,
                                       .domain = job->domain,
                                       .host = d->with->host,
                                       .ip = d->ip,
                                       .timeout_s = job->timeout_s};
    struct remote_tls_status status;
    if (remote_tls_start(&helper, d->with->fd, &d->tls) != REMOTE_TLS_STARTED)
        return verdict(d, 'Z', REMOTE_NO_SYSTEM, VIEW(""));
    remote_tls_status_read(&status, bytes_view(&d->tls));
    if (!status.up) {
        tls_verdict(d, REMOTE_TLS_FAILED, status.reason);
        return job->tls_policy == RELAY_TLS_MAY ? IN_CLEAR : FINISHED;
    }
    connection_switch(&d->peer, d->with->fd, d->with->fd);
    if (job->tls_policy == RELAY_TLS_VERIFY && !status.verified) {
        quit(d, 'Z', REMOTE_TLS_UNVERIFIED, VIEW(""));
        return tls_verdict(d, REMOTE_TLS_UNVERIFIED, status.reason);
    }
    d->tls_session = status.session;
    return hello(d);
}

static enum step tls(struct dialog *d)
{
    const struct remote_job *job = d->job;
    bool required = job->tls_policy >= RELAY_TLS_ENCRYPT;
    if (job->tls_policy == RELAY_TLS_NONE || d->with->in_clear)
        return GO_ON;
    if (job->tls_client && d->offers.starttls) {
        if (!command(d, "STARTTLS", VIEW("")))
            return died(d);
        if (d->reply.code == 220) {
            /* what has come already came in clear text, from whomever */
            return reader_has(&d->peer.in) ? died(d) : start_tls(d);
        }
    }
    return required ? quit(d, 'Z', REMOTE_TLS_NOT_OFFERED, VIEW("")) : GO_ON;
}

/* Adds the parameters of MAIL. False where the peer does not take so large a
 * message. */
static bool add_mail_parameters(struct dialog *d, struct bytes *out)
{
    off_t from;
    uint64_t len;
    if (!d->offers.size && !d->offers.eight_bit)
        return true;
    if (!message_part(d->job->message, &from, &len))
        return true;
    if (d->offers.size) {
        if (d->offers.max_size && len > d->offers.max_size)
            return false;
        bytes_add_text(out, " SIZE=");
        bytes_add_number(out, len);
    }
    if (d->offers.eight_bit && message_is_eight_bit(d->job->message, from))
        bytes_add_text(out, " BODY=8BITMIME");
    return true;
}

/* The commands of the envelope are numbered: MAIL is 0, RCPT for the first recipient
 * is 1. A recipient that cannot be sent has a number and no command. */
static struct view recipient_of(const struct dialog *d, size_t number)
{
    return view_of(d->job->recipients[number - 1]);
}

static void send_recipient(struct dialog *d, size_t number, struct bytes *batch)
{
    struct view address = recipient_of(d, number);
    if (remote_has_line_break(address))
        return;
    bytes_add_text(batch, "RCPT TO:<");
    remote_address(batch, address);
    bytes_add_text(batch, ">\r\n");
}

/* Reads the reply to RCPT and reports it. False where the connection died. */
static bool judge_recipient(struct dialog *d, size_t number, bool *taken)
{
    if (remote_has_line_break(recipient_of(d, number))) {
        remote_report(d->recipients, REMOTE_RECIPIENT_BREAK, d->ip);
        return true;
    }
    if (!read_reply(d))
        return false;
    if (accepted(d)) {
        *taken = true;
        remote_report(d->recipients, REMOTE_RECIPIENT_OK, d->ip);
        return true;
    }
    char letter = d->reply.code >= 500 ? 'h' : 's';
    remote_report_reply(d->recipients, letter, REMOTE_RECIPIENT, d->ip,
                        bytes_view(&d->reply.text));
    return true;
}

static enum step judge_sender(struct dialog *d)
{
    if (!read_reply(d))
        return died(d);
    if (accepted(d))
        return GO_ON;
    quit_for_reply(d, failure(d), REMOTE_SENDER);
    return d->reply.code == CODE_CLOSING ? NEXT_ADDRESS : FINISHED;
}

/* Sends commands and reads their replies, alternately, batch by batch; batch holds
 * MAIL at the beginning. */
static enum step exchange(struct dialog *d, struct bytes *batch)
{
    const size_t window = d->offers.pipelining ? MAX_PIPELINED : 1;
    const size_t count = 1 + d->job->recipient_count;
    size_t sent = 1, judged = 0;
    bool taken = false;

    while (judged < count) {
        while (sent < count && sent - judged < window &&
               batch->len < MAX_PIPELINED_BYTES)
            send_recipient(d, sent++, batch);
        writer_add(&d->peer.out, bytes_view(batch));
        bytes_clear(batch);
        for (; judged < sent; judged++) {
            if (judged == 0) {
                enum step step = judge_sender(d);
                if (step != GO_ON)
                    return step;
            } else if (!judge_recipient(d, judged, &taken)) {
                return died(d);
            }
        }
    }
    return taken ? GO_ON : quit(d, 'D', REMOTE_GIVING_UP, VIEW(""));
}

static enum step envelope(struct dialog *d)
{
    struct bytes batch = {0};
    enum step step;
    bytes_add_text(&batch, "MAIL FROM:<");
    bytes_add(&batch, d->job->sender);
    bytes_add_byte(&batch, '>');
    if (add_mail_parameters(d, &batch)) {
        bytes_add_text(&batch, "\r\n");
        step = exchange(d, &batch);
    } else {
        step = quit(d, 'D', REMOTE_TOO_LARGE, VIEW(""));
    }
    bytes_free(&batch);
    return step;
}

static enum step data(struct dialog *d)
{
    if (!command(d, "DATA", VIEW("")))
        return died(d);
    if (d->reply.code >= 300 && d->reply.code < 400)
        return GO_ON;
    return quit_for_reply(d, failure(d), REMOTE_DATA);
}

/* Sends the message up to its end. */
static enum step send_lines(struct dialog *d, struct reader *message,
                            struct remote_blast *blast, struct bytes *wire)
{
    for (;;) {
        struct view block;
        enum read_result result = reader_peek(message, &block);
        if (result == READ_END)
            return GO_ON;
        if (result != READ_ITEM)
            return verdict(d, 'Z', REMOTE_NOT_READ, VIEW(""));
        bytes_clear(wire);
        remote_blast_feed(blast, block, wire);
        reader_skip(message, block.len);
        writer_add(&d->peer.out, bytes_view(wire));
        if (d->peer.out.error)
            return died(d);
    }
}

/* The peer has the message. */
static enum step taken_over(struct dialog *d)
{
    struct bytes *text = &d->reply.text;
    if (d->tls_session.len) {
        if (!view_ends(bytes_view(text), VIEW("\n")))
            bytes_add_byte(text, '\n');
        bytes_add_text(text, "TLS: ");
        bytes_add(text, d->tls_session);
        bytes_add_byte(text, '\n');
    }
    return quit_for_reply(d, 'K', REMOTE_ACCEPTED);
}

static enum step message(struct dialog *d)
{
    static struct reader file;
    struct remote_blast blast = {0};
    struct bytes wire = {0};
    reader_open(&file, d->job->message, 0);
    enum step step = send_lines(d, &file, &blast, &wire);
    if (step != GO_ON)
        goto out;
    bytes_clear(&wire);
    if (!remote_blast_end(&blast, &wire)) {
        step = verdict(d, 'D', REMOTE_PARTIAL_LINE, VIEW(""));
        goto out;
    }
    writer_add(&d->peer.out, bytes_view(&wire));
    if (!read_reply(d)) /* the peer may have the whole message by now */
        step = verdict(d, 'Z', REMOTE_DIED_DUPLICATE, VIEW(""));
    else if (accepted(d))
        step = taken_over(d);
    else
        step = quit_for_reply(d, failure(d), REMOTE_MESSAGE);
out:
    bytes_free(&wire);
    return step;
}

enum remote_outcome remote_dialog(const struct remote_job *job,
                                  const struct remote_peer *peer,
                                  struct bytes *recipients, struct bytes *verdict_to)
{
    static enum step (*const steps[])(struct dialog * d) = {greeting, hello, tls,
                                                            envelope, data,  message};
    static const enum remote_outcome outcomes[] = {[GO_ON] = REMOTE_DONE,
                                                   [FINISHED] = REMOTE_DONE,
                                                   [NEXT_ADDRESS] = REMOTE_TRY_NEXT,
                                                   [IN_CLEAR] = REMOTE_TRY_IN_CLEAR};
    static struct dialog d; /* large, for its buffers */
    d.job = job;
    d.with = peer;
    d.ip = peer->ip;
    d.offers = (struct remote_offers){0};
    d.recipients = recipients;
    d.verdict = verdict_to;
    d.tls_session = VIEW("");
    connection_open(&d.peer, peer->fd, peer->fd, job->timeout_s);

    enum step step = GO_ON;
    for (size_t i = 0; i < COUNT(steps) && step == GO_ON; i++)
        step = steps[i](&d);
    return outcomes[step];
}

void remote_address(struct bytes *out, struct view address)
{
    if (view_has(address, '@'))
        address_quote(out, address);
    else
        bytes_add(out, address);
}

bool remote_has_line_break(struct view address)
{
    return view_has(address, '\r') || view_has(address, '\n');
}
