#include "admin/showctl.h"

#include "tap.h"

enum {
    DIGITS = SHOWCTL_DIGITS,
    DOMAIN = SHOWCTL_DOMAIN,
    NAME = SHOWCTL_FULL_NAME,
    GREETING = SHOWCTL_GREETING,
    LOCAL = SHOWCTL_LOCAL_PART,
    HOSTS = SHOWCTL_HOSTS,
    HELO = SHOWCTL_HELO,
    ADDRESSES = SHOWCTL_ADDRESSES,
    ROUTE = SHOWCTL_ROUTE,
    VIRTUAL = SHOWCTL_VIRTUAL,
    BINDING = SHOWCTL_BINDING,
    POLICY = SHOWCTL_POLICY,
    SERVER = SHOWCTL_SERVER
};

#define LABEL_63 "123456789012345678901234567890123456789012345678901234567890123"

static const struct {
    int content;
    const char *entry;
    const char *problem; /* how it begins; NULL: it is fine */
} cases[] = {
    {SHOWCTL_ANYTHING, "any thing", NULL},
    {SHOWCTL_ANYTHING, " x", "begins with white space"},
    {DIGITS, "0", NULL},
    {DIGITS, "007", NULL},
    {DIGITS, "99999999999999999999999", NULL},
    {DIGITS, "", "is no number"},
    {DIGITS, "-5", "is no number"},
    {DIGITS, " 7", "is no number"},
    {DIGITS, "many", "is no number"},
    {DIGITS, "10M", "is read as the digits"},
    {DIGITS, "10 # ten", "is read as the digits"},
    {DOMAIN, "example.org", NULL},
    {DOMAIN, "a_b.Example-x.org", NULL},
    {DOMAIN, "localhost", NULL},
    {DOMAIN, "[192.0.2.1]", NULL},
    {DOMAIN, "[IPv6:2001:db8::1]", NULL},
    {DOMAIN, LABEL_63 ".org", NULL},
    {DOMAIN, "1" LABEL_63 ".org", "cannot be a domain"},
    {DOMAIN, LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63, "cannot be a domain"},
    {DOMAIN, "", "the name is empty"},
    {DOMAIN, " example.org", "begins with white space"},
    {DOMAIN, "example.org # ours", "holds white space"},
    {DOMAIN, "joe@example.org", "is an address"},
    {DOMAIN, ".example.org", "begins with a dot"},
    {DOMAIN, "example.org.", "cannot be a domain"},
    {DOMAIN, "a..b", "cannot be a domain"},
    {DOMAIN, "*.example.org", "cannot be a domain"},
    {DOMAIN, "b\303\274cher.example", "cannot be a domain"},
    {DOMAIN, "[192.0.2.300]", "cannot be a domain"},
    {DOMAIN, "example.org:joe", "cannot be a domain"},
    {NAME, "mail.example.org", NULL},
    {NAME, "[192.0.2.1]", NULL},
    {NAME, "mail", "is no full name"},
    {NAME, "", "the name is empty"},
    {GREETING, "mail.example.org", NULL},
    {GREETING, "mail.example.org ESMTP here", NULL},
    {GREETING, "", "the greeting is empty"},
    {GREETING, "220 mail.example.org", NULL}, /* a number may be a label */
    {GREETING, "Welcome! to us", "does not begin with a host's name"},
    {LOCAL, "postmaster", NULL},
    {LOCAL, "MAILER-DAEMON", NULL},
    {LOCAL, "#@[]", "is an address"},
    {LOCAL, "joe@example.org", "is an address"},
    {LOCAL, "joe user", "cannot be a local part"},
    {LOCAL, "", "the name is empty"},
    {HOSTS, "example.org", NULL},
    {HOSTS, ".example.org", NULL},
    {HOSTS, "..example.org", "begins with a dot"},
    {HOSTS, ".", "begins with a dot"},
    {HOSTS, "*", "cannot be a domain"},
    {HOSTS, "@example.org", "is an address"},
    {HELO, "friend", NULL},
    {HELO, "[127.0.0.1]", NULL},
    {HELO, "a b", "holds white space"},
    {ADDRESSES, "joe@example.org", NULL},
    {ADDRESSES, "@example.org", NULL},
    {ADDRESSES, "@.example.org", NULL},
    {ADDRESSES, "a@b@example.org", NULL},
    {ADDRESSES, "joe@[192.0.2.1]", NULL},
    {ADDRESSES, "example.org", "has no @"},
    {ADDRESSES, "joe@.example.org", "has no domain"},
    {ADDRESSES, "joe@", "has no domain"},
    {ADDRESSES, "*@example.*", "has no domain"},
    {ADDRESSES, "joe@example.org # him", "holds white space"},
    {ROUTE, "example.org:relay.test", NULL},
    {ROUTE, "example.org:relay.test:26", NULL},
    {ROUTE, ".example.org:[192.0.2.1]", NULL},
    {ROUTE, ":192.0.2.1", NULL},
    {ROUTE, "example.org:", NULL},
    {ROUTE, "example.org:[2001:db8::1]:26", NULL},
    {ROUTE, "relay.test", "has no colon"},
    {ROUTE, "exa mple:relay.test", "has no domain"},
    {ROUTE, "joe@example.org:relay.test", "has no domain"},
    {ROUTE, "example.org:relay.test:0", "has a port"},
    {ROUTE, "example.org:relay.test:smtp", "has a port"},
    {ROUTE, "example.org:relay.test:26:x", "has something behind"},
    {ROUTE, "example.org:2001:db8::1", "has an IPv6 address without brackets"},
    {ROUTE, "example.org: relay.test", "has a relay that cannot be"},
    {ROUTE, "example.org::26", "has a relay that cannot be"},
    {VIRTUAL, "example.org:joe", NULL},
    {VIRTUAL, ".example.org:joe-sub", NULL},
    {VIRTUAL, "joe@example.org:jim", NULL},
    {VIRTUAL, ":alias-all", NULL},
    {VIRTUAL, "example.org:", NULL},
    {VIRTUAL, "example.org", "has no colon"},
    {VIRTUAL, "@example.org:joe", "has no address"},
    {VIRTUAL, "joe@.example.org:jim", "has no address"},
    {VIRTUAL, "exa mple:joe", "has no domain"},
    {VIRTUAL, "joe@example.org:jim@other.test", "has an address behind the colon"},
    {VIRTUAL, "example.org: joe", "has white space"},
    {BINDING, "192.0.2.1", NULL},
    {BINDING, "0.0.0.0", NULL},
    {BINDING, "[2001:db8::1]", NULL},
    {BINDING, "example.org:192.0.2.1", NULL},
    {BINDING, ".example.org:[2001:db8::1]", NULL},
    {BINDING, "2001:db8::1", "has no address"},
    {BINDING, "host.test", "has no address"},
    {BINDING, "exa mple:192.0.2.1", "has no domain"},
    {POLICY, "example.org:verify", NULL},
    {POLICY, ":MAY", NULL},
    {POLICY, "example.org", "has no colon"},
    {POLICY, "example.org:must", "has no policy"},
    {POLICY, "exa mple:may", "has no domain"},
    {SERVER, "192.0.2.1", NULL},
    {SERVER, "192.0.2.1:629", NULL},
    {SERVER, "[2001:db8::1]:629", NULL},
    {SERVER, "host.test", "is no address"},
    {SERVER, "192.0.2.1:99999", "is no address"},
    {SERVER, "192.0.2.1 # ours", "has something behind"},
    {SERVER, "192.0.2.1:x", "has something behind"},
};

int main(void)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct showctl_problem p = showctl_judge((enum showctl_content)cases[i].content,
                                                 view_of(cases[i].entry));
        if (!cases[i].problem || !p.problem) {
            ok(!cases[i].problem && !p.problem, cases[i].entry,
               p.problem ? p.problem : "fine");
            continue;
        }
        ok(view_starts(view_of(p.problem), view_of(cases[i].problem)), cases[i].entry,
           p.problem);
        ok(p.remedy && *p.remedy, cases[i].entry, "has a remedy");
    }
    return tap_done();
}
