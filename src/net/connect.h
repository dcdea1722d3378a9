/* connect - making TCP connections, within a time limit. */
#ifndef NET_CONNECT_H
#define NET_CONNECT_H

#include "net/ip.h"

enum connect_result {
    CONNECT_MADE,
    CONNECT_TIMED_OUT,
    CONNECT_FAILED,    /* refused, unreachable, an address family we do not have */
    CONNECT_NOT_BOUND, /* from is not ours to use */
    CONNECT_NO_SOCKET  /* the system has none to give */
};

/* Connects to port of address to, from address from where that has a family, within
 * timeout_s seconds; 0: only if the connection is there at once. *fd is then the
 * caller's: close-on-exec, non-blocking, small writes sent at once. errno is set
 * where there is no connection. */
enum connect_result connect_to(const struct ip_address *to, unsigned port,
                               const struct ip_address *from, unsigned timeout_s,
                               int *fd);

/* One end of a connection. */
struct connect_end {
    struct ip_address ip; /* IPv4-mapped ones are IPv4 */
    unsigned port;
};

/* Both ends of the connected socket fd. False, with errno set, where it is no such
 * thing or of another family than IPv4 and IPv6 (EAFNOSUPPORT). */
bool connect_ends(int fd, struct connect_end *local, struct connect_end *remote);

#endif
