/* smtpd_address - the arguments of MAIL and RCPT.
 *
 * Clients write them in many ways, and this reads all that one can make sense
 * of: FROM:<a@b>, from: a@b, Joe <a@b>, source routes, quotes. */
#ifndef ACCEPT_SMTPD_ADDRESS_H
#define ACCEPT_SMTPD_ADDRESS_H

#include "net/ip.h"

/* Longest envelope address that a client may give. */
enum { SMTPD_MAX_ADDRESS = 899 };

/* Reads the address that argument holds: without its brackets, source route and
 * quotes; it may be empty. It replaces what address held. parameters are the words
 * behind it. False where there is neither '<' nor ':', and where the address has
 * a control byte in it. */
bool smtpd_address_parse(struct view argument, struct bytes *address,
                         struct view *parameters);

/* If the domain of address is a literal of one of our own addresses ("[192.0.2.1]",
 * "[IPv6:2001:db8::1]"), it becomes host. */
void smtpd_address_literal(struct bytes *address, const struct ip_own *own,
                           struct view host);

/* The value of the next of the words in *parameters that begins with name, which
 * ends in '=', ASCII case aside; *parameters is moved behind it. False where there
 * is none any more. */
bool smtpd_parameter_next(struct view *parameters, struct view name,
                          struct view *value);

#endif
