#include "net/connect.h"

#include "base/fd.h"

#include "fault.h"
#include "tap.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct ip_address any = {.family = IP_NONE};
static const struct ip_address home4 = {.family = IP_V4, .bytes = {127, 0, 0, 1}};
static const struct ip_address home6 = {.family = IP_V6, .bytes = {[15] = 1}};
static const struct ip_address far4 = {.family = IP_V4, .bytes = {192, 0, 2, 1}};

/* A listener at a free port of all addresses of family, or -1. */
static int listener(int family, unsigned *port)
{
    struct sockaddr_storage a;
    socklen_t len = sizeof a;
    int fd = socket(family, SOCK_STREAM, 0);

    memset(&a, 0, sizeof a);
    a.ss_family = (sa_family_t)family;
    if (fd == -1 || bind(fd, (struct sockaddr *)&a, len) == -1 || listen(fd, 9) == -1 ||
        getsockname(fd, (struct sockaddr *)&a, &len) == -1)
        return -1;
    *port = ntohs(family == AF_INET ? ((struct sockaddr_in *)&a)->sin_port
                                    : ((struct sockaddr_in6 *)&a)->sin6_port);
    return fd;
}

static void made(int family, const struct ip_address *to, const struct ip_address *from,
                 const char *name)
{
    struct connect_end local, remote, far_local, far_remote;
    unsigned port;
    int fd = -1, l = listener(family, &port);

    if (l == -1)
        return;
    enum connect_result result = connect_to(to, port, from, 10, &fd);
    if (result != CONNECT_MADE && to->family == IP_V6) {
        ok(true, "no IPv6 here", NULL);
        fd_close(&l);
        return;
    }
    same_number(result, CONNECT_MADE, name);
    int accepted = accept(l, NULL, NULL);
    ok(connect_ends(fd, &local, &remote) &&
           connect_ends(accepted, &far_local, &far_remote),
       name, "ends");
    ok(remote.port == port && ip_equal(&remote.ip, to), name, "remote end");
    ok(ip_equal(&far_remote.ip, &local.ip) && far_remote.port == local.port &&
           ip_equal(&far_local.ip, to) && far_local.port == port,
       name, "the same from the other side");
    fd_close(&fd);
    fd_close(&accepted);
    fd_close(&l);
}

static void not_made(void)
{
    static const struct {
        const char *call;
        int error;
        enum connect_result want;
    } fails[] = {
        {"socket", EMFILE, CONNECT_NO_SOCKET},
        {"socket", EAFNOSUPPORT, CONNECT_FAILED},
        {"socket", EPROTONOSUPPORT, CONNECT_FAILED},
        {"fcntl", EBADF, CONNECT_NO_SOCKET},
        {"connect", ECONNREFUSED, CONNECT_FAILED},
        {"connect", ETIMEDOUT, CONNECT_TIMED_OUT},
        {"poll", ETIMEDOUT, CONNECT_TIMED_OUT},
        {"poll", ENOMEM, CONNECT_FAILED},
        {"getsockopt", ENOBUFS, CONNECT_FAILED},
    };
    unsigned port;
    int fd = -1, l = listener(AF_INET, &port);

    for (size_t i = 0; i < COUNT(fails); i++) {
        fault_at(fails[i].call, 1, fails[i].error);
        same_number(connect_to(&home4, port, &any, 10, &fd), fails[i].want,
                    fails[i].call);
        ok(fault_end() && fd == -1, "no descriptor", fails[i].call);
    }
    same_number(connect_to(&home4, port, &far4, 10, &fd), CONNECT_NOT_BOUND,
                "from an address of others");
    fd_close(&l);
    same_number(connect_to(&home4, port, &any, 10, &fd), CONNECT_FAILED, "refused");
    ok(fd == -1, "refused", "no descriptor");
}

static void no_ends(void)
{
    struct connect_end local, remote;
    int pair[2];

    ok(!connect_ends(-1, &local, &remote) && errno == EBADF, "ends", "closed");
    ok(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "pair", NULL);
    ok(!connect_ends(pair[0], &local, &remote) && errno == EAFNOSUPPORT, "ends",
       "of a pair without addresses");
    close(pair[0]);
    close(pair[1]);
}

int main(void)
{
    made(AF_INET, &home4, &any, "IPv4");
    made(AF_INET, &home4, &home4, "IPv4, from an address");
    made(AF_INET6, &home6, &any, "IPv6");
    made(AF_INET6, &home6, &home6, "IPv6, from an address");
    made(AF_INET6, &home4, &any, "IPv4 at a socket of both");
    not_made();
    no_ends();
    return tap_done();
}
