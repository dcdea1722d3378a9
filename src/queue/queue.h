/* queue - the parts of qmail-queue: one message on its way into the queue.
 *
 * The files of a message and its states are in man page queue(5). Nothing here
 * takes memory once the first file has been made, so that there is no state in
 * which the only thing left to do cannot be done. */
#ifndef QUEUE_QUEUE_H
#define QUEUE_QUEUE_H

#include "base/bytes.h"
#include "mail/queue_dir.h"
#include "mail/queue_exit.h"

#include <sys/types.h>

/* Records that follow the sender in every envelope, each ended by its NUL:
 * "Tlog\0" copies all mail to the address log. None by default. */
#define QUEUE_EXTRA_RECORDS ""

/* Who hands us the message, and when. */
struct queue_origin {
    pid_t pid;    /* our own */
    uid_t uid;    /* the caller's real one */
    int64_t time; /* start, in seconds since 1970 */
};

/* The users that the Received line tells from others. */
struct queue_users {
    uid_t alias, daemon, send;
};

/* queue_received */

/* Appends the line that goes in front of every message. Where several of the
 * users are one, the first of alias, daemon, send counts. */
void queue_received(struct bytes *line, const struct queue_origin *origin,
                    const struct queue_users *users);

/* queue_envelope */

/* What the envelope on descriptor 1 has come to. */
enum queue_envelope_result {
    QUEUE_ENVELOPE_MORE,   /* all of the piece taken; the end is not here yet */
    QUEUE_ENVELOPE_SENDER, /* taken up to the end of the sender's record */
    QUEUE_ENVELOPE_END,    /* taken up to the last record; the final NUL came */
    QUEUE_ENVELOPE_TOO_LONG,
    QUEUE_ENVELOPE_LETTER /* a record begins with neither F nor T where it should */
};

/* How much of an envelope has been seen. {0} is its beginning. */
struct queue_envelope {
    enum queue_envelope_at {
        QUEUE_AT_SENDER,    /* where its letter should be */
        QUEUE_IN_SENDER,    /* F... */
        QUEUE_AT_RECIPIENT, /* F...\0 */
        QUEUE_IN_RECIPIENT  /* F...\0T... */
    } at;
    size_t address_len; /* bytes of the address so far */
};

/* Takes from the front of *piece what belongs to the records: those bytes are
 * *records, and stand on disk as they stand here. Not to be called again after
 * the last three results. */
enum queue_envelope_result queue_envelope_take(struct queue_envelope *envelope,
                                               struct view *piece,
                                               struct view *records);

/* queue_entry */

/* The files of a message that is being queued. */
struct queue_entry {
    struct queue_path pid, mess, mess_dir, intd, todo;
    int mess_fd, intd_fd;
    bool has_pid, has_mess, has_intd; /* the names that are ours to remove */
};

/* Each step gives QUEUE_OK or the code to exit with. In this order:
 * begin: makes the message file and finds its number.
 * message: the line and all of fd go into it.
 * envelope: our own records and those read from fd go into intd/.
 * publish: everything becomes stable, then gets its name in todo/, which
 *          becomes stable too. */
enum queue_exit queue_entry_begin(struct queue_entry *e,
                                  const struct queue_origin *origin);
enum queue_exit queue_entry_message(struct queue_entry *e, struct view received,
                                    int fd);
enum queue_exit queue_entry_envelope(struct queue_entry *e,
                                     const struct queue_origin *origin, int fd);
enum queue_exit queue_entry_publish(struct queue_entry *e);

/* After a step that failed: removes what the others have made. The disk space
 * is free at once even where a name cannot be removed. */
void queue_entry_discard(struct queue_entry *e);

#endif
