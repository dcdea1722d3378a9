/* pop3d - the POP3 session over one maildir, which is the working directory. */
#ifndef MAILBOX_POP3D_H
#define MAILBOX_POP3D_H

#include "mail/maildir_list.h"
#include "mailbox/pop3.h"

struct pop3d {
    struct pop3 pop3;
    struct maildir_list list; /* message number n is entry n - 1 */
    bool *deleted;            /* of each message */
    size_t last;              /* the highest number that was ever marked */
};

/* Makes the list of the maildir, as it is at second now; mail of that very second is
 * for the next session. False if it cannot be read. */
bool pop3d_open(struct pop3d *p, int64_t now);

/* Greets, and serves commands until the session ends. */
void pop3d_serve(struct pop3d *p);

#endif
