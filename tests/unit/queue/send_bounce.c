#include "queue/send.h"

#include "tap.h"

bool send_is_leaving(void)
{
    return false;
}

void send_leave(void)
{
}

bool send_sleep(void)
{
    return true;
}

#define HEAD "Date: 6 Nov 2026 01:34:13 -0000\nFrom: MAILER-DAEMON@bounce.host\nTo: "
#define REST                                                              \
    "\nSubject: failure notice\n\nHi. This is the qmail-send program at " \
    "bounce.host.\n"
#define SORRY                                                                        \
    "I'm afraid I wasn't able to deliver your message to the following addresses.\n" \
    "This is a permanent error; I've given up. Sorry it didn't work out.\n\n"
#define TWICE                                                              \
    "I tried to deliver a bounce message to this address, but the bounce " \
    "bounced!\n\n"
#define COPY "--- Below this line is a copy of the message.\n\nReturn-Path: <"
#define ORIGINAL "--- Below this line is the original bounce.\n\nReturn-Path: <>\n"

static const struct {
    const char *name, *sender; /* as in the info file */
    bool sent;
    const char *from, *to; /* envelope */
    const char *head, *separator;
} cases[] = {
    {"bounce", "joe@x.test", true, "", "joe@x.test", HEAD "joe@x.test" REST SORRY,
     COPY "joe@x.test>\n"},
    {"double bounce", "", true, "#@[]", "postmaster@double.host",
     HEAD "postmaster@double.host" REST TWICE, ORIGINAL},
    {"triple bounce", "#@[]", false, NULL, NULL, NULL, NULL},
    {"list", "list-@h-@[]", true, "", "list-@h", HEAD "list-@h" REST SORRY,
     COPY "list-@h>\n"},
    {"a suffix alone", "-@[]", true, "#@[]", "postmaster@double.host",
     HEAD "postmaster@double.host" REST TWICE, ORIGINAL},
    {"not quite a suffix", "l@[]", true, "", "l@[]", HEAD "l@[]" REST SORRY,
     COPY "l@[]>\n"},
    {"must be quoted", "a b\"c@x", true, "", "a b\"c@x",
     HEAD "\"a b\\\"c\"@x" REST SORRY, COPY "\"a b\\\"c\"@x>\n"},
    {"no domain", "joe", true, "", "joe", HEAD "joe" REST SORRY, COPY "joe>\n"},
    {"a line feed", "a\nb@x", true, "", "a\nb@x", HEAD "\"a\\\nb\"@x" REST SORRY,
     COPY "\"a\\\nb\"@x>\n"},
};

enum { NOW = 1793928853 }; /* 6 Nov 2026 01:34:13 */

int main(void)
{
    struct bounce_text text;

    bytes_set(&controls.bounce_from, VIEW("MAILER-DAEMON"));
    bytes_set(&controls.bounce_host, VIEW("bounce.host"));
    bytes_set(&controls.double_bounce_to, VIEW("postmaster"));
    bytes_set(&controls.double_bounce_host, VIEW("double.host"));
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *name = cases[i].name;
        bool sent = bounce_compose(&text, view_of(cases[i].sender), NOW);
        ok(sent == cases[i].sent, name, "to be sent");
        if (!sent || !cases[i].sent)
            continue;
        same(bytes_view(&text.head), view_of(cases[i].head), name);
        same(bytes_view(&text.separator), view_of(cases[i].separator), name);
        same(bytes_view(&text.sender), view_of(cases[i].from), name);
        same(bytes_view(&text.recipient), view_of(cases[i].to), name);
        bounce_text_free(&text);
    }
    bytes_set(&controls.bounce_from, VIEW(""));
    bytes_set(&controls.double_bounce_to, VIEW(""));
    ok(bounce_compose(&text, VIEW(""), NOW), "empty values", NULL);
    same(view_before(bytes_view(&text.head), 76),
         VIEW("Date: 6 Nov 2026 01:34:13 -0000\nFrom: \"\"@bounce.host\n"
              "To: \"\"@double.host\nSubj"),
         "empty values");
    same(bytes_view(&text.recipient), VIEW("@double.host"), "empty values: envelope");
    bounce_text_free(&text);
    return tap_done();
}
