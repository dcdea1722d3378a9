/* qctl - the parts of qmail-qctl, the postmaster's hand on the queue.
 *
 * It reads the files of one message at a time, and changes nothing itself while
 * qmail-send runs: orders go over queue/order.h. */
#ifndef QUEUE_QCTL_H
#define QUEUE_QCTL_H

#include "base/bytes.h"
#include "base/writer.h"
#include "queue/order.h"

/* Options: qctl_options.c */

enum qctl_command { QCTL_LIST, QCTL_SHOW, QCTL_CHANGE };

/* A message is in one of these; where several would do, in the first. */
enum qctl_state {
    QCTL_NEW,      /* in todo/ */
    QCTL_DELETING, /* deliveries under way are awaited, then it is gone */
    QCTL_BOUNCING, /* nobody is left, or it is being returned */
    QCTL_HELD,
    QCTL_ACTIVE, /* an attempt is under way */
    QCTL_WAITING,
    QCTL_STATES
};

const char *qctl_state_name(enum qctl_state state);

struct qctl_options {
    enum qctl_command command;
    enum order_verb verb; /* of QCTL_CHANGE */
    bool all, dry, json, header_only;
    const char *sender, *recipient; /* patterns; NULL: any */
    bool has_older, has_younger, has_larger, has_state;
    uint64_t older_s, younger_s, larger;
    enum qctl_state state;
    char **numbers; /* ended by NULL */
};

enum qctl_usage {
    QCTL_FINE,
    QCTL_USAGE, /* *value is what cannot be understood, or NULL */
    QCTL_NOTHING_CHOSEN
};
enum qctl_usage qctl_options_read(struct qctl_options *o, char **argv,
                                  const char **value);

/* Whether anything but -a chooses messages. */
bool qctl_is_choosy(const struct qctl_options *o);

/* Patterns: qctl_match.c */

/* Whether text is what pattern describes: '*' is any bytes, '?' any one, [a-z0] one of
 * those, [!a-z] another one; '\' takes away the meaning of what follows. ASCII letters
 * match whatever their case. */
bool qctl_match(struct view pattern, struct view text);

/* Messages: qctl_message.c */

struct qctl_message {
    ino_t number;
    bool is_new;
    struct timespec birth;
    uint64_t size;
    struct timespec written; /* its text: whoever gets the number later has another */
    struct bytes sender;
    uint64_t left[CHANNELS]; /* recipients; all in the first where it is new */
    bool matched;            /* one of those */
    enum qctl_state state;   /* where it was asked for */
    struct order_answer state_answer;
};

enum qctl_read { QCTL_READ, QCTL_GONE, QCTL_FAILED };

/* Reads the files of a message into m, which is replaced. QCTL_FAILED: errno and *path
 * tell. */
enum qctl_read qctl_message_read(struct qctl_message *m, ino_t number,
                                 const struct qctl_options *o, struct queue_path *path);

/* Calls each(arg, letter, value) for every record of an envelope, todo/N, to be read
 * from fd. False with errno set: it cannot be read to its end, or is none (EILSEQ). */
bool qctl_each_record(int fd, void (*each)(void *arg, char letter, struct view address),
                      void *arg);

/* For one that was new and has been preprocessed: its birth. False: it is gone. */
bool qctl_message_again(struct qctl_message *m);

/* The state of one that was read. False: it is gone meanwhile. */
bool qctl_message_ask(struct qctl_message *m);

/* Whether it is among those chosen, its state aside, at the time now. */
bool qctl_message_fits(const struct qctl_message *m, const struct qctl_options *o,
                       int64_t now);

/* Tells no more than the time from its birth to now, in seconds. */
uint64_t qctl_message_age(const struct qctl_message *m, int64_t now);

/* The rules of locals and virtualdomains; exits 111 where they could not be read. */
const struct route_rules *qctl_rules(void);

/* Orders: qctl_order.c */

/* Has an order carried out by qmail-send, or carries it out in its place when it does
 * not run. Exits 111 where it runs but does not answer. */
struct order_answer qctl_order(const struct order *o);

/* Waits a moment, and on until a message has been preprocessed; but all messages
 * together not longer than some seconds: then false. */
bool qctl_await_preprocessing(ino_t message);

/* Output: qctl_print.c */

/* One line, as text or as JSON. */
void qctl_print_line(struct writer *out, const struct qctl_message *m, int64_t now,
                     bool json);

/* Everything, with the text of the message or its header alone. safe: nothing but text,
 * since a terminal would obey. False: the message could not be read whole. */
bool qctl_print_all(struct writer *out, const struct qctl_message *m, int64_t now,
                    bool header_only, bool safe);

/* Appends text that a terminal may be given: control characters but tab and line feed,
 * and bytes that are not UTF-8, become '?'. */
void qctl_add_safe(struct bytes *out, struct view v);

#endif
