#include "deliver/remote.h"

#include "base/number.h"
#include "mail/domain.h"

/* The relay's name, at the beginning of *rest, which is moved behind it: up to the
 * first colon, or up to the ']' of a literal, which may hold colons. */
static struct view take_relay(struct view *rest)
{
    size_t end = view_find(*rest, ':');
    if (rest->len && rest->data[0] == '[') {
        size_t close = view_find(*rest, ']');
        if (close < rest->len &&
            (close + 1 == rest->len || rest->data[close + 1] == ':'))
            end = close + 1;
    }
    struct view relay = view_before(*rest, end);
    *rest = view_from(*rest, end);
    return relay;
}

bool remote_route_find(const struct table *routes, struct view host,
                       struct remote_route *route)
{
    enum { MAX_PORT = 65535 };
    struct view value;
    uint64_t port;

    *route = (struct remote_route){.host = host, .port = REMOTE_SMTP_PORT};
    if (!domain_find_or_default(routes, host, &value) || value.len == 0)
        return true;
    route->relayed = true;
    route->host = take_relay(&value);
    if (value.len == 0)
        return true;
    value = view_from(value, 1); /* the colon */
    if (!number_take(&value, &port) || port < 1 || port > MAX_PORT)
        return false;
    route->port = (unsigned)port;
    return true;
}

/* An address of control/outgoingip: IPv4, or IPv6 in brackets. */
static bool parse_address(struct view v, struct ip_address *ip)
{
    return ip_parse_v4(v, ip) || (ip_parse_literal(v, ip) && ip->family == IP_V6);
}

/* Splits an entry: an address alone belongs to the empty key, and so does whatever
 * else has no colon. */
static void split_entry(struct view entry, struct view *key, struct view *address)
{
    struct ip_address ip;
    *key = VIEW("");
    *address = entry;
    if (!parse_address(entry, &ip) && view_has(entry, ':'))
        *key = view_cut(address, ':');
}

static bool is_unspecified(const struct ip_address *ip)
{
    for (size_t i = 0; i < sizeof ip->bytes; i++)
        if (ip->bytes[i])
            return false;
    return true;
}

/* Takes over what entries says under key. */
static bool bind_by_key(const struct control_list *entries, struct view key,
                        struct remote_binding *binding)
{
    struct view rest = bytes_view(&entries->entries), entry;
    while (control_list_next(&rest, &entry)) {
        struct view entry_key, text;
        struct ip_address ip;
        split_entry(entry, &entry_key, &text);
        if (!view_equal_case(entry_key, key))
            continue;
        if (!parse_address(text, &ip))
            return false;
        struct ip_address *bound = ip.family == IP_V4 ? &binding->v4 : &binding->v6;
        if (is_unspecified(&ip))
            ip.family = IP_NONE;
        *bound = ip;
    }
    return true;
}

bool remote_binding_find(const struct control_list *entries, struct view host,
                         struct remote_binding *binding)
{
    struct view rest = bytes_view(&entries->entries), entry, key, address;
    struct table keys = {0};
    *binding = (struct remote_binding){0};
    while (control_list_next(&rest, &entry)) {
        split_entry(entry, &key, &address);
        table_add(&keys, key, key);
    }
    bool good = !domain_find_or_default(&keys, host, &key) ||
                bind_by_key(entries, key, binding);
    table_free(&keys);
    return good;
}
