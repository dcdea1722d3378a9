/* redirect - queueing the message once more, for other recipients. */
#ifndef DOTQMAIL_REDIRECT_H
#define DOTQMAIL_REDIRECT_H

/* The value of a variable, which may be empty. Exits 100 if it is not set. */
const char *redirect_variable_or_die(const char *name);

struct redirect {
    const char *sender;       /* the envelope sender */
    const char *delivered_to; /* the line put in front of the message */
    char *const *recipients;  /* in order, as they are; ended by NULL */
};

/* Queues the message on descriptor 0, from where it is, and says so on descriptor 2:
 * "PROGRAM: qp NUMBER". Exits 100 or 111 if it cannot be queued. SIGPIPE must be
 * ignored. */
void redirect_or_die(const char *program, const struct redirect *r);

#endif
