/* queue_dir - the queue directory: names, limits, who may do what.
 *
 * Man page queue(5) has the whole of it. All paths are relative to HOME/queue. */
#ifndef MAIL_QUEUE_DIR_H
#define MAIL_QUEUE_DIR_H

#include "base/bytes.h"

#include <sys/types.h>

#define QUEUE_DIR_TRIGGER "lock/trigger"
#define QUEUE_DIR_MUTEX "lock/sendmutex"
#define QUEUE_DIR_TCPTO "lock/tcpto"
#define QUEUE_DIR_TCPTO6 "lock/tcpto6"
#define QUEUE_DIR_ORDER "order"
#define QUEUE_DIR_SOCKET "order/socket" /* where qmail-send takes orders */

enum {
    /* qmail-queue gives up after a day; half a day later what it left behind
     * cannot be written by anybody any more */
    QUEUE_WRITE_LIMIT_S = 86400,
    QUEUE_ABANDONED_S = 129600,

    /* bytes of a record in info, local, remote without its NUL: one of an envelope
     * and what virtualdomains puts before it */
    QUEUE_MAX_RECORD = 1 << 22,

    QUEUE_TCPTO_SIZE = 1024,
    QUEUE_TCPTO6_SIZE = 2048
};

/* What was ordered about a message by its postmaster: one bit of the mode of info/S/N,
 * which is 0600 without any. One chmod(2), synced, and the order is given: no crash
 * leaves half of it. Those who know no orders never look at the mode. */
enum queue_mark {
    QUEUE_NO_MARK = 0,
    QUEUE_HELD = 0010,     /* no attempt until this is taken away */
    QUEUE_RETURNED = 0001, /* whoever is left has failed: back to the sender */
    QUEUE_DELETED = 0020,  /* nobody is left, and nobody is told */
    QUEUE_UNMARKED_MODE = 0600,
    QUEUE_UNSYNCED_MODE = 0611 /* of an info/N that may not be on the disk yet. With no
                                  todo/N any more the message has been delivered; so
                                  this is nothing that a chmod -R makes of 0600 */
};

/* The mark in the mode of info/S/N. Any other mode than those above, as a careless
 * chmod(1) makes it, is no order. */
enum queue_mark queue_mark_of(mode_t mode);
bool queue_is_unsynced(mode_t mode);

/* A path below the queue; printf-ready. */
struct queue_path {
    char text[48];
};

/* "TREE/S/N" in one of the split trees mess, info, local, remote, and "DIR/N" in
 * one of intd, todo, bounce, foop. */
struct queue_path queue_split_path(const char *tree, ino_t message);
struct queue_path queue_flat_path(const char *dir, ino_t message);

/* "TREE/S", the directory in which queue_split_path() lies. */
struct queue_path queue_split_dir(const char *tree, ino_t message);

/* Reads a message number as it stands in a file name: digits, no leading zero,
 * in range. */
bool queue_number(struct view name, ino_t *message);

/* Enters HOME, then HOME/queue. The exit code of qmail-queue's table where it
 * fails (QUEUE_HOME, QUEUE_DIRECTORY), else QUEUE_OK; errno is set. */
int queue_enter(const char *home);

/* The same, or exits 111 silently, as the queue's daemons do. */
void queue_enter_or_die(const char *home);

/* Tells qmail-send that todo/ has something new. Nothing depends on it. */
void queue_pull_trigger(void);

#endif
