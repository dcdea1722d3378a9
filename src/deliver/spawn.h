/* spawn - what qmail-lspawn and qmail-rspawn have in common.
 *
 * Both read commands from qmail-send, run one child after another for each and
 * write a report when it is done (man page qmail-lspawn; bytes on the pipes:
 * mail/delivery.h). They differ in what the child is and in what its end means:
 * that is a struct spawn_role. */
#ifndef DELIVER_SPAWN_H
#define DELIVER_SPAWN_H

#include "base/bytes.h"
#include "base/process.h"
#include "mail/delivery.h"

/* spawn_command.c: what qmail-send says */

/* A command on its way in. {0} is ready for the first byte. */
struct spawn_command {
    unsigned char slot_bytes[DELIVERY_SLOT_BYTES];
    size_t slot_len;
    unsigned strings;  /* how many of the three are whole */
    bool lost;         /* there was no memory for all of it */
    struct bytes text; /* the strings so far, each with its NUL */
};

/* Takes what belongs to the command from *input. True: it is complete, to be
 * used and then cleared with spawn_command_clear(). False: *input is empty and more
 * must come. */
bool spawn_command_take(struct spawn_command *c, struct view *input);

unsigned spawn_command_slot(const struct spawn_command *c);

/* Moves the strings of a complete command that is not lost to *strings, which is
 * replaced and then the caller's. */
void spawn_command_move(struct spawn_command *c, struct bytes *strings);

/* What these strings are; each view is followed by its NUL. */
void spawn_split_strings(const struct bytes *strings, struct view *message,
                         struct view *sender, struct view *recipient);

/* Makes c ready for the next command. */
void spawn_command_clear(struct spawn_command *c);

/* What is wrong with a message's name or a recipient: the report, or NULL. */
const char *spawn_check_names(struct view message, struct view recipient);

/* Opens a message file, named relative to the working directory queue/mess, and
 * checks that it is a file of qmailq, whose uid is owner. The descriptor, or -1
 * and *why, the report. */
int spawn_open_message(const char *name, uid_t owner, const char **why);

/* Deliveries */

/* The pipes from a child. */
enum spawn_pipe {
    SPAWN_TEXT,   /* its descriptors 1 and 2, or 2 alone */
    SPAWN_ANSWER, /* its descriptor 1, where that is apart from the text */
    SPAWN_PIPES
};

struct spawn_delivery {
    unsigned slot;
    struct bytes strings; /* memory of the three, C strings all */
    struct view message, sender, recipient;
    void *state; /* the role's, zeroed at the beginning */

    pid_t pid;  /* of the child; 0: there is none, or it has died */
    int status; /* how it ended, as wait(2) tells */
    struct spawn_source {
        struct spawn_delivery *delivery;
        int fd;      /* -1: there is none, or it is at its end */
        size_t want; /* its number in the poll loop */
    } pipes[SPAWN_PIPES];
    struct spawn_delivery *next; /* of those whose pids look alike; while they are
                                    gathered, whose hosts do */

    struct spawn_delivery *others; /* the next of those that have the same child */
    struct spawn_delivery *last;   /* of them, or itself */
    size_t others_count;
    size_t together_len;          /* bytes of the strings of all of them */
    struct spawn_delivery *later; /* the next that is to begin */
};

/* spawn_gather.c: deliveries that come together */

enum {
    SPAWN_MAX_TOGETHER = 32768 /* bytes of strings for one child, far from what
                                  execve(2) takes */
};

/* Those that are to begin. {0}: there are none. */
struct spawn_gathering {
    struct spawn_delivery *first, *last;
    struct spawn_delivery *alike[64]; /* chains, by host */
};

/* Adds a delivery whose names are in order: as one of the others of an earlier one for
 * the same message, sender and host (ASCII case aside), if these are fewer than most
 * and not too long; else by itself. */
void spawn_gather(struct spawn_gathering *g, struct spawn_delivery *d, uint64_t most);

/* All that are to begin, in order, chained by later. Nothing is gathered then. */
struct spawn_delivery *spawn_gathered(struct spawn_gathering *g);

/* spawn_loop.c: children, and what becomes of deliveries */

struct spawn_role {
    size_t state_size;

    /* Begins d: starts a child with spawn_start() and returns what that does, or
     * returns false with the report appended. message is open and checked, and
     * goes to the child or must be closed. */
    bool (*begin)(struct spawn_delivery *d, int message, struct bytes *report);

    /* The child has written this. Memory for it must be bounded. */
    void (*take)(struct spawn_delivery *d, enum spawn_pipe from, struct view output);

    /* The child has died and its pipes are at their ends. True: another child of
     * d has been started. False: the report has been appended. */
    bool (*ended)(struct spawn_delivery *d, struct bytes *report);

    /* How many deliveries that come together may have one child, see spawn_gather():
     * begin() is called for the first, with the chain of the others. 0 or 1: each has
     * its own, and begins at once. */
    uint64_t most;

    /* Appends the report of one of the others, counted from 1, after ended(). NULL
     * where each has its own child. */
    void (*ended_other)(const struct spawn_delivery *d, size_t number,
                        struct bytes *report);

    /* Frees what d->state points to. */
    void (*forget)(struct spawn_delivery *d);
};

/* Starts a child of d. input becomes its descriptor 0 and is closed here. p says
 * the rest but descriptors, SIGPIPE and limits. split: descriptor 1 is a pipe of
 * its own, SPAWN_ANSWER. False: the report, that it could not be started, has
 * been appended. */
bool spawn_start(struct spawn_delivery *d, struct process *p, int input, bool split,
                 struct bytes *report);

/* The owner that message files must have. */
uid_t spawn_owner(void);

/* How many of the wanted deliveries a limit of open files allows; at least 1. */
unsigned spawn_limit(unsigned wanted, rlim_t files);

/* Sets up descriptors, signals and limits and enters the queue directory. A
 * program's own steps may follow. */
void spawn_prepare_or_die(void);

/* Enters queue/mess, announces the limit and serves commands until qmail-send
 * hangs up and all deliveries are done. */
void spawn_serve(const struct spawn_role *role);

#endif
