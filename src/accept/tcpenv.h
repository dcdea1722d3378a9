/* tcpenv - the parts of tcp-env.
 *
 * tcpenv_options.c  its command line
 * tcpenv_ident.c    the answer of an ident server */
#ifndef ACCEPT_TCPENV_H
#define ACCEPT_TCPENV_H

#include "base/bytes.h"

enum {
    TCPENV_DEFAULT_LIMIT_S = 30,
    TCPENV_MAX_LIMIT_S = 86400,
    TCPENV_MAX_INFO = 998,  /* bytes of the value that are kept */
    TCPENV_MAX_LINE = 4096, /* bytes that may come before that is complete */
};

struct tcpenv_options {
    bool ask_ident;
    unsigned limit_s; /* for each step of asking */
    char **program;   /* and its arguments; the first is NULL where there is none */
};

/* Reads argv as main() has it. What is not known means nothing. */
struct tcpenv_options tcpenv_options_read(char **argv);

/* "PORT , PORT : USERID : SYSTEM : VALUE" CR LF (RFC 1413, 5). {0} begins. */
struct tcpenv_ident {
    unsigned colons;
    size_t seen; /* bytes in all */
    char info[TCPENV_MAX_INFO];
    size_t len;
};

enum tcpenv_answer {
    TCPENV_MORE, /* the line is not over */
    TCPENV_INFO, /* info holds the value, perhaps an empty one; no NUL in it */
    TCPENV_NONE  /* the server knows nothing, or is no ident server */
};

/* Takes the next bytes. Not called again after anything but TCPENV_MORE. */
enum tcpenv_answer tcpenv_ident_add(struct tcpenv_ident *ident, struct view bytes);

#endif
