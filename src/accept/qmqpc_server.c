#include "accept/qmqpc.h"

#include "base/number.h"

enum { MAX_BYTE = 255, MAX_PORT = 65535 };

/* Four numbers, with leading zeros if somebody likes them, in front of *rest. */
static bool take_v4(struct view *rest, struct ip_address *ip)
{
    ip->family = IP_V4;
    for (size_t i = 0; i < 4; i++) {
        uint64_t n;
        if (i && (rest->len == 0 || rest->data[0] != '.'))
            return false;
        if (i)
            *rest = view_from(*rest, 1);
        if (!number_take(rest, &n) || n > MAX_BYTE)
            return false;
        ip->bytes[i] = (unsigned char)n;
    }
    return true;
}

/* "[IPv6]" in front of *rest. */
static bool take_v6(struct view *rest, struct ip_address *ip)
{
    *rest = view_from(*rest, 1);
    if (!view_has(*rest, ']'))
        return false;
    return ip_parse(view_cut(rest, ']'), ip) && ip->family == IP_V6;
}

bool qmqpc_server_read(struct view entry, struct ip_address *ip, unsigned *port)
{
    struct view rest = entry;
    bool bracket = entry.len && entry.data[0] == '[';
    uint64_t n;

    *ip = (struct ip_address){0};
    *port = QMQPC_PORT;
    if (!(bracket ? take_v6(&rest, ip) : take_v4(&rest, ip)))
        return false;
    if (rest.len == 0 || rest.data[0] != ':')
        return true; /* a remark, perhaps */
    rest = view_from(rest, 1);
    if (!number_take(&rest, &n))
        return true;
    *port = (unsigned)n;
    return n > 0 && n <= MAX_PORT;
}
