/* rcptcheck - asking a program whether a recipient exists (RCPTCHECK, man page
 * qmail-smtpd). */
#ifndef ACCEPT_RCPTCHECK_H
#define ACCEPT_RCPTCHECK_H

#include "base/bytes.h"

struct rcptcheck_question {
    const char *program;
    struct view sender, recipient, helo; /* no NULs */
    bool quiet; /* what it prints goes to /dev/null, not to our descriptor 2 */
};

enum { RCPTCHECK_MAX_TEXT = 500 };

/* An SMTP reply without CR LF: a number from 400 to 599, a space, a text. */
struct rcptcheck_reply {
    char text[RCPTCHECK_MAX_TEXT + 1];
};

enum rcptcheck_result {
    RCPTCHECK_ACCEPTED,
    RCPTCHECK_NO_MAILBOX,
    RCPTCHECK_OVER_LIMIT, /* this sender has had enough */
    RCPTCHECK_TROUBLE     /* nobody knows for now; also if the program failed */
};

/* Runs the program, for a minute at most. Unless the recipient is accepted reply is
 * what to say in SMTP, by the result or in the program's own words. */
enum rcptcheck_result rcptcheck_ask(const struct rcptcheck_question *q,
                                    struct rcptcheck_reply *reply);

/* Reads what the program wrote, at most RCPTCHECK_MAX_TEXT bytes: its first line is the
 * reply if it is a refusal that SMTP knows, bytes that are not printable changed to
 * '?'. False, with reply unchanged, if not. */
bool rcptcheck_own_reply(struct view text, struct rcptcheck_reply *reply);

#endif
