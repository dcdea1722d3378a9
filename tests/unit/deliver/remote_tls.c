#include "deliver/remote.h"

#include "tap.h"

#define NO_REASON "the TLS helper gave no reason"

static const struct {
    const char *host;
    bool good;
    enum relay_tls_policy policy;
} policies[] = {
    {"plain.test", true, RELAY_TLS_NONE},
    {"x.must.test", true, RELAY_TLS_ENCRYPT},
    {"bank.must.test", true, RELAY_TLS_VERIFY},
    {"BANK.must.test", true, RELAY_TLS_VERIFY},
    {"else.test", true, RELAY_TLS_MAY},
    {"typo.test", false, RELAY_TLS_MAY},
    {"empty.test", false, RELAY_TLS_MAY},
};

static const struct {
    const char *line;
    bool up, verified;
    const char *session, *reason; /* the reason is only of interest where it is bad */
} lines[] = {
    {"K TLSv1.3 C 256 verified", true, true, "TLSv1.3 C 256 verified", NULL},
    {"K TLSv1.3 C 256 unverified self-signed certificate", true, false,
     "TLSv1.3 C 256 unverified self-signed certificate", "self-signed certificate"},
    {"K TLSv1.3 C 256 unverified", true, false, "TLSv1.3 C 256 unverified", NO_REASON},
    {"K TLSv1.3 C 256 verified?", true, false, "TLSv1.3 C 256 verified?", NO_REASON},
    {"K TLSv1.3", true, false, "TLSv1.3", NO_REASON},
    {"Z no shared cipher", false, false, "", "no shared cipher"},
    {"D never", false, false, "", "never"},
    {"Z ", false, false, "", NO_REASON},
    {"", false, false, "", NO_REASON},
    {"K", false, false, "", NO_REASON},
    {"hello", false, false, "", NO_REASON},
};

int main(void)
{
    struct table table = {0};
    table_add(&table, VIEW("plain.test"), VIEW("none"));
    table_add(&table, VIEW(".must.test"), VIEW("encrypt"));
    table_add(&table, VIEW("bank.must.test"), VIEW("Verify"));
    table_add(&table, VIEW("typo.test"), VIEW("verfiy"));
    table_add(&table, VIEW("empty.test"), VIEW(""));
    for (size_t i = 0; i < COUNT(policies); i++) {
        enum relay_tls_policy policy;
        bool good = remote_tls_policy_find(&table, view_of(policies[i].host), &policy);
        ok(good == policies[i].good, policies[i].host, "found");
        ok(!good || policy == policies[i].policy, policies[i].host, "policy");
    }
    table_free(&table);
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct remote_tls_status status;
        remote_tls_status_read(&status, view_of(lines[i].line));
        ok(status.up == lines[i].up && status.verified == lines[i].verified,
           "status:", lines[i].line);
        same(status.session, view_of(lines[i].session), lines[i].line);
        if (lines[i].reason)
            same(status.reason, view_of(lines[i].reason), lines[i].line);
    }
    return tap_done();
}
