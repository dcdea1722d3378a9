#include "deliver/remote.h"

#include "tap.h"

#include <string.h>

static const struct {
    const char *name, *routes, *host; /* the routes as in the file */
    bool good, relayed;
    const char *relay;
    unsigned port;
} routes[] = {
    {"none", "", "d.test", true, false, "d.test", 25},
    {"by name", "d.test:r.test", "D.Test", true, true, "r.test", 25},
    {"port", "d.test:r.test:26", "d.test", true, true, "r.test", 26},
    {"text after the port", "d.test:r.test:26:x", "d.test", true, true, "r.test", 26},
    {"largest port", ":r:65535", "d", true, true, "r", 65535},
    {"port too large", ":r:65536", "d", false, true, "r", 0},
    {"port huge", ":r:99999999999999999999999", "d", false, true, "r", 0},
    {"port zero", ":r:0", "d", false, true, "r", 0},
    {"port missing", ":r:", "d", false, true, "r", 0},
    {"port in words", ":r:smtp", "d", false, true, "r", 0},
    {"port negative", ":r:-1", "d", false, true, "r", 0},
    {"bad port elsewhere", "x:r:0\nd:r", "d", true, true, "r", 25},
    {"empty relay", "d.test:\n:r", "d.test", true, false, "d.test", 25},
    {"port alone", "d.test::26", "d.test", true, true, "", 26},
    {"suffix", ".test:r\n:s", "d.test", true, true, "r", 25},
    {"longest suffix", ".test:s\n.d.test:r", "x.d.test", true, true, "r", 25},
    {"name is no suffix", "test:s", "d.test", true, false, "d.test", 25},
    {"default", ":s", "d.test", true, true, "s", 25},
    {"literal", ":[192.0.2.1]:26", "d", true, true, "[192.0.2.1]", 26},
    {"IPv6", ":[2001:db8::1]", "d", true, true, "[2001:db8::1]", 25},
    {"IPv6 and port", ":[IPv6:2001:db8::1]:26", "d", true, true, "[IPv6:2001:db8::1]",
     26},
    {"IPv6 without brackets", ":2001:db8::1", "d", false, true, "2001", 0},
    {"bracket not closed", ":[2001:5", "d", true, true, "[2001", 5},
    {"text after the bracket", ":[192.0.2.1]x:5", "d", true, true, "[192.0.2.1]x", 5},
    {"literal as host", ".2.1]:r", "[192.0.2.1]", true, true, "r", 25},
};

static const struct {
    const char *name, *entries, *host;
    bool good;
    const char *v4, *v6; /* NULL: not bound */
} bindings[] = {
    {"none", "", "d.test", true, NULL, NULL},
    {"address alone", "192.0.2.1", "d.test", true, "192.0.2.1", NULL},
    {"IPv6 alone", "[2001:db8::1]", "d.test", true, NULL, "2001:db8::1"},
    {"both alone", "192.0.2.1\n[2001:db8::1]", "d", true, "192.0.2.1", "2001:db8::1"},
    {"both by key", "d:192.0.2.1\nD:[2001:db8::1]\n192.0.2.9", "d", true, "192.0.2.1",
     "2001:db8::1"},
    {"the key decides for both", "d:192.0.2.1\n[2001:db8::1]", "d", true, "192.0.2.1",
     NULL},
    {"suffix", ".test:192.0.2.1\n192.0.2.9", "d.test", true, "192.0.2.1", NULL},
    {"empty key", ":192.0.2.1", "d.test", true, "192.0.2.1", NULL},
    {"the last counts", "192.0.2.1\n:192.0.2.2", "d.test", true, "192.0.2.2", NULL},
    {"no match", "x.test:192.0.2.1", "d.test", true, NULL, NULL},
    {"unspecified", "d:0.0.0.0\nd:[::]", "d", true, NULL, NULL},
    {"an exception", "d:0.0.0.0\n192.0.2.1", "d", true, NULL, NULL},
    {"a word", "d:hello", "d", false, NULL, NULL},
    {"a word alone", "hello", "d", false, NULL, NULL},
    {"a word elsewhere", "x:hello", "d", true, NULL, NULL},
    {"IPv6 without brackets", "d:2001:db8::1", "d", false, NULL, NULL},
    {"IPv4 in brackets", "d:[192.0.2.1]", "d", false, NULL, NULL},
    {"nothing", "d:", "d", false, NULL, NULL},
    {"out of range", "192.0.2.256", "d", false, NULL, NULL},
};

static void test_route(size_t i)
{
    struct table table = {0};
    struct view rest = view_of(routes[i].routes);
    struct remote_route route;
    while (rest.len) {
        struct view line = view_cut(&rest, '\n'), key = view_cut(&line, ':');
        table_add(&table, key, line);
    }
    bool good = remote_route_find(&table, view_of(routes[i].host), &route);
    ok(good == routes[i].good, routes[i].name, "result");
    ok(route.relayed == routes[i].relayed, routes[i].name, "relayed");
    if (good) {
        same(route.host, view_of(routes[i].relay), routes[i].name);
        same_number(route.port, routes[i].port, routes[i].name);
    }
    table_free(&table);
}

static void same_ip(const struct ip_address *ip, const char *want, const char *name)
{
    struct ip_text text = ip_format(ip);
    if (want)
        same(view_of(text.text), view_of(want), name);
    else
        ok(ip->family == IP_NONE, name, "not bound");
}

static void test_binding(size_t i)
{
    struct control_list list = {0};
    struct remote_binding binding;
    struct view rest = view_of(bindings[i].entries);
    while (rest.len) {
        bytes_add(&list.entries, view_cut(&rest, '\n'));
        bytes_add_byte(&list.entries, '\0');
    }
    bool good = remote_binding_find(&list, view_of(bindings[i].host), &binding);
    ok(good == bindings[i].good, "outgoingip:", bindings[i].name);
    if (good && bindings[i].good) {
        same_ip(&binding.v4, bindings[i].v4, bindings[i].name);
        same_ip(&binding.v6, bindings[i].v6, bindings[i].name);
    }
    control_list_free(&list);
}

int main(void)
{
    for (size_t i = 0; i < COUNT(routes); i++)
        test_route(i);
    for (size_t i = 0; i < COUNT(bindings); i++)
        test_binding(i);
    return tap_done();
}
