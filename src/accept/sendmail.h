/* sendmail - which of our programs a sendmail command line stands for. */
#ifndef ACCEPT_SENDMAIL_H
#define ACCEPT_SENDMAIL_H

#include "base/bytes.h"

enum sendmail_task {
    SENDMAIL_SUBMIT,  /* qmail-inject */
    SENDMAIL_SMTP,    /* -bs: qmail-smtpd */
    SENDMAIL_LIST,    /* -bp, or called as mailq: qmail-qread */
    SENDMAIL_ALIASES, /* called as newaliases */
    SENDMAIL_USAGE    /* not a command line that we understand */
};

/* Views are of argv. */
struct sendmail_request {
    bool header_recipients; /* -t */
    char *sender;           /* -f or -r, or NULL */
    const char *name;       /* -F, or NULL */
    char **arguments;       /* the recipients, ended by NULL */
    struct bytes complaint; /* for SENDMAIL_USAGE: what to say before the usage */
};

enum sendmail_task sendmail_understand(struct sendmail_request *request, char **argv);

/* The arguments for qmail-inject, ended by NULL, in memory of their own. */
char **sendmail_inject_arguments(const struct sendmail_request *request);

#endif
