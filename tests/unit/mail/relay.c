#include "mail/relay.h"

#include "tap.h"

static const struct {
    const char *entry, *ip; /* NULL: of no use */
    unsigned port;
} cases[] = {
    {"192.0.2.1", "192.0.2.1", 628},
    {"192.0.2.1:", "192.0.2.1", 628},
    {"192.0.2.1:2628", "192.0.2.1", 2628},
    {"192.0.2.1:2628 # ours", "192.0.2.1", 2628},
    {"192.0.2.1 # ours", "192.0.2.1", 628},
    {"192.0.2.1.5", "192.0.2.1", 628},
    {"192.0.2.1:x", "192.0.2.1", 628},
    {"010.000.002.001", "10.0.2.1", 628},
    {"255.255.255.255", "255.255.255.255", 628},
    {"192.0.2.256", NULL, 0},
    {"99999999999999999999.0.2.1", NULL, 0},
    {"192.0.2", NULL, 0},
    {"192.0.2.", NULL, 0},
    {"192..2.1", NULL, 0},
    {" 192.0.2.1", NULL, 0},
    {"host.test", NULL, 0},
    {"192.0.2.1:0", NULL, 0},
    {"192.0.2.1:65536", NULL, 0},
    {"192.0.2.1:65535", "192.0.2.1", 65535},
    {"[2001:db8::1]", "2001:db8::1", 628},
    {"[2001:db8::1]:2628", "2001:db8::1", 2628},
    {"[2001:db8::1] ours", "2001:db8::1", 628},
    {"[::1]:99999", NULL, 0},
    {"[192.0.2.1]", NULL, 0},
    {"[2001:db8::1", NULL, 0},
    {"2001:db8::1", NULL, 0},
    {"[]", NULL, 0},
    {"[", NULL, 0},
    {"", NULL, 0},
};

static const struct {
    const char *value, *host; /* NULL: of no use */
    unsigned port;
    const char *ignored;
} routes[] = {
    {"relay.test", "relay.test", 25, ""},
    {"relay.test:26", "relay.test", 26, ""},
    {"relay.test:26:x", "relay.test", 26, ":x"},
    {"relay.test:26 # ours", "relay.test", 26, " # ours"},
    {"", "", 25, ""},
    {"[2001:db8::1]", "[2001:db8::1]", 25, ""},
    {"[2001:db8::1]:26", "[2001:db8::1]", 26, ""},
    {"relay.test:", NULL, 0, NULL},
    {"relay.test:x", NULL, 0, NULL},
    {"relay.test:0", NULL, 0, NULL},
    {"relay.test:65536", NULL, 0, NULL},
    {"2001:db8::1", NULL, 0, NULL},
};

static void test_route(size_t i)
{
    struct view host, ignored;
    unsigned port;
    bool want = routes[i].host != NULL && routes[i].ignored != NULL;
    bool read = relay_of_route(view_of(routes[i].value), &host, &port, &ignored);
    ok(read == want, routes[i].value, "result");
    if (!read || !want)
        return;
    same(host, view_of(routes[i].host), routes[i].value);
    same(ignored, view_of(routes[i].ignored), routes[i].value);
    same_number(port, routes[i].port, routes[i].value);
}

int main(void)
{
    for (size_t i = 0; i < COUNT(routes); i++)
        test_route(i);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct view ignored;
        struct ip_address ip;
        unsigned port;
        bool read = relay_of_server(view_of(cases[i].entry), &ip, &port, &ignored);
        ok(read == (cases[i].ip != NULL), cases[i].entry, "result");
        if (!read || !cases[i].ip)
            continue;
        same(view_of(ip_format(&ip).text), view_of(cases[i].ip), cases[i].entry);
        same_number(port, cases[i].port, cases[i].entry);
    }
    return tap_done();
}
