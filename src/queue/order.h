/* order - what the postmaster orders about a message in the queue: shared by
 * qmail-qctl, who asks, and qmail-send, who does it.
 *
 * While qmail-send runs nobody else touches a message; it takes orders on the socket
 * order/socket and carries them out between two turns of its loop. While it does not
 * run, qmail-qctl does the same to the files, holding qmail-send's mutex.
 *
 * An order is given by setting a mark (mail/queue_dir.h) in the mode of info/S/N. That
 * is one system call, synced: before it everything is as it was, after it the rest
 * follows from the mark, however often it is interrupted and begun again. */
#ifndef QUEUE_ORDER_H
#define QUEUE_ORDER_H

#include "base/bytes.h"
#include "mail/queue_dir.h"
#include "mail/route.h"

#include <sys/types.h>
#include <time.h>

enum channel { CHANNEL_LOCAL, CHANNEL_REMOTE, CHANNELS };

/* "local" or "remote": also the directory of the channel's files. */
const char *channel_name(enum channel c);

/* Lines on the socket: order_line.c. Each request, a line, gets an answer, a line, in
 * the same sequence; a client may send many before it reads. */

enum { ORDER_MAX_LINE = 128 }; /* without its line feed */

enum order_verb {
    ORDER_STATE, /* only says what the answer says of every message */
    ORDER_TRY,   /* the next attempt is due now */
    ORDER_HOLD,
    ORDER_RELEASE,
    ORDER_RETURN, /* to the sender, all recipients that are left */
    ORDER_DELETE,
    ORDER_VERBS
};

/* A number may be used again when its message has ended. The time of birth, that is
 * the modification time of info/S/N to the nanosecond, tells who is meant. */
struct order {
    enum order_verb verb;
    ino_t message;
    struct timespec birth;
};

/* "VERB N SECONDS.NANOSECONDS\n" */
void order_add(struct bytes *out, const struct order *o);

/* Reads a request without its line feed. */
bool order_parse(struct view line, struct order *o);

enum order_result {
    ORDER_DONE,      /* as asked; also where it had been so before */
    ORDER_NEW,       /* it waits in todo/ to be preprocessed */
    ORDER_GONE,      /* there is no such message */
    ORDER_OTHER,     /* it has ended; another one has its number */
    ORDER_IS_HELD,   /* no use in trying it */
    ORDER_NOT_HELD,  /* no use in releasing it */
    ORDER_ACTIVE,    /* an attempt is under way wherever somebody is left */
    ORDER_RETURNING, /* it is being returned; nothing else can be ordered but delete */
    ORDER_DELETING,  /* it is being deleted */
    ORDER_ENDING,    /* nobody is left; there is nothing to order but try and delete */
    ORDER_BOUNCING,  /* its bounce is just being handed over */
    ORDER_TROUBLE,   /* with a file; it is as it was. The log says more */
    ORDER_BAD,       /* not a request */
    ORDER_RESULTS
};

/* How a message fares in a channel. */
struct order_channel {
    enum order_place {
        ORDER_NOBODY,  /* nobody is left here */
        ORDER_WAITS,   /* due: when, unless the message is held */
        ORDER_ATTEMPT, /* an attempt is under way, with so many deliveries */
        ORDER_UNKNOWN  /* could not be looked at yet */
    } place;
    int64_t due;
    uint64_t deliveries;
};

/* The state is that after the order, and means nothing where there is none. */
struct order_answer {
    enum order_result result;
    enum queue_mark mark;
    struct order_channel channels[CHANNELS];
    bool bouncing;
};

/* "RESULT MARK LOCAL REMOTE BOUNCE\n": the mark as h, r or d; a channel as
 * wSECONDS, aDELIVERIES or '?'; b; '-' for nothing at any of these places. */
void order_add_answer(struct bytes *out, const struct order_answer *a);
bool order_parse_answer(struct view line, struct order_answer *a);

/* The verb that stands so in a request. */
bool order_verb_of(struct view name, enum order_verb *verb);

/* Files: order_file.c */

/* What of a message is there. */
struct order_files {
    bool todo, info, channels[CHANNELS], bounce;
    struct timespec birth;   /* by info */
    enum queue_mark mark;    /* by info */
    int64_t times[CHANNELS]; /* modification times of the channels' files */
};

/* Looks. False with errno set: something can be told neither there nor missing, and
 * *path is its name. */
bool order_look(ino_t message, struct order_files *f, struct queue_path *path);

/* Whether an order can be carried out: ORDER_DONE, and *mark is what the message is
 * to be marked with; or why not. bouncing: qmail-send hands over its bounce now. */
enum order_result order_judge(const struct order *o, const struct order_files *f,
                              bool bouncing, enum queue_mark *mark);

/* Sets the mark of a message, which becomes stable. False with errno set: it is as it
 * was. */
bool order_mark(ino_t message, enum queue_mark mark);

/* Calls each(arg, letter, address) for every record of a channel's file, where there
 * is one; letter is 'T' or 'D'. False with errno set: it cannot be read to its end, or
 * there are other records in it (EILSEQ). */
bool order_each_recipient(enum channel c, ino_t message,
                          void (*each)(void *arg, char letter, struct view address),
                          void *arg);

/* Notes for the bounce that everybody who is left in a channel has failed; its file can
 * go then. If the notes are there already, from a time when it did not go, they are not
 * written again. False with errno set. */
bool order_return_channel(enum channel c, ino_t message,
                          const struct route_rules *rules);

/* What deferrals turn into for a message that is being returned. */
extern const char order_returned_text[];

/* Failure notes: order_note.c */

/* The paragraph of bounce/N for one recipient. */
void note_paragraph(struct bytes *out, struct view address, struct view report);

/* Appends to bounce/N, synced. False with errno set: the file is as it was. */
bool note_append(ino_t message, struct view text);

/* Whether bounce/N ends with text. */
bool note_is_there(ino_t message, struct view text);

#endif
