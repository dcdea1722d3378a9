/* relay - entries of control files about hosts that mail goes to: smtproutes,
 * outgoingip, tlspolicy, qmqpservers (man page qmail-control).
 *
 * Read here for the programs that connect, and for qmail-showctl, which tells what
 * they will make of an entry. */
#ifndef MAIL_RELAY_H
#define MAIL_RELAY_H

#include "net/ip.h"

enum { RELAY_SMTP_PORT = 25, RELAY_QMQP_PORT = 628 };

/* Takes the value of an smtproutes line apart: a name or a literal, perhaps a colon
 * and a port, and what is behind it, which is ignored. False where the port is not 1
 * to 65535. */
bool relay_of_route(struct view value, struct view *host, unsigned *port,
                    struct view *ignored);

/* Splits an entry of outgoingip: an address alone belongs to the empty key, and so
 * does whatever else has no colon. */
void relay_split_binding(struct view entry, struct view *key, struct view *address);

/* Reads the address of one: IPv4, or IPv6 in brackets. */
bool relay_binding_address(struct view address, struct ip_address *ip);

/* Reads an entry of qmqpservers: an IPv4 address or an IPv6 address in brackets,
 * perhaps a colon and a port, and what is behind them, which is ignored. False for
 * anything else. */
bool relay_of_server(struct view entry, struct ip_address *ip, unsigned *port,
                     struct view *ignored);

/* The words of tlspolicy. */
enum relay_tls_policy {
    RELAY_TLS_NONE,    /* never */
    RELAY_TLS_MAY,     /* where it works */
    RELAY_TLS_ENCRYPT, /* not without */
    RELAY_TLS_VERIFY   /* nor without a certificate that is the host's */
};
extern const char *const relay_tls_names[];

/* False where word is none of them. */
bool relay_tls_policy(struct view word, enum relay_tls_policy *policy);

#endif
