/* Entries of smtproutes, outgoingip and qmqpservers: what is read of one, written in
 * the plainest way, is read as the same; ports are ports. */
#include "mail/relay.h"

#include "fuzz.h"

static bool is_inside(struct view part, struct view whole)
{
    return part.len == 0 ||
           (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

static void route(struct view entry)
{
    struct view host, ignored, host2;
    unsigned port, port2;

    if (!relay_of_route(entry, &host, &port, &ignored))
        return;
    MUST(port >= 1 && port <= 65535);
    MUST(is_inside(host, entry) && is_inside(ignored, entry));
    MUST(view_starts(entry, host) && view_ends(entry, ignored));
    struct bytes plain = {0};
    bytes_add(&plain, host);
    bytes_add_format(&plain, ":%u", port);
    MUST(relay_of_route(bytes_view(&plain), &host2, &port2, &ignored));
    MUST(view_equal(host, host2) && port == port2 && ignored.len == 0);
    bytes_free(&plain);
}

static void binding(struct view entry)
{
    struct view key, address;
    struct ip_address ip, ip2;

    relay_split_binding(entry, &key, &address);
    MUST(is_inside(key, entry) && view_ends(entry, address));
    MUST(key.len == 0 || (view_starts(entry, key) && entry.data[key.len] == ':'));
    if (relay_binding_address(address, &ip)) {
        MUST(ip.family == IP_V4 || address.data[0] == '[');
        MUST(key.len || ip_parse_v4(address, &ip2) || ip_parse_literal(address, &ip2));
    }
}

static void server(struct view entry)
{
    struct ip_address ip, ip2;
    unsigned port, port2;
    struct view ignored;

    if (!relay_of_server(entry, &ip, &port, &ignored))
        return;
    MUST(port >= 1 && port <= 65535 && ip.family != IP_NONE);
    MUST(view_ends(entry, ignored));
    struct bytes plain = {0};
    struct ip_text text = ip_format(&ip);
    bytes_add_format(&plain, ip.family == IP_V6 ? "[%s]:%u" : "%s:%u", text.text, port);
    MUST(relay_of_server(bytes_view(&plain), &ip2, &port2, &ignored));
    MUST(ip_equal(&ip, &ip2) && port == port2 && ignored.len == 0);
    bytes_free(&plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view entry = view_at((const char *)data, len);
    enum relay_tls_policy policy;

    route(entry);
    binding(entry);
    server(entry);
    if (relay_tls_policy(entry, &policy))
        MUST(view_is_case(entry, relay_tls_names[policy]));
    return 0;
}
