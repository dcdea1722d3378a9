#include "net/connect.h"

#include "base/fd.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

union socket_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t fill(union socket_address *a, const struct ip_address *ip,
                      unsigned port)
{
    memset(a, 0, sizeof *a);
    if (ip->family == IP_V4) {
        a->v4.sin_family = AF_INET;
        a->v4.sin_port = htons((uint16_t)port);
        memcpy(&a->v4.sin_addr, ip->bytes, 4);
        return sizeof a->v4;
    }
    a->v6.sin6_family = AF_INET6;
    a->v6.sin6_port = htons((uint16_t)port);
    memcpy(&a->v6.sin6_addr, ip->bytes, 16);
    return sizeof a->v6;
}

/* A socket of the family, or -1. */
static int open_socket(enum ip_family family)
{
    int on = 1;
    int fd = socket(family == IP_V4 ? AF_INET : AF_INET6, SOCK_STREAM, 0);
    if (fd == -1)
        return -1;
    if (!fd_close_on_exec(fd, true) || !fd_nonblocking(fd)) {
        fd_close(&fd);
        return -1;
    }
    /* a matter of speed alone */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

/* Whether fd gets connected; else errno. */
static bool make(int fd, const union socket_address *a, socklen_t len,
                 unsigned timeout_s)
{
    int error = 0;
    socklen_t error_len = sizeof error;
    if (connect(fd, &a->any, len) == 0)
        return true;
    if (errno != EINPROGRESS && errno != EINTR)
        return false;
    if (!fd_wait(fd, POLLOUT, (int64_t)timeout_s * 1000))
        return false;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_len) == -1)
        return false;
    errno = error;
    return error == 0;
}

enum connect_result connect_to(const struct ip_address *to, unsigned port,
                               const struct ip_address *from, unsigned timeout_s,
                               int *fd)
{
    union socket_address a;
    int s = open_socket(to->family);
    if (s == -1)
        return errno == EAFNOSUPPORT || errno == EPROTONOSUPPORT ? CONNECT_FAILED
                                                                 : CONNECT_NO_SOCKET;
    if (from->family != IP_NONE && bind(s, &a.any, fill(&a, from, 0)) == -1) {
        fd_close(&s);
        return CONNECT_NOT_BOUND;
    }
    socklen_t len = fill(&a, to, port);
    if (!make(s, &a, len, timeout_s)) {
        fd_close(&s);
        return errno == ETIMEDOUT ? CONNECT_TIMED_OUT : CONNECT_FAILED;
    }
    *fd = s;
    return CONNECT_MADE;
}

static bool read_end(const union socket_address *a, struct connect_end *end)
{
    *end = (struct connect_end){0};
    if (a->any.sa_family == AF_INET) {
        end->ip.family = IP_V4;
        memcpy(end->ip.bytes, &a->v4.sin_addr, 4);
        end->port = ntohs(a->v4.sin_port);
        return true;
    }
    if (a->any.sa_family == AF_INET6) {
        end->ip.family = IP_V6;
        memcpy(end->ip.bytes, &a->v6.sin6_addr, 16);
        end->ip = ip_unmapped(&end->ip);
        end->port = ntohs(a->v6.sin6_port);
        return true;
    }
    errno = EAFNOSUPPORT;
    return false;
}

bool connect_ends(int fd, struct connect_end *local, struct connect_end *remote)
{
    union socket_address a, b;
    socklen_t a_len = sizeof a, b_len = sizeof b;

    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    return getsockname(fd, &a.any, &a_len) == 0 &&
           getpeername(fd, &b.any, &b_len) == 0 && read_end(&a, local) &&
           read_end(&b, remote);
}
