/* received - the field that tells where a message came from (RFC 5321, 4.4). */
#ifndef ACCEPT_RECEIVED_H
#define ACCEPT_RECEIVED_H

#include "base/bytes.h"

struct received {
    const char *remote_host; /* NULL, in all of these: not known */
    const char *remote_info; /* the user's name, by ident or by AUTH */
    const char *remote_ip;
    const char *local;    /* our own name */
    const char *protocol; /* NULL: the word for SMTP, by tls and authenticated */
    const char *cipher;   /* of TLS; only looked at if tls is true */
    bool helo_given;
    struct view helo;
    bool tls, authenticated;
};

/* What the environment tells of the client and of our own name (man page
 * tcp-environ); nothing else is set. */
struct received received_from_environment(void);

/* Appends the field, two lines with their line feeds. Bytes that could end or
 * disguise a part of it become '?'. */
void received_add(struct bytes *out, const struct received *r, int64_t now);

#endif
