/* lookup - what dnsip, dnsptr and dnsfq have in common: a name or address as the only
 * argument, lines on descriptor 1, and "hard error" (100) or "soft error" (111). */
#ifndef ADMIN_LOOKUP_H
#define ADMIN_LOOKUP_H

#include "net/dns.h"

/* Sets the program up. The argument; without one it exits 100, silently. */
struct view lookup_begin(int argc, char **argv);

/* Ends with what result means, unless that is DNS_FOUND. */
void lookup_check(enum dns_result result);

/* name's addresses, IPv4 before IPv6; an address literal is itself. */
enum dns_result lookup_addresses(struct view name, struct dns_records *records);

/* One line of output. */
void lookup_print(struct view line);

_Noreturn void lookup_end(void);

#endif
