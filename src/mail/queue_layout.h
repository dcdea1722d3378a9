/* queue_layout - what the queue consists of: each directory and file that is always
 * there, and the kinds of files that a message has, with owners and modes.
 *
 * The installer makes all that from here, qmail-qfix compares; queue(5) has the whole
 * of it. */
#ifndef MAIL_QUEUE_LAYOUT_H
#define MAIL_QUEUE_LAYOUT_H

#include "mail/queue_dir.h"

enum queue_place_type { QUEUE_PLACE_DIR, QUEUE_PLACE_FILE, QUEUE_PLACE_FIFO };

struct queue_place {
    enum queue_place_type type;
    const char *path;  /* below HOME/queue; "" is that itself */
    const char *owner; /* the group is always CONF_GROUP_QMAIL */
    mode_t mode;
    bool split;    /* with directories 0 to CONF_SPLIT - 1, which are like it */
    bool may_lack; /* queues made by qmail, netqmail and notqmail have it not */
    size_t size;   /* QUEUE_PLACE_FILE */
};

/* Parents come before what is in them; the last one has no path (NULL). */
extern const struct queue_place queue_places[];

/* The files of a message, each in a directory of the same name. */
enum queue_kind {
    QUEUE_KIND_INFO,
    QUEUE_KIND_LOCAL,
    QUEUE_KIND_REMOTE,
    QUEUE_KIND_BOUNCE,
    QUEUE_KIND_INTD,
    QUEUE_KIND_TODO,
    QUEUE_KIND_MESS,
    QUEUE_KINDS
};

struct queue_kind_of_file {
    const char *dir;
    const char *owner;
    const char *group; /* NULL: any */
    mode_t mode;
    bool split; /* DIR/S/N, else DIR/N */
};

extern const struct queue_kind_of_file queue_kinds[QUEUE_KINDS];

#endif
