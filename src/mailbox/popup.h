/* popup - the POP3 session until the password is known, shared by its parts.
 *
 * popup_session.c   commands
 * popup_login.c     running the program that checks the password */
#ifndef MAILBOX_POPUP_H
#define MAILBOX_POPUP_H

#include "mailbox/pop3.h"
#include "net/ucspi_tls.h"

struct popup {
    struct pop3 pop3;
    struct ucspi_tls tls;
    bool tls_active;
    const char *host;       /* our name, as the client shall see it */
    char **program;         /* checks the password; with its arguments */
    uint64_t delay_s;       /* before a refusal */
    struct bytes timestamp; /* "<PID.TIME@HOST>", which no other session has */
    struct bytes name;      /* given by USER */
    bool name_given;
};

/* Greets, and serves commands until a login has ended, or the session. */
void popup_serve(struct popup *p);

enum {
    POPUP_MAX_SECRET = 509 /* name and password; with three NULs they are the 512
                              bytes that the program reads */
};

enum popup_login {
    POPUP_SERVED,
    POPUP_REFUSED, /* also by a mailbox program that failed, or was not there */
    POPUP_CRASHED,
    POPUP_NO_PIPE,
    POPUP_NO_FORK,
    POPUP_NOT_WRITTEN
};

/* Runs program (looked for in PATH) on our descriptors 0, 1 and 2, with name NUL
 * password NUL timestamp NUL on its descriptor 3, and waits for its end. secret is
 * name NUL password NUL timestamp NUL; it is wiped. */
enum popup_login popup_run(char **program, struct bytes *secret);

#endif
