/* qmqpd - the QMQP server's session. */
#ifndef ACCEPT_QMQPD_H
#define ACCEPT_QMQPD_H

#include "accept/qmtp.h"

enum {
    QMQPD_MAX_NUMBER = 100 /* bytes of the outer length and its colon */
};

struct qmqpd {
    uint64_t max_bytes; /* of the message; 0: no limit */
    struct connection connection;
    struct qmtp_input input;
    struct enqueue queue;
    bool too_large;   /* the message */
    bool bad_address; /* one of the addresses, at least */
};

/* Takes one message from the connection and answers. The exit code. */
int qmqpd_serve(struct qmqpd *s);

#endif
