/* inject - the parts of qmail-inject.
 *
 * They are called in the order in which they stand here; each adds to struct
 * inject what the next ones need. */
#ifndef ACCEPT_INJECT_H
#define ACCEPT_INJECT_H

#include "mail/control.h"
#include "mail/header.h"
#include "mail/token.h"

/* inject_environment.c: who sends, and how */

struct inject_environment {
    const char *user;        /* never NULL */
    const char *host;        /* NULL: the default host; never empty, as below */
    const char *sender_user; /* the same for the envelope sender */
    const char *sender_host;
    const char *name;        /* the personal name; NULL: none */
    bool name_as_comment;    /* letters of QMAILINJECT: c */
    bool drop_return_path;   /* s */
    bool drop_from;          /* f */
    bool drop_message_id;    /* i */
    bool verp;               /* r: a sender for each recipient */
    bool sender_per_message; /* m */
    bool wants_followup;     /* mailing lists are known: */
    struct control_list mailing_lists;
};

/* lookup is getenv(), but in tests. */
void inject_environment_read(struct inject_environment *env,
                             char *(*lookup)(const char *name));

/* Reads the file QMAILMFTFILE, relative to where we are. False where that fails. */
bool inject_mailing_lists_read(struct inject_environment *env, const char *path);

/* inject_controls.c: what is added to an address that lacks it */

struct inject_defaults {
    struct tokens at_host;    /* @defaulthost */
    struct tokens dot_domain; /* .defaultdomain */
    struct tokens dot_plus;   /* .plusdomain */
    struct bytes id_host;     /* what message ids end in, as it is */
};

/* From the control files, or the environment in their place. Exits where they
 * cannot be read or are no addresses. */
void inject_defaults_read_or_die(struct inject_defaults *defaults);

/* inject_options.c: the command line */

enum inject_recipients {
    INJECT_BY_ARGUMENTS, /* -A: arguments alone if there are any, else the header */
    INJECT_ARGUMENTS,    /* -a */
    INJECT_HEADER,       /* -h */
    INJECT_BOTH          /* -H */
};

struct inject_options {
    enum inject_recipients recipients; /* never INJECT_BY_ARGUMENTS once read */
    bool print;                        /* -n */
    const char *sender;                /* -f, or NULL */
    char **arguments;                  /* ended by NULL */
};

/* False: complaint holds what to print before exit 100. */
bool inject_options_read(struct inject_options *options, char **argv,
                         struct bytes *complaint);

/* Whether the recipients named as arguments, or in the header, count. */
bool inject_uses_arguments(const struct inject_options *options);
bool inject_uses_header(const struct inject_options *options);

/* inject_complete.c: addresses. Pure. */

/* Completes an address of a field (man page qmail-header), in place. The tokens
 * put in belong to defaults. */
void inject_complete(struct tokens *address, const struct inject_defaults *defaults);

/* Appends the envelope address for an address that is not taken from a field.
 * False, with out unchanged, where domain is not a domain in a header's syntax, or
 * the outcome could not stand in an envelope. domain may be NULL: none is given. */
bool inject_mailbox(struct bytes *out, struct view local, const struct view *domain,
                    const struct inject_defaults *defaults);

/* The same for an argument, which is split at its last '@'. The empty one stays
 * empty. */
bool inject_argument(struct bytes *out, struct view argument,
                     const struct inject_defaults *defaults);

/* Whether address can be passed on: no NUL, CR or LF in it. */
bool inject_may_pass(struct view address);

/* inject_fields.c: what becomes of each field */

/* One bit for each field whose presence makes a difference later. */
enum inject_presence {
    INJECT_DATE = 1,
    INJECT_MESSAGE_ID = 2,
    INJECT_FROM = 4,
    INJECT_TO = 8,
    INJECT_CC = 16,
    INJECT_FOLLOWUP_TO = 32
};

/* The two sets of fields that a message may have: its own, and those added by who
 * sent it again. */
enum inject_set { INJECT_OWN, INJECT_RESENT, INJECT_SETS };

struct inject_message {
    struct bytes fields; /* those that stay, in order, as they are to be sent */
    unsigned present[INJECT_SETS];        /* bits of enum inject_presence */
    struct bytes recipients[INJECT_SETS]; /* each ended by a NUL */
    struct bytes followup; /* of To and Cc, in the order they were found; the same */
    bool resent;           /* any field of INJECT_RESENT was there */
    bool has_return_path;
    struct bytes return_path; /* the address in it */
};

struct inject {
    struct inject_environment env;
    struct inject_defaults defaults;
    struct inject_options options;
    struct bytes sender;     /* what -f gave, completed */
    struct bytes recipients; /* what the arguments gave, each ended by a NUL */
    struct inject_message message;
};

/* Takes in the next field. False where it cannot be parsed and has to be. */
bool inject_field(struct inject *in, struct view field);

/* Makes a field of value, as if it had come with the message: rewritten, but with
 * its addresses going nowhere. False where value is not a list of addresses. */
bool inject_write_field(struct bytes *out, const char *name, struct view value,
                        const struct inject_defaults *defaults);

/* inject_added.c: the fields that are missing */

/* Appends them. now is in seconds since 1970. Exits where From cannot be made. */
void inject_add_fields_or_die(struct bytes *out, const struct inject *in, int64_t now);

/* inject_envelope.c */

/* Completes the addresses of the command line into in->sender and in->recipients. */
void inject_arguments_or_die(struct inject *in);

/* Appends the envelope sender. */
void inject_sender_or_die(struct bytes *out, const struct inject *in, int64_t now);

/* Gives all recipients to give, in order. */
void inject_recipients(const struct inject *in,
                       void (*give)(void *arg, struct view recipient), void *arg);

/* inject_output.c: where the message goes */

/* Sends header, the rest of the header's reader, and the envelope to the queue
 * program, or prints the message. Returns when it is queued or printed. */
void inject_send_or_die(const struct inject *in, struct view sender, struct view added,
                        const struct header *header);

/* inject_refuse.c: last words */

/* Prints "qmail-inject: fatal: ", what, text and end, and exits 100. text may have
 * any length. */
_Noreturn void inject_refuse(const char *what, struct view text, const char *end);
_Noreturn void inject_refuse_line(struct view line);

#endif
