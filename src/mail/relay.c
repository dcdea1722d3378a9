#include "mail/relay.h"

#include "base/number.h"

enum { MAX_BYTE = 255, MAX_PORT = 65535 };

/* The relay's name, at the beginning of *rest, which is moved behind it: up to the
 * first colon, or up to the ']' of a literal, which may hold colons. */
static struct view take_host(struct view *rest)
{
    size_t end = view_find(*rest, ':');
    if (rest->len && rest->data[0] == '[') {
        size_t close = view_find(*rest, ']');
        if (close < rest->len &&
            (close + 1 == rest->len || rest->data[close + 1] == ':'))
            end = close + 1;
    }
    struct view host = view_before(*rest, end);
    *rest = view_from(*rest, end);
    return host;
}

bool relay_of_route(struct view value, struct view *host, unsigned *port,
                    struct view *ignored)
{
    uint64_t n;

    *port = RELAY_SMTP_PORT;
    *ignored = view_from(value, value.len);
    *host = take_host(&value);
    if (value.len == 0)
        return true;
    value = view_from(value, 1); /* the colon */
    if (!number_take(&value, &n) || n < 1 || n > MAX_PORT)
        return false;
    *port = (unsigned)n;
    *ignored = value;
    return true;
}

bool relay_binding_address(struct view address, struct ip_address *ip)
{
    return ip_parse_v4(address, ip) ||
           (ip_parse_literal(address, ip) && ip->family == IP_V6);
}

void relay_split_binding(struct view entry, struct view *key, struct view *address)
{
    struct ip_address ip;
    *key = VIEW("");
    *address = entry;
    if (!relay_binding_address(entry, &ip) && view_has(entry, ':'))
        *key = view_cut(address, ':');
}

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

bool relay_of_server(struct view entry, struct ip_address *ip, unsigned *port,
                     struct view *ignored)
{
    struct view rest = entry;
    bool bracket = entry.len && entry.data[0] == '[';
    uint64_t n;

    *ip = (struct ip_address){0};
    *port = RELAY_QMQP_PORT;
    if (!(bracket ? take_v6(&rest, ip) : take_v4(&rest, ip)))
        return false;
    *ignored = rest;
    if (rest.len == 0 || rest.data[0] != ':')
        return true; /* a remark, perhaps */
    rest = view_from(rest, 1);
    if (!number_take(&rest, &n))
        return true;
    *ignored = rest;
    *port = (unsigned)n;
    return n > 0 && n <= MAX_PORT;
}

const char *const relay_tls_names[] = {[RELAY_TLS_NONE] = "none",
                                       [RELAY_TLS_MAY] = "may",
                                       [RELAY_TLS_ENCRYPT] = "encrypt",
                                       [RELAY_TLS_VERIFY] = "verify"};

bool relay_tls_policy(struct view word, enum relay_tls_policy *policy)
{
    for (size_t i = 0; i < COUNT(relay_tls_names); i++)
        if (view_is_case(word, relay_tls_names[i])) {
            *policy = (enum relay_tls_policy)i;
            return true;
        }
    return false;
}
