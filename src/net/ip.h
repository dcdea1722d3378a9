/* ip - IPv4 and IPv6 addresses: text, literals, this host's own.
 *
 * The text form is that of inet_pton(3) and RFC 5952: dotted decimal without
 * leading zeros, numbers up to 255. */
#ifndef NET_IP_H
#define NET_IP_H

#include "base/bytes.h"

enum ip_family { IP_NONE, IP_V4, IP_V6 };

struct ip_address {
    enum ip_family family;
    unsigned char bytes[16]; /* the first 4 for IPv4; network order */
};

enum { IP_TEXT_ROOM = 48 };

struct ip_text {
    char text[IP_TEXT_ROOM];
};

/* Reads an address that is all of v: "192.0.2.1", "2001:db8::1" (no zone). */
bool ip_parse(struct view v, struct ip_address *ip);

/* Reads a dotted quad alone. */
bool ip_parse_v4(struct view v, struct ip_address *ip);

/* Reads a domain literal (RFC 5321, 4.1.3), brackets included:
 * "[192.0.2.1]", "[IPv6:2001:db8::1]", and "[2001:db8::1]", which others write. */
bool ip_parse_literal(struct view v, struct ip_address *ip);

/* The text of ip; an IPv4-mapped IPv6 address shows as IPv6. */
struct ip_text ip_format(const struct ip_address *ip);

bool ip_equal(const struct ip_address *a, const struct ip_address *b);

/* ::ffff:a.b.c.d as a.b.c.d; any other address as it is. */
struct ip_address ip_unmapped(const struct ip_address *ip);

/* The addresses of this host: those of its interfaces that are up, 0.0.0.0 and
 * "::". {0} is a valid empty list. */
struct ip_own {
    struct ip_address *list;
    size_t count, room;
};

/* Fills own. False with errno set where the system does not tell. */
bool ip_own_read(struct ip_own *own);
bool ip_own_has(const struct ip_own *own, const struct ip_address *ip);
void ip_own_free(struct ip_own *own);

#endif
