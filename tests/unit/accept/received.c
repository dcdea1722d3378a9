#include "accept/received.h"

#include "tap.h"

#define DATE "; 26 Sep 1995 04:46:54 -0000\n"

enum { NOW = 812090814 };

static const struct {
    const char *name;
    const char *remote_host, *remote_info, *remote_ip, *local, *cipher, *helo;
    bool tls, authenticated;
    const char *want;
} cases[] = {
    {"no HELO", "h.test", NULL, "1.2.3.4", "me.test", NULL, NULL, false, false,
     "Received: from h.test (1.2.3.4)\n  by me.test with SMTP" DATE},
    {"same HELO", "h.test", NULL, "1.2.3.4", "me.test", NULL, "H.Test", false, false,
     "Received: from h.test (1.2.3.4)\n  by me.test with SMTP" DATE},
    {"other HELO", "h.test", NULL, "1.2.3.4", "me.test", NULL, "x.test", false, false,
     "Received: from h.test (HELO x.test) (1.2.3.4)\n  by me.test with SMTP" DATE},
    {"empty HELO", "h.test", NULL, "1.2.3.4", "me.test", NULL, "", false, false,
     "Received: from h.test (HELO ) (1.2.3.4)\n  by me.test with SMTP" DATE},
    {"info", "h.test", "joe", "1.2.3.4", "me.test", NULL, "x.test", false, false,
     "Received: from h.test (HELO x.test) (joe@1.2.3.4)\n  by me.test with SMTP" DATE},
    {"empty info", "h.test", "", "1.2.3.4", "me.test", NULL, NULL, false, false,
     "Received: from h.test (@1.2.3.4)\n  by me.test with SMTP" DATE},
    {"no names", NULL, NULL, "1.2.3.4", "me.test", NULL, "x.test", false, false,
     "Received: from unknown (HELO x.test) (1.2.3.4)\n  by me.test with SMTP" DATE},
    {"HELO unknown", NULL, NULL, "1.2.3.4", "me.test", NULL, "UNKNOWN", false, false,
     "Received: from unknown (1.2.3.4)\n  by me.test with SMTP" DATE},
    {"nothing known", NULL, NULL, NULL, NULL, NULL, NULL, false, false,
     "Received: from unknown (unknown)\n  by unknown with SMTP" DATE},
    {"IPv6", NULL, NULL, "2001:db8::9", "me.test", NULL, "x", false, false,
     "Received: from unknown (HELO x) (2001:db8::9)\n  by me.test with SMTP" DATE},
    {"odd bytes", "a\nb", "j(o)e", "1;2", "a_b c", NULL, "\xff<>,\"\\", false, false,
     "Received: from a?b (HELO ?????\?) (j?o?e@1?2)\n  by a?b?c with SMTP" DATE},
    {"good bytes", "aZ09.@%+/=:-[]", NULL, "1.2.3.4", "me", NULL, NULL, false, false,
     "Received: from aZ09.@%+/=:-[] (1.2.3.4)\n  by me with SMTP" DATE},
    {"authenticated", "h", "joe", "1.2.3.4", "me", NULL, NULL, false, true,
     "Received: from h (joe@1.2.3.4)\n  by me with ESMTPA" DATE},
    {"TLS", "h", NULL, "1.2.3.4", "me", NULL, NULL, true, false,
     "Received: from h (1.2.3.4)\n  by me with ESMTPS" DATE},
    {"TLS with a cipher", "h", NULL, "1.2.3.4", "me", "TLS_A(1)", NULL, true, false,
     "Received: from h (1.2.3.4)\n  by me with ESMTPS (TLS_A?1? encrypted)" DATE},
    {"cipher without TLS", "h", NULL, "1.2.3.4", "me", "TLS_A", NULL, false, false,
     "Received: from h (1.2.3.4)\n  by me with SMTP" DATE},
    {"both", "h", NULL, "1.2.3.4", "me", NULL, NULL, true, true,
     "Received: from h (1.2.3.4)\n  by me with ESMTPSA" DATE},
    {"both with a cipher", "h", NULL, "1.2.3.4", "me", "X", NULL, true, true,
     "Received: from h (1.2.3.4)\n  by me with ESMTPSA (X encrypted, "
     "authenticated)" DATE},
};

int main(void)
{
    struct bytes field = {0};

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct received r = {
            .remote_host = cases[i].remote_host,
            .remote_info = cases[i].remote_info,
            .remote_ip = cases[i].remote_ip,
            .local = cases[i].local,
            .cipher = cases[i].cipher,
            .helo_given = cases[i].helo != NULL,
            .helo = view_of(cases[i].helo ? cases[i].helo : ""),
            .tls = cases[i].tls,
            .authenticated = cases[i].authenticated,
        };
        bytes_clear(&field);
        received_add(&field, &r, NOW);
        same(bytes_view(&field), view_of(cases[i].want), cases[i].name);
    }
    bytes_free(&field);
    return tap_done();
}
