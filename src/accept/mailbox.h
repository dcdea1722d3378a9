/* mailbox - whether the deliveries of this host know a recipient.
 *
 * The questions are those that a message meets on its way, asked of the same code:
 * qmail-send's (mail/route.h), qmail-lspawn's (mail/assign.h, mail/account.h) and
 * qmail-local's (mail/dotqmail.h). Nothing is executed, and of the files only the
 * names matter. */
#ifndef ACCEPT_MAILBOX_H
#define ACCEPT_MAILBOX_H

#include "mail/account.h"
#include "mail/route.h"

enum mailbox {
    MAILBOX_THERE, /* as far as can be seen, or another host's business */
    MAILBOX_NONE,  /* qmail-local would say so for good */
    MAILBOX_UNSURE /* for now */
};

/* Where the answers are. */
struct mailbox_places {
    struct route_rules rules;
    const char *assign; /* users/cdb, by any path */
    account_asked *ask; /* the accounts of the system */
};

/* Answers for recipient. Changes the working directory, unless all paths in places
 * are absolute. *why, if the answer is MAILBOX_UNSURE, says what is the matter. */
enum mailbox mailbox_find(const struct mailbox_places *places, struct view recipient,
                          const char **why);

/* The answer for $RECIPIENT, with control/ and users/cdb of HOME, which is entered, and
 * the accounts that ask knows: what qmail-rcptcheck and qmail-rcptcheck-nss do. Dies
 * with DIE_TEMP where it cannot begin. */
enum mailbox mailbox_answer(account_asked *ask, const char **why);

/* Ends the process with that answer. */
_Noreturn void mailbox_exit(enum mailbox answer, const char *why);

#endif
