#include "deliver/remote.h"

#include "tap.h"

#include <stdlib.h>
#include <string.h>

/* The name service of these tests: MX as "preference host ...", addresses as text. */
static const struct {
    const char *name, *mx, *addresses;
    enum dns_result mx_result, address_result;
} zone[] = {
    {"two", "10 b 5 a", "", DNS_FOUND, DNS_NO_DATA},
    {"a", "", "2001:db8::a 192.0.2.1 192.0.2.2", DNS_NO_DATA, DNS_FOUND},
    {"b", "", "192.0.2.3", DNS_NO_DATA, DNS_FOUND},
    {"same", "5 a 5 b", "", DNS_FOUND, DNS_NO_DATA},
    {"cname", "", "", DNS_NO_RECORD, DNS_NO_RECORD},
    {"nothing", "", "", DNS_NO_DATA, DNS_NO_DATA},
    {"soft", "", "", DNS_TEMPORARY, DNS_TEMPORARY},
    {"softmx", "", "192.0.2.9", DNS_TEMPORARY, DNS_FOUND},
    {"softa", "", "", DNS_NO_DATA, DNS_TEMPORARY},
    {"half", "5 soft 10 b", "", DNS_FOUND, DNS_NO_DATA},
    {"onlysoft", "5 soft 10 absent", "", DNS_FOUND, DNS_NO_DATA},
    {"onlyabsent", "5 absent 10 nothing", "", DNS_FOUND, DNS_NO_DATA},
    {"null", "0 .", "192.0.2.9", DNS_FOUND, DNS_FOUND},
    {"nullandmore", "0 . 10 b", "", DNS_FOUND, DNS_NO_DATA},
    {"literal", "7 192.0.2.7 5 a", "", DNS_FOUND, DNS_NO_DATA},
    {"self", "5 a 10 lo 20 b", "", DNS_FOUND, DNS_NO_DATA},
    {"tie", "10 lo 10 b", "", DNS_FOUND, DNS_NO_DATA},
    {"lo", "", "127.0.0.1", DNS_NO_DATA, DNS_FOUND},
    {"mapped", "", "::ffff:127.0.0.1", DNS_NO_DATA, DNS_FOUND},
    {"later", "5 a 6 b 6 lo", "", DNS_FOUND, DNS_NO_DATA},
};

static enum dns_result fake_mx(struct view name, struct dns_records *records)
{
    for (size_t i = 0; i < COUNT(zone); i++) {
        if (!view_is(name, zone[i].name))
            continue;
        struct view rest = view_of(zone[i].mx);
        while (rest.len) {
            struct view number = view_cut(&rest, ' '), host = view_cut(&rest, ' ');
            struct dns_record r = {.preference = (unsigned)atoi(number.data)};
            dns_records_add(records, &r, view_is(host, ".") ? VIEW("") : host);
        }
        return zone[i].mx_result;
    }
    return DNS_NO_NAME;
}

static enum dns_result fake_addresses(struct view name, struct dns_records *records)
{
    for (size_t i = 0; i < COUNT(zone); i++) {
        if (!view_is(name, zone[i].name))
            continue;
        struct view rest = view_of(zone[i].addresses);
        while (rest.len) {
            struct dns_record r = {0};
            ip_parse(view_cut(&rest, ' '), &r.ip);
            dns_records_add(records, &r, VIEW(""));
        }
        return zone[i].address_result;
    }
    return DNS_NO_NAME;
}

