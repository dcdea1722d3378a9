/* qmtp - what the servers for QMTP and QMQP have in common.
 *
 * Both read netstrings, some of them inside others, from a client who is not believed
 * anything: nothing is read beyond the end of the netstring that encloses it, nothing
 * is kept but an address at a time, and what ends the session is decided here.
 *
 * qmtp_input.c    reading netstrings
 * qmtp_message.c  starting the queue program, the text of replies, time */
#ifndef ACCEPT_QMTP_H
#define ACCEPT_QMTP_H

#include "mail/enqueue.h"
#include "net/connection.h"

enum {
    QMTP_IDLE_S = 1200,    /* without input, or with output that is not read */
    QMTP_MESSAGE_S = 3600, /* for a whole message, the work of qmail-queue included */
    QMTP_ADDRESS_LIMIT = 1000, /* addresses are shorter than this */
};

struct qmtp_input {
    struct connection *connection;
    bool nested;   /* within an outer netstring, ... */
    uint64_t left; /* of which so many bytes are to come */
    bool over;     /* there is nothing more to be read */
    int exit_code; /* why: 0 the client is gone, 100 it breaks the rules, 111 time or
                      other things have run out */
};

/* qmtp_input.c: where a function returns false the input is over. */

void qmtp_input_open(struct qmtp_input *in, struct connection *c);

/* Ends the input for a reason of the caller's own. False. */
bool qmtp_stop(struct qmtp_input *in, int exit_code);

/* Reads the number of a netstring and its colon. One that has no place, with its
 * comma, in the outer netstring breaks the rules. */
bool qmtp_length(struct qmtp_input *in, uint64_t *len);

/* The same where the number and the colon may have no more than max bytes. */
bool qmtp_length_within(struct qmtp_input *in, uint64_t max, uint64_t *len);

/* The next part of a string of which *len bytes, at least one, are to come; *len is
 * lessened. part is good until the next call. */
bool qmtp_part(struct qmtp_input *in, uint64_t *len, struct view *part);

/* Reads the comma. */
bool qmtp_comma(struct qmtp_input *in);

/* What follows is inside a netstring whose number, len, has been read; and the
 * end of that netstring, at which nothing of it may be left. */
void qmtp_enter(struct qmtp_input *in, uint64_t len);
bool qmtp_leave(struct qmtp_input *in);

/* Reads a whole netstring, an address; address is replaced. *fits is false where it has
 * QMTP_ADDRESS_LIMIT bytes or more, and address is then a part of it. */
bool qmtp_address(struct qmtp_input *in, struct bytes *address, bool *fits);

/* qmtp_message.c */

/* Gives us QMTP_MESSAGE_S from now on; then the process exits 111, whatever it may be
 * waiting for. */
void qmtp_limit_time(void);

/* Starts the queue program and gives it our Received field, which names the protocol.
 * False with errno set where it cannot be started. */
bool qmtp_start(struct enqueue *queue, const char *protocol);

/* Appends what became of a message: a letter and the text. */
void qmtp_add_answer(struct bytes *out, const struct enqueue_answer *answer,
                     int64_t now);

/* Writes a reply as a netstring. */
void qmtp_reply(struct connection *c, struct view reply);

#endif
