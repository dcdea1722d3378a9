/* qmqpc - the parts of qmail-qmqpc.
 *
 * qmqpc_request.c   what we are to send: read from qmail-queue's two descriptors
 * qmqpc_reply.c     what the server says */
#ifndef ACCEPT_QMQPC_H
#define ACCEPT_QMQPC_H

#include "base/reader.h"
#include "mail/queue_exit.h"

enum {
    QMQPC_MAX_ADDRESS = 65536, /* servers take less than a thousand bytes */
    QMQPC_MAX_TEXT = 255,      /* bytes of a reply that are passed on */
    QMQPC_LEAST_TEXT = 3,      /* a shorter one says nothing */
    QMQPC_MAX_NOISE = 65536    /* bytes in front of a reply that are skipped */
};

/* A request: what stands before the message, the message, what stands behind it. */
struct qmqpc_request {
    struct bytes head, message, tail;
};

/* Reads the message from message_fd to its end, then the envelope from envelope_fd,
 * as qmail-queue does, and makes a request of them. QUEUE_OK, or how to exit. */
enum queue_exit qmqpc_request_read(struct qmqpc_request *r, int message_fd,
                                   int envelope_fd);

/* A reply, which comes in pieces. {0} begins. */
struct qmqpc_reply {
    char letter;               /* K, Z or D, once it has come */
    bool whole;                /* nothing more is wanted */
    size_t skipped;            /* bytes in front of the letter */
    bool counting;             /* those bytes end in digits, ... */
    uint64_t number;           /* ...with this value */
    bool bounded;              /* the text's length is known: */
    uint64_t len;              /* this */
    char text[QMQPC_MAX_TEXT]; /* with its letter */
    size_t text_len;
};

/* Takes the next bytes. False where this is no reply, but endless noise. */
bool qmqpc_reply_add(struct qmqpc_reply *reply, struct view bytes);

/* How to exit; the text is worth passing on where that is QUEUE_CUSTOM, which
 * depends on whether our caller wants texts. */
enum queue_exit qmqpc_reply_exit(const struct qmqpc_reply *reply, bool text_wanted);

#endif