static const struct {
    const char *host;
    bool relayed;
    enum remote_found found;
    const char *targets; /* as "address/preference/name ..."; after the cut */
} cases[] = {
    {"two", false, REMOTE_FOUND,
     "2001:db8::a/5/a 192.0.2.1/5/a 192.0.2.2/5/a 192.0.2.3/10/b "},
    {"a", false, REMOTE_FOUND, "2001:db8::a/0/a 192.0.2.1/0/a 192.0.2.2/0/a "},
    {"two", true, REMOTE_FOUND_NO_HOST, ""},
    {"b", true, REMOTE_FOUND, "192.0.2.3/0/b "},
    {"192.0.2.4", false, REMOTE_FOUND, "192.0.2.4/0/ "},
    {"[192.0.2.4]", false, REMOTE_FOUND, "192.0.2.4/0/ "},
    {"[192.0.2.4]", true, REMOTE_FOUND, "192.0.2.4/0/ "},
    {"[IPv6:2001:db8::4]", false, REMOTE_FOUND, "2001:db8::4/0/ "},
    {"[2001:db8::4]", false, REMOTE_FOUND, "2001:db8::4/0/ "},
    {"192.0.2.256", false, REMOTE_FOUND_NO_HOST, ""},
    {"[192.0.2.4", false, REMOTE_FOUND_NO_HOST, ""},
    {"192.0.2.4]", false, REMOTE_FOUND_NO_HOST, ""},
    {"192.0.2", false, REMOTE_FOUND_NO_HOST, ""},
    {"", false, REMOTE_FOUND_NO_HOST, ""},
    {"absent", false, REMOTE_FOUND_NO_HOST, ""},
    {"nothing", false, REMOTE_FOUND_NO_HOST, ""},
    {"cname", false, REMOTE_FOUND_NO_ADDRESS, ""},
    {"soft", false, REMOTE_FOUND_TEMPORARY, ""},
    {"softmx", false, REMOTE_FOUND_TEMPORARY, ""},
    {"softmx", true, REMOTE_FOUND, "192.0.2.9/0/softmx "},
    {"softa", false, REMOTE_FOUND_TEMPORARY, ""},
    {"half", false, REMOTE_FOUND, "192.0.2.3/10/b "},
    {"onlysoft", false, REMOTE_FOUND_TEMPORARY, ""},
    {"onlyabsent", false, REMOTE_FOUND_NO_ADDRESS, ""},
    {"null", false, REMOTE_FOUND_NULL_MX, ""},
    {"nullandmore", false, REMOTE_FOUND, "192.0.2.3/10/b "},
    {"literal", false, REMOTE_FOUND,
     "2001:db8::a/5/a 192.0.2.1/5/a 192.0.2.2/5/a 192.0.2.7/7/ "},
    {"self", false, REMOTE_FOUND, "2001:db8::a/5/a 192.0.2.1/5/a 192.0.2.2/5/a "},
    {"tie", false, REMOTE_FOUND, ""},
    {"lo", false, REMOTE_FOUND, ""},
    {"mapped", false, REMOTE_FOUND, ""},
    {"later", false, REMOTE_FOUND, "2001:db8::a/5/a 192.0.2.1/5/a 192.0.2.2/5/a "},
};

static const struct remote_dns dns = {fake_mx, fake_addresses};

static void test_case(size_t i, const struct ip_own *own)
{
    struct remote_targets targets = {0};
    struct remote_route route = {
        .host = view_of(cases[i].host), .port = 25, .relayed = cases[i].relayed};
    struct bytes got = {0};
    enum remote_found found = remote_addresses_find(&dns, &route, &targets);
    ok(found == cases[i].found, cases[i].host, "result");
    if (found == REMOTE_FOUND)
        remote_addresses_cut(&targets, own);
    for (size_t t = 0; t < targets.count && found == REMOTE_FOUND; t++) {
        const struct remote_target *target = &targets.list[t];
        bytes_add_format(&got, "%s/%u/", ip_format(&target->ip).text,
                         target->preference);
        bytes_add(&got,
                  view_at(targets.names.data + target->name_at, target->name_len));
        bytes_add_byte(&got, ' ');
    }
    same(bytes_view(&got), view_of(cases[i].targets), cases[i].host);
    bytes_free(&got);
    remote_targets_free(&targets);
}

/* Of two equal preferences each must come first at times: a hundred tries would all
 * be the same once in 10^30 runs. */
static void test_random_order(void)
{
    unsigned first_a = 0;
    for (int i = 0; i < 100; i++) {
        struct remote_targets targets = {0};
        struct remote_route route = {.host = VIEW("same")};
        remote_addresses_find(&dns, &route, &targets);
        first_a += targets.list[0].ip.family == IP_V6;
        remote_targets_free(&targets);
    }
    ok(first_a > 0 && first_a < 100, "equal preferences", "in any order");
}

int main(void)
{
    struct ip_address own_list[] = {{.family = IP_V4},
                                    {.family = IP_V4, .bytes = {127, 0, 0, 1}}};
    struct ip_own own = {.list = own_list, .count = COUNT(own_list)};
    for (size_t i = 0; i < COUNT(cases); i++)
        test_case(i, &own);
    test_random_order();
    return tap_done();
}
