#include "net/dns.h"

#include "tap.h"

#define L63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff123"

static const struct {
    const char *name;
    struct view host;
    bool good, edns;
    struct view wire; /* behind the number and flags */
} cases[] = {
    {"plain", VIEW_INIT("d.test"), true, false,
     VIEW_INIT("\0\1\0\0\0\0\0\0\1d\4test\0\0\xf\0\1")},
    {"dot at the end", VIEW_INIT("d.test."), true, false,
     VIEW_INIT("\0\1\0\0\0\0\0\0\1d\4test\0\0\xf\0\1")},
    {"EDNS", VIEW_INIT("d"), true, true,
     VIEW_INIT("\0\1\0\0\0\0\0\1\1d\0\0\xf\0\1\0\0\x29\4\xd0\0\0\0\0\0\0")},
    {"odd bytes", VIEW_INIT("a\\. \xe9"), true, false,
     VIEW_INIT("\0\1\0\0\0\0\0\0\2a\\\2 \xe9\0\0\xf\0\1")},
    {"empty", VIEW_INIT(""), false, false, VIEW_INIT("")},
    {"root", VIEW_INIT("."), false, false, VIEW_INIT("")},
    {"empty label", VIEW_INIT("a..b"), false, false, VIEW_INIT("")},
    {"dot first", VIEW_INIT(".b"), false, false, VIEW_INIT("")},
    {"two dots last", VIEW_INIT("b.."), false, false, VIEW_INIT("")},
    {"label of 64", VIEW_INIT(L63 "4.b"), false, false, VIEW_INIT("")},
    {"name of 256", VIEW_INIT(L63 "." L63 "." L63 "." L63), false, false,
     VIEW_INIT("")},
};

static const struct {
    const char *ip, *name;
} reverse[] = {
    {"192.0.2.1", "1.2.0.192.in-addr.arpa"},
    {"2001:db8::567:89ab",
     "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"},
};

static void reverse_names(void)
{
    struct bytes name = {0};
    for (size_t i = 0; i < COUNT(reverse); i++) {
        struct ip_address ip;
        bytes_clear(&name);
        ok(ip_parse(view_of(reverse[i].ip), &ip), reverse[i].ip, NULL);
        dns_add_reverse_name(&name, &ip);
        same(bytes_view(&name), view_of(reverse[i].name), reverse[i].ip);
    }
    bytes_free(&name);
}

int main(void)
{
    reverse_names();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct dns_query q;
        bool good = dns_query_write(&q, cases[i].host, DNS_MX, 0x1234, cases[i].edns);
        ok(good == cases[i].good, cases[i].name, "result");
        if (!good)
            continue;
        struct view wire = view_at((const char *)q.bytes, q.len);
        same(view_before(wire, 4), VIEW("\x12\x34\1\0"), "number and flags");
        same(view_from(wire, 4), cases[i].wire, cases[i].name);
    }
    struct dns_query q;
    struct view longest = view_from(VIEW(L63 "." L63 "." L63 "." L63), 2);
    ok(longest.len == 253 && dns_query_write(&q, longest, DNS_A, 1, true) &&
           q.len == DNS_MAX_QUERY,
       "the longest name", NULL);
    struct dns_records records = {0};
    ok(dns_ask(VIEW(""), DNS_A, &records) == DNS_NO_NAME, "the root is not asked for",
       NULL);
    return tap_done();
}
