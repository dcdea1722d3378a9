#include "admin/log.h"

#include "tap.h"

static const struct {
    const char *text, *want;
} cases[] = {
    {"Sorry,_no_mailbox_here_by_that_name._(#5.1.1)/",
     "Sorry, no mailbox here by that name. (#5.1.1)"},
    {"192.0.2.1_does_not_like_recipient./"
     "Remote_host_said:_550_5.1.1_<a_b@c.example>:_no/"
     "Giving_up_on_192.0.2.1./",
     "IP does not like recipient./Remote host said: 550 5.1.1 <ADDRESS>: no/Giving up "
     "on "
     "IP."},
    {"550-5.7.1_[2001:db8::1]_blocked", "550-5.7.1 [IP] blocked"},
    {"Sorry,_I_couldn't_find_any_host_named_mx1.foo.example._(#5.1.2)/",
     "Sorry, I couldn't find any host named HOST. (#5.1.2)"},
    {"451_queued_as_4F2A77B01C_in_12_seconds", "451 queued as ID in N seconds"},
    {"see_https://example.org/why?x=1_now", "see URL now"},
    {"See_(http://a.example/b/c)", "See (URL)"},
    {"joe@example.org_unknown", "ADDRESS unknown"},
    {"x__y___z", "x y z"},
    {"192.0.2.1:25_refused", "IP refused"},
    {"12:34:56_late", "ID late"},
    {"TLSv1.2_of_SMTPUTF8", "TLSv1.2 of SMTPUTF8"},
    {"<no_address>", "<no address>"},
    {"<", "<"},
    {"", "(no reason)"},
    {"/", "(no reason)"},
    {"@", "@"},
    {"...", "..."},
    {"::1_refused", "IP refused"},
};

int main(void)
{
    struct bytes out = {0}, again = {0};

    for (size_t i = 0; i < COUNT(cases); i++) {
        log_reason(&out, view_of(cases[i].text));
        same(bytes_view(&out), view_of(cases[i].want), cases[i].text);
    }
    bytes_clear(&again);
    for (int i = 0; i < 10000; i++)
        bytes_add_text(&again, "word_");
    log_reason(&out, bytes_view(&again));
    ok(out.len <= LOG_MAX_REASON, "long", NULL);
    bytes_free(&out);
    bytes_free(&again);
    return tap_done();
}
