/* local - the parts of qmail-local.
 *
 * Whatever goes wrong ends the process: one line on descriptor 2, exit code
 * LOCAL_PERM or LOCAL_TEMP (mail/delivery.h). What was delivered before stays
 * delivered. */
#ifndef DELIVER_LOCAL_H
#define DELIVER_LOCAL_H

#include "base/bytes.h"
#include "mail/delivery.h"

#include <sys/types.h>

/* One delivery: the arguments, and what is made of them. */
struct local {
    bool describe; /* -n: say what would be done, and do nothing */
    const char *user, *home, *local, *dash, *ext, *domain, *sender;
    const char *fallback; /* instructions where the .qmail file has none */

    struct bytes delivered_to, return_path, from; /* mail/trace.h */
    struct bytes new_sender;  /* the envelope sender of what is forwarded */
    const char *default_part; /* the variable DEFAULT; NULL: not set */

    bool forward_only;         /* neither files nor programs */
    struct bytes instructions; /* of the .qmail file, or the fallback */
};

/* What has been done, or described. */
struct local_done {
    uint64_t files, forwards, programs;
    struct bytes recipients; /* of the forwards, each ended by a NUL */
    pid_t queued_by;         /* the queue program that took them, or 0 */
};

/* local_find: from the arguments to the instructions */

/* Exits 100 where the message already has our Delivered-To line. */
void local_refuse_loop_or_die(const struct local *d);

/* Fills in default_part, forward_only, instructions and new_sender. */
void local_find_instructions_or_die(struct local *d);

/* local_follow: the instructions */

void local_follow_or_die(const struct local *d, struct local_done *done);

/* local_deliver: one instruction each */

/* Puts the message's descriptor at its start. */
void local_rewind_or_die(void);
void local_to_mbox_or_die(const struct local *d, const char *path);
void local_to_maildir_or_die(const struct local *d, const char *path);

/* False if the program wants no further instruction to be followed. */
bool local_to_program_or_die(const char *command);

/* Sends the message to all of done->recipients. */
void local_forward_or_die(const struct local *d, struct local_done *done);

/* local_environment: the variables of programs */

/* inherited (ended by NULL) with the variables of delivery d in it. The array and
 * what it points to are made anew, once, and stay. */
char **local_environment(const struct local *d, char *const *inherited);

#endif
