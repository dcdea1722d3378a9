#include "net/ip.h"

#include "tap.h"

#include <string.h>

static const struct {
    const char *text;
    enum ip_family family; /* IP_NONE: not an address */
    const char *shown;     /* NULL: as text */
} cases[] = {
    {"192.0.2.1", IP_V4, NULL},
    {"0.0.0.0", IP_V4, NULL},
    {"255.255.255.255", IP_V4, NULL},
    {"256.0.0.1", IP_NONE, NULL},
    {"1.2.3", IP_NONE, NULL},
    {"1.2.3.4.5", IP_NONE, NULL},
    {"1.2.3.4.", IP_NONE, NULL},
    {".1.2.3.4", IP_NONE, NULL},
    {"1..2.3", IP_NONE, NULL},
    {"01.2.3.4", IP_NONE, NULL},
    {"1.2.3.04", IP_NONE, NULL},
    {"0x1.2.3.4", IP_NONE, NULL},
    {" 1.2.3.4", IP_NONE, NULL},
    {"1.2.3.4 ", IP_NONE, NULL},
    {"1.2.3.4\n", IP_NONE, NULL},
    {"-1.2.3.4", IP_NONE, NULL},
    {"3221225985", IP_NONE, NULL},
    {"", IP_NONE, NULL},
    {"x", IP_NONE, NULL},
    {"2001:db8::1", IP_V6, NULL},
    {"2001:DB8:0:0:0:0:0:1", IP_V6, "2001:db8::1"},
    {"::", IP_V6, NULL},
    {"::1", IP_V6, NULL},
    {"::ffff:192.0.2.1", IP_V6, NULL},
    {"1:2:3:4:5:6:7:8", IP_V6, NULL},
    {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", IP_V6,
     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    {"1:2:3:4:5:6:7", IP_NONE, NULL},
    {"1:2:3:4:5:6:7:8:9", IP_NONE, NULL},
    {"1::2::3", IP_NONE, NULL},
    {"12345::", IP_NONE, NULL},
    {":::", IP_NONE, NULL},
    {"fe80::1%lo", IP_NONE, NULL},
    {"[::1]", IP_NONE, NULL},
    {"0000000000000000000000000000000000000000000000000000001.2.3.4", IP_NONE, NULL},
};

static const struct {
    const char *text;
    const char *shown; /* NULL: not a literal */
} literals[] = {
    {"[192.0.2.1]", "192.0.2.1"},
    {"[IPv6:2001:db8::1]", "2001:db8::1"},
    {"[ipV6:::1]", "::1"},
    {"[2001:db8::1]", "2001:db8::1"},
    {"[IPv6:192.0.2.1]", NULL},
    {"[IPv6:]", NULL},
    {"[]", NULL},
    {"[", NULL},
    {"]", NULL},
    {"", NULL},
    {"192.0.2.1", NULL},
    {"[192.0.2.1", NULL},
    {"192.0.2.1]", NULL},
    {"[192.0.2.1]x", NULL},
    {"[[192.0.2.1]]", NULL},
    {"[192.0.2.256]", NULL},
    {"[ 192.0.2.1]", NULL},
};

static void parsing(void)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct ip_address ip = {.family = IP_NONE}, v4 = {.family = IP_NONE};
        bool parsed = ip_parse(view_of(cases[i].text), &ip);
        ok(parsed == (cases[i].family != IP_NONE) && ip.family == cases[i].family,
           cases[i].text, "parsed");
        ok(ip_parse_v4(view_of(cases[i].text), &v4) == (cases[i].family == IP_V4),
           cases[i].text, "as a dotted quad");
        if (parsed)
            same(view_of(ip_format(&ip).text),
                 view_of(cases[i].shown ? cases[i].shown : cases[i].text),
                 cases[i].text);
    }
    struct ip_address ip;
    ok(!ip_parse(VIEW("1.2.3.4\0x"), &ip) && !ip_parse(VIEW("1.2.3.4\0"), &ip),
       "NUL inside", NULL);
    for (size_t i = 0; i < COUNT(literals); i++) {
        bool parsed = ip_parse_literal(view_of(literals[i].text), &ip);
        ok(parsed == (literals[i].shown != NULL), literals[i].text, "literal");
        if (parsed && literals[i].shown)
            same(view_of(ip_format(&ip).text), view_of(literals[i].shown),
                 literals[i].text);
    }
}

static struct ip_address address(const char *text)
{
    struct ip_address ip = {.family = IP_NONE};
    ip_parse(view_of(text), &ip);
    return ip;
}

int main(void)
{
    parsing();
    struct ip_address a = address("192.0.2.1"), b = address("192.0.2.2"),
                      mapped = address("::ffff:192.0.2.1"), six = address("::1"),
                      none = {.family = IP_NONE};
    ok(ip_equal(&a, &a) && !ip_equal(&a, &b) && !ip_equal(&a, &mapped), "equal", NULL);
    struct ip_address padded = a;
    memset(padded.bytes + 4, 0xff, 12);
    ok(ip_equal(&a, &padded), "equal", "the first four bytes count");
    struct ip_address plain = ip_unmapped(&mapped);
    ok(ip_equal(&plain, &a), "unmapped", NULL);
    plain = ip_unmapped(&six);
    ok(ip_equal(&plain, &six), "unmapped", "another stays");
    plain = ip_unmapped(&a);
    ok(ip_equal(&plain, &a), "unmapped", "IPv4 stays");
    same(view_of(ip_format(&none).text), VIEW("unknown"), "no address");

    struct ip_own own = {0};
    ok(!ip_own_has(&own, &a), "own", "empty");
    for (int i = 0; i < 2; i++) {
        ok(ip_own_read(&own), "own", "read");
        struct ip_address any = address("0.0.0.0"), any6 = address("::"),
                          multicast = address("224.0.0.77");
        ok(ip_own_has(&own, &any) && ip_own_has(&own, &any6), "own", "any");
        ok(!ip_own_has(&own, &multicast), "own", "nobody's");
    }
    ip_own_free(&own);
    ip_own_free(&own);
    return tap_done();
}
