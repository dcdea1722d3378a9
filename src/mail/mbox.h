/* mbox - many messages in one file (man page mbox, section 5).
 *
 * A message begins with its From_ line; a line of the message that could be taken
 * for one, "From " after any number of '>', gets one more '>' in front; an empty
 * line ends it. Who appends holds an exclusive flock(2). */
#ifndef MAIL_MBOX_H
#define MAIL_MBOX_H

#include "base/bytes.h"
#include "base/writer.h"

/* From_ quoting of one message, block by block; {0} begins it. Nothing is kept but
 * the few bytes of a "From " that a block's end cuts. */
struct mbox_quoting {
    size_t matched; /* bytes of "From " seen at the start of the present line */
    size_t held;    /* how many of them have not been written yet */
    bool inside;    /* the present line is no From_ line */
    bool open;      /* the last byte was not a line feed */
};

/* Writes the next block of the message. */
void mbox_quote(struct mbox_quoting *q, struct view block, struct writer *out);

/* Ends the message: the line feed that its last line may lack, and the empty
 * line. */
void mbox_quote_end(struct mbox_quoting *q, struct writer *out);

enum mbox_result {
    MBOX_DONE,       /* on stable storage, with its name */
    MBOX_NOT_OPEN,   /* the file cannot be opened; errno is set */
    MBOX_LOCKED,     /* another held the lock for MBOX_LOCK_S seconds */
    MBOX_UNREADABLE, /* the message cannot be read; errno is set */
    MBOX_NOT_WRITTEN /* errno is set */
};

enum { MBOX_LOCK_S = 30 };

/* Appends head as it is, then what descriptor message gives from where it is, to
 * the file, which is made (mode 0600 less umask) if it is not there. Uses SIGALRM
 * and alarm(2). After a failure the file is as it was, unless the system has no
 * locks for it: then others may have appended since. */
enum mbox_result mbox_append(const char *path, struct view head, int message);

/* Opens the mailbox for appending, made if need be, and waits for its lock; with
 * limit_s 0 without a time limit. The descriptor is that of the file which path
 * names once it is locked: whoever held the lock before may have put another file
 * in its place. Where the system cannot lock it at all, lock_error is errno, else 0.
 */
enum mbox_result mbox_open_locked(const char *path, unsigned limit_s, int *fd,
                                  int *lock_error);

#endif
