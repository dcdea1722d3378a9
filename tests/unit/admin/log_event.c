#include "admin/log.h"

#include "tap.h"

/* What is read is shown again in one form. */
static void show(struct bytes *out, const struct log_event *e)
{
    static const char *const smtp[] = {"taken", "refused"};

    bytes_clear(out);
    switch (e->kind) {
    case LOG_UNKNOWN:
        bytes_add_text(out, "unknown");
        break;
    case LOG_NEW:
    case LOG_END:
    case LOG_TRIPLE:
        bytes_add_format(out, "%d %ju", (int)e->kind, (uintmax_t)e->message);
        break;
    case LOG_INFO:
        bytes_add_format(out, "info %ju %ju %ju %ju ", (uintmax_t)e->message,
                         (uintmax_t)e->size, (uintmax_t)e->qp, (uintmax_t)e->uid);
        bytes_add(out, e->address);
        break;
    case LOG_START:
        bytes_add_format(out, "start %ju %ju %s ", (uintmax_t)e->delivery,
                         (uintmax_t)e->message, log_channel_names[e->channel]);
        bytes_add(out, e->address);
        break;
    case LOG_RESULT:
        bytes_add_format(out, "%s %ju ", log_result_names[e->result],
                         (uintmax_t)e->delivery);
        bytes_add(out, e->text);
        break;
    case LOG_STATUS:
        bytes_add_format(out, "status %ju %ju", (uintmax_t)e->running[LOG_LOCAL],
                         (uintmax_t)e->running[LOG_REMOTE]);
        break;
    case LOG_EXITING:
        bytes_add_text(out, "exiting");
        break;
    case LOG_BOUNCE:
        bytes_add_format(out, "bounce %ju %ju", (uintmax_t)e->message,
                         (uintmax_t)e->qp);
        break;
    case LOG_DEED:
        bytes_add_format(out, "deed %s %ju", e->word, (uintmax_t)e->message);
        bytes_add(out, e->text);
        break;
    case LOG_SMTP_TAKEN:
    case LOG_SMTP_REFUSED:
        bytes_add_text(out, smtp[e->kind == LOG_SMTP_REFUSED]);
        bytes_add_format(out, " %ju ",
                         (uintmax_t)(e->kind == LOG_SMTP_TAKEN ? e->qp : 0));
        bytes_add(out, e->ip);
        bytes_add_byte(out, '|');
        bytes_add(out, e->address);
        bytes_add_byte(out, '|');
        bytes_add(out, e->recipient);
        bytes_add_byte(out, '|');
        bytes_add(out, e->helo);
        bytes_add_byte(out, '|');
        bytes_add(out, e->text);
        break;
    case LOG_ALERT:
    case LOG_WARNING:
        bytes_add_text(out, "text ");
        bytes_add(out, e->text);
        break;
    }
}

static const struct {
    const char *line, *want;
} cases[] = {
    {"new msg 7", "1 7"},
    {"new msg 7 ", "unknown"},
    {"new msg ", "unknown"},
    {"new msg -7", "unknown"},
    {"new msg", "unknown"},
    {"end msg 18446744073709551615", "9 18446744073709551615"},
    {"end msg 12@400000006560e2ae00000000", "unknown"},
    {"info msg 7: bytes 75 from <s@t> qp 10944 uid 1002", "info 7 75 10944 1002 s@t"},
    {"info msg 7: bytes 75 from <> qp 1 uid 2", "info 7 75 1 2 "},
    {"info msg 7: bytes 75 from <a> qp 3 uid 4> qp 1 uid 2",
     "info 7 75 1 2 a> qp 3 uid 4"},
    {"info msg 7: bytes 75 from <a> qp 3 uid", "unknown"},
    {"info msg 7: bytes 75 from <a", "unknown"},
    {"info msg 7: bytes 75 from <a>", "unknown"},
    {"starting delivery 1: msg 7 to local a@b", "start 1 7 local a@b"},
    {"starting delivery 1: msg 7 to remote ", "start 1 7 remote "},
    {"starting delivery 1: msg 7 to nowhere a", "unknown"},
    {"delivery 1: success: did_1+0+0/", "success 1 did_1+0+0/"},
    {"delivery 1: failure: ", "failure 1 "},
    {"delivery 1: deferral: x: y", "deferral 1 x: y"},
    {"delivery 1: report mangled, will defer", "deferral 1 report mangled, will defer"},
    {"delivery 1: succ", "unknown"},
    {"delivery x: success: y", "unknown"},
    {"status: local 1/10 remote 2/20", "status 1 2"},
    {"status: local 1/10 remote 2/20 exitasap", "status 1 2"},
    {"status: local 1/10 remote 2/2x", "unknown"},
    {"status: exiting", "exiting"},
    {"status: on fire", "unknown"},
    {"bounce msg 7 qp 9", "bounce 7 9"},
    {"bounce msg 7", "unknown"},
    {"triple bounce: discarding bounce/7", "8 7"},
    {"triple bounce: discarding bounce/", "unknown"},
    {"held msg 7", "deed held 7"},
    {"released msg 7", "deed released 7"},
    {"return msg 7 by root", "deed return 7 by root"},
    {"delete msg 7: x", "deed delete 7: x"},
    {"try msg 7", "deed try 7"},
    {"try msg 7x", "unknown"},
    {"trying msg 7", "unknown"},
    {"held 7", "unknown"},
    {"qmail-smtpd: pid 5 ip 192.0.2.1 reject mail <s> rcpt <r> helo h: 553 no",
     "refused 0 192.0.2.1|s|r|h|553 no"},
    {"qmail-smtpd: pid 5 ip ::1 accept mail <> rcpt <r> helo a:b: 250 ok 17 qp 99",
     "taken 99 ::1||r|a:b|250 ok 17 qp 99"},
    {"qmail-smtpd: pid 5 ip ::1 accept mail <> rcpt <r> helo : 250 ok",
     "taken 0 ::1||r||250 ok"},
    {"qmail-smtpd: pid 5 ip ::1 muse mail <> rcpt <r> helo : 250 ok", "unknown"},
    {"qmail-smtpd: pid 5 ip ::1 reject mail <> rcpt <r", "unknown"},
    {"qmail-smtpd: pid 5 ip ::1 reject mail <> rcpt <r> helo h", "unknown"},
    {"alert: oh no! lost spawn connection! dying...",
     "text alert: oh no! lost spawn connection! dying..."},
    {"warning: trouble in select", "text warning: trouble in select"},
    {"alert", "unknown"},
    {"tcpserver: ok 7", "unknown"},
    {"", "unknown"},
};

int main(void)
{
    struct bytes shown = {0};
    struct log_event event;

    for (size_t i = 0; i < COUNT(cases); i++) {
        ok(log_event_read(view_of(cases[i].line), &event) == event.kind, cases[i].line,
           "kind");
        show(&shown, &event);
        same(bytes_view(&shown), view_of(cases[i].want), cases[i].line);
    }
    ok(log_event_read(VIEW("new msg 7\0"), &event) == LOG_UNKNOWN, "NUL", NULL);
    bytes_free(&shown);
    return tap_done();
}
