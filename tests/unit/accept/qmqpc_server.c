#include "accept/qmqpc.h"

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

int main(void)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct ip_address ip;
        unsigned port;
        bool read = qmqpc_server_read(view_of(cases[i].entry), &ip, &port);
        ok(read == (cases[i].ip != NULL), cases[i].entry, "result");
        if (!read || !cases[i].ip)
            continue;
        same(view_of(ip_format(&ip).text), view_of(cases[i].ip), cases[i].entry);
        same_number(port, cases[i].port, cases[i].entry);
    }
    return tap_done();
}
