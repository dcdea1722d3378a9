/* maildir - a directory of messages, one file each (man page maildir, section 5).
 *
 * A message is written below tmp/, synced, and then linked into new/: who looks
 * there sees whole messages alone, and no lock is needed. */
#ifndef MAIL_MAILDIR_H
#define MAIL_MAILDIR_H

#include "base/bytes.h"

enum maildir_result {
    MAILDIR_DONE,         /* on stable storage, with its name in new/ */
    MAILDIR_NO_DIRECTORY, /* it cannot be entered, and will not be soon */
    MAILDIR_TIMEOUT,      /* MAILDIR_LIMIT_S have passed */
    MAILDIR_UNREADABLE,   /* the message cannot be read */
    MAILDIR_TROUBLE,      /* anything else */
    MAILDIR_CRASHED,      /* the delivering process was killed */
    MAILDIR_NO_PROCESS    /* there is none to be had; errno is set */
};

enum {
    MAILDIR_LIMIT_S = 86400,     /* a delivery takes no longer */
    MAILDIR_ABANDONED_S = 129600 /* so what is unread in tmp/ for longer is nobody's */
};

/* Puts head and then what descriptor message gives from where it is into a new file
 * of maildir dir. After a failure nothing is left in new/. A file's name is the time
 * and our process id; so a second delivery is made by a process of its own.
 *
 * When MAILDIR_LIMIT_S have passed, in the first delivery, timed_out is called by a
 * signal handler, and ends this process; the file is gone then. */
enum maildir_result maildir_deliver(const char *dir, struct view head, int message,
                                    void (*timed_out)(void));

/* The host part of a file name: host with '/' as \057 and ':' as \072, which would
 * break the name. */
void maildir_add_host(struct bytes *out, struct view host);

#endif
