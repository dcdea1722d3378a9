/* ucspi_tls - TLS made by the server in front of us (UCSPI-TLS).
 *
 * That server holds the keys and speaks TLS. It gives us three descriptors: when we
 * write a byte to the control socket it begins TLS on the network connection, and
 * from then on the clear text goes over the other two. */
#ifndef NET_UCSPI_TLS_H
#define NET_UCSPI_TLS_H

#include "net/connection.h"

struct ucspi_tls {
    bool offered;  /* TLS can be begun */
    bool required; /* the admin wants nothing to be done without it */
    int control_fd, read_fd, write_fd; /* -1 where not offered */
};

/* Looks at SSLCTLFD, SSLREADFD, SSLWRITEFD and UCSPITLS. To be called before any
 * descriptor is opened: a number in the environment may name one that is not open
 * yet. The descriptors become close-on-exec. */
void ucspi_tls_find(struct ucspi_tls *t);

/* Whether a server in front has begun TLS before we were started: SSL_PROTOCOL or
 * SMTPS is set and not empty. */
bool ucspi_tls_is_active(void);

/* Begins TLS below c, whose output has been flushed, and moves it to descriptors 0
 * and 1. What c had read ahead is forgotten. The SSL_ and TLS_ variables that the
 * server tells are put into the environment; those of ucspi_tls_find() go. False
 * where the server does not do its part within timeout_s: then nothing may be said
 * or read any more. */
bool ucspi_tls_start(struct ucspi_tls *t, struct connection *c, unsigned timeout_s);

#endif
