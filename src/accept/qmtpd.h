/* qmtpd - the QMTP server's session, shared by its parts.
 *
 * qmtpd_session.c   messages, recipients, replies
 * qmtpd_text.c      the encodings of a message
 * qmtpd_controls.c  what the admin decided */
#ifndef ACCEPT_QMTPD_H
#define ACCEPT_QMTPD_H

#include "accept/hops.h"
#include "accept/qmtp.h"
#include "accept/rcpthosts.h"

enum {
    /* Recipients of a message. Each costs a byte until all are read, because the
     * message's own fate is known no sooner. */
    QMTPD_MAX_RECIPIENTS = 16777216
};

struct qmtpd_policy {
    struct rcpthosts rcpthosts;
    uint64_t max_bytes;    /* of a message; 0: no limit */
    const char *suffix;    /* RELAYCLIENT, or NULL for a client that may not relay */
    const char *rcptcheck; /* the program that knows the recipients, or NULL */
    bool rcptcheck_relay;  /* ask it about the recipients of relay clients too */
};

/* qmtpd_text.c: lines that end in CR LF become lines that end in LF. */

struct qmtpd_text {
    bool cr; /* a CR has come, and is owed unless LF follows */
};

/* Decodes from *rest, which is moved behind what has been used. False when it is used
 * up; else run holds the next bytes of the text, perhaps none. {false} begins. */
bool qmtpd_text_next(struct qmtpd_text *t, struct view *rest, struct view *run);

/* What is still owed at the end of the text. */
struct view qmtpd_text_end(const struct qmtpd_text *t);

/* A message, on its way through us. */
struct qmtpd_message {
    struct hops hops;
    uint64_t len; /* as stored, without our Received field */
    bool sender_usable;
    struct bytes sender;
    struct bytes fates; /* of its recipients: a byte of enum qmtpd_fate each */
    bool accepted;      /* one of them at least */
};

enum qmtpd_fate {
    QMTPD_ACCEPTED, /* that of the message */
    QMTPD_REFUSED,  /* not our domain */
    QMTPD_UNUSABLE,
    QMTPD_NO_MAILBOX,
    QMTPD_UNVERIFIED
};

struct qmtpd {
    struct qmtpd_policy policy;
    struct connection connection;
    struct qmtp_input input;
    struct enqueue queue;
    struct qmtpd_message message;
    struct bytes recipient;
};

/* qmtpd_controls.c: reads the control files, from HOME, and the environment. False
 * where one is there that cannot be read. */
bool qmtpd_controls_read(struct qmtpd_policy *p);

/* qmtpd_session.c: takes messages from the connection until it is over. The exit
 * code. */
int qmtpd_serve(struct qmtpd *s);

#endif
