/* enqueue - handing a message to qmail-queue, or to what QMAILQUEUE names.
 *
 * The program reads the message on descriptor 0, then the envelope on 1; it may
 * write a text of its own on 6. Until the envelope's last NUL has been written
 * nothing is queued: whoever finds at the last moment that the message must not
 * go calls enqueue_withhold().
 *
 *     if (!enqueue_start(&e, NULL)) ...
 *     enqueue_message(&e, part) ...
 *     enqueue_sender(&e, sender);
 *     enqueue_recipient(&e, recipient) ...
 *     enqueue_finish(&e, &answer);
 */
#ifndef MAIL_ENQUEUE_H
#define MAIL_ENQUEUE_H

#include "base/bytes.h"

#include <sys/types.h>

enum {
    ENQUEUE_ROOM = 16384,   /* bytes written at a time */
    ENQUEUE_MAX_TEXT = 255, /* bytes kept of the program's own text */
    ENQUEUE_FD_TEXT = 6     /* the descriptor on which it is written */
};

struct enqueue {
    pid_t pid;
    int message_fd, envelope_fd, text_fd; /* our ends, -1 once closed */
    bool broken;                          /* not everything could be written */
    bool withheld;                        /* the envelope must not be completed */
    char text[ENQUEUE_MAX_TEXT];
    size_t text_len;
    size_t used;
    char buffer[ENQUEUE_ROOM];
};

enum enqueue_verdict {
    ENQUEUE_QUEUED,
    ENQUEUE_TEMP, /* not queued; trying again may help */
    ENQUEUE_PERM  /* not queued, for good */
};

struct enqueue_answer {
    enum enqueue_verdict verdict;
    pid_t pid;                       /* of the queue program */
    char text[ENQUEUE_MAX_TEXT + 1]; /* why not, ended by NUL: "qq crashed (#4.3.0)" */
};

/* Starts the program in directory home (NULL: it is where we are), with all of
 * our environment. False with errno set: no pipe or no process. SIGPIPE must be
 * ignored by the caller. */
bool enqueue_start(struct enqueue *e, const char *home);

/* The same with error_fd as the program's descriptor 2. */
bool enqueue_start_with(struct enqueue *e, const char *home, int error_fd);

/* Adds to the message. Waits for the program where it must, and reads what it
 * writes on descriptor 6 meanwhile, so that neither waits for the other. */
void enqueue_message(struct enqueue *e, struct view part);

/* Adds everything that fd gives from where it is. Where fd cannot be read: false
 * with errno set, and the message is withheld. */
bool enqueue_message_from(struct enqueue *e, int fd);

/* Ends the message and gives the envelope sender; then recipients in order.
 * After enqueue_withhold() they do nothing. */
void enqueue_sender(struct enqueue *e, struct view sender);
void enqueue_recipient(struct enqueue *e, struct view recipient);

/* Nothing shall be queued. enqueue_finish() must still be called. */
void enqueue_withhold(struct enqueue *e);

/* Completes the envelope unless withheld, waits for the program's end and tells
 * what became of the message. A message that was withheld is never QUEUED. */
void enqueue_finish(struct enqueue *e, struct enqueue_answer *answer);

/* For a daemon that must not wait: the same step by step. The descriptors are
 * non-blocking. */

/* Writes what the pipe takes at once of v to *fd, which is &e->message_fd or
 * &e->envelope_fd: the number of bytes taken. A broken pipe takes all and sets
 * e->broken. */
size_t enqueue_write_now(struct enqueue *e, int *fd, struct view v);

/* Reads what is there on e->text_fd; closes it at its end. */
void enqueue_read_text(struct enqueue *e);

/* Whether the program has ended; then answer is filled and everything is
 * closed. */
bool enqueue_ended(struct enqueue *e, struct enqueue_answer *answer);

#endif
