#include "deliver/remote.h"

#include "mail/domain.h"
#include "mail/relay.h"

bool remote_route_find(const struct table *routes, struct view host,
                       struct remote_route *route)
{
    struct view value, ignored;

    *route = (struct remote_route){.host = host, .port = RELAY_SMTP_PORT};
    if (!domain_find_or_default(routes, host, &value) || value.len == 0)
        return true;
    route->relayed = true;
    return relay_of_route(value, &route->host, &route->port, &ignored);
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
        relay_split_binding(entry, &entry_key, &text);
        if (!view_equal_case(entry_key, key))
            continue;
        if (!relay_binding_address(text, &ip))
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
        relay_split_binding(entry, &key, &address);
        table_add(&keys, key, key);
    }
    bool good = !domain_find_or_default(&keys, host, &key) ||
                bind_by_key(entries, key, binding);
    table_free(&keys);
    return good;
}
