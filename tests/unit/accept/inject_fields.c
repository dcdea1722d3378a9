#include "accept/inject.h"

#include "tap.h"

/* Fields, each ended by a line feed unless a space follows; what stays of them;
 * the recipients, own ones, then behind a slash those of a resent message, each
 * ended by a bar; the address of Return-Path. */
static const struct {
    const char *name, *input;
    const char *fields; /* NULL: refused */
    const char *recipients, *return_path;
} cases[] = {
    {"other fields", "Subject:  a b\n c\nX-To: a\n", "Subject:  a b\n c\nX-To: a\n",
     "/", "-"},
    {"To", "tO :a\n", "tO: a@h.d\n", "a@h.d|/", "-"},
    {"order", "To: a, b\nCc: c, d\n", "To: a@h.d, b@h.d\nCc: c@h.d, d@h.d\n",
     "b@h.d|a@h.d|d@h.d|c@h.d|/", "-"},
    {"Bcc", "Bcc: a\n", "", "a@h.d|/", "-"},
    {"Apparently-To", "Apparently-To: a\n", "Apparently-To: a@h.d\n", "a@h.d|/", "-"},
    {"resent", "To: x\nResent-To: a\nResent-Cc: b\nresent-BCC: c\n",
     "To: x@h.d\nResent-To: a@h.d\nResent-Cc: b@h.d\n", "x@h.d|/a@h.d|b@h.d|c@h.d|",
     "-"},
    {"senders", "From: a\nSender: b\nReply-To: c\nErrors-To: d\nReturn-Receipt-To: e\n",
     "From: a@h.d\nSender: b@h.d\nReply-To: c@h.d\nErrors-To: d@h.d\n"
     "Return-Receipt-To: e@h.d\n",
     "/", "-"},
    {"resent senders", "Resent-From: a\nResent-Sender: b\nResent-Reply-To: c\n",
     "Resent-From: a@h.d\nResent-Sender: b@h.d\nResent-Reply-To: c@h.d\n", "/", "-"},
    {"noted", "Date: (\nMessage-ID: )\nResent-Date: x\nMail-Followup-To: a b\n",
     "Date: (\nMessage-ID: )\nResent-Date: x\nMail-Followup-To: a b\n", "/", "-"},
    {"Content-Length", "content-length : (\n", "", "/", "-"},
    {"Return-Path", "Return-Path: <a>\n", "", "/", "a@h.d"},
    {"Return-Path, null", "Return-Path: <>\n", "", "/", ""},
    {"Return-Path, rightmost", "Return-Path: a, b\nReturn-Path: c\n", "", "/", "b@h.d"},
    {"Return-Path, empty first", "Return-Path:\nReturn-Path: c\n", "", "/", "c@h.d"},
    {"no recipient", "To:\nCc: ,\nBcc: g: ;\n", "To:\nCc: ,\n", "/", "-"},
    {"empty recipient", "To: <>\n", "To: <>\n", "|/", "-"},
    {"route", "To: <@r:a@b.c>\n", "To: <a@b.c>\n", "a@b.c|/", "-"},
    {"bad To", "To: (\n", NULL, "", ""},
    {"bad Bcc", "Bcc: a: b\n", NULL, "", ""},
    {"bad Resent-To", "Resent-To: )\n", NULL, "", ""},
    {"bad From", "From: a, (x\n", NULL, "", ""},
    {"bad Return-Path", "Return-Path: \"\n", NULL, "", ""},
    {"CR in a recipient", "To: a\\\rb\n", NULL, "", ""},
    {"line feed in a recipient", "To: a\\\n b\n", NULL, "", ""},
    {"folding in a recipient", "To: \"a\n b\"\n", "To: \"a b\"@h.d\n", "a b@h.d|/",
     "-"},
};

static struct inject in;

static void begin(enum inject_recipients recipients)
{
    in = (struct inject){0};
    in.options.recipients = recipients;
    tokens_read(&in.defaults.at_host, VIEW("@h"));
    tokens_read(&in.defaults.dot_domain, VIEW(".d"));
    tokens_read(&in.defaults.dot_plus, VIEW(".p"));
}

static void end(void)
{
    tokens_free(&in.defaults.at_host);
    tokens_free(&in.defaults.dot_domain);
    tokens_free(&in.defaults.dot_plus);
    bytes_free(&in.message.fields);
    bytes_free(&in.message.recipients[INJECT_OWN]);
    bytes_free(&in.message.recipients[INJECT_RESENT]);
    bytes_free(&in.message.followup);
    bytes_free(&in.message.return_path);
}

/* Gives all fields of a header, until one is refused. */
static bool give(struct view header)
{
    while (header.len) {
        size_t len = 0;
        do
            len += view_find(view_from(header, len), '\n') + 1;
        while (len < header.len && header.data[len] == ' ');
        if (!inject_field(&in, view_before(header, len)))
            return false;
        header = view_from(header, len);
    }
    return true;
}

static void show_recipients(struct bytes *out)
{
    struct bytes *sets = in.message.recipients;
    bytes_add(out, bytes_view(&sets[INJECT_OWN]));
    bytes_add_byte(out, '/');
    bytes_add(out, bytes_view(&sets[INJECT_RESENT]));
    bytes_change(out, '\0', '|');
}

static void test_cases(void)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bytes recipients = {0};
        begin(INJECT_HEADER);
        bool good = give(view_of(cases[i].input));
        ok(good == (cases[i].fields != NULL), cases[i].name, "result");
        if (good && cases[i].fields) {
            show_recipients(&recipients);
            same(bytes_view(&in.message.fields), view_of(cases[i].fields),
                 cases[i].name);
            same(bytes_view(&recipients), view_of(cases[i].recipients), cases[i].name);
            same(in.message.has_return_path ? bytes_view(&in.message.return_path)
                                            : VIEW("-"),
                 view_of(cases[i].return_path), cases[i].name);
        }
        bytes_free(&recipients);
        end();
    }
}

/* Recipient fields that do not matter are left alone if they make no sense. */
static void test_arguments_only(void)
{
    const struct view bad = VIEW("To: a@b.c, (x\n y\nCc: a: b\nBcc: )\nCc: a\\\rb\n");

    begin(INJECT_ARGUMENTS);
    ok(give(bad), "bad fields with recipients as arguments", NULL);
    same(bytes_view(&in.message.fields),
         VIEW("To: a@b.c, (x\n y\nCc: a: b\nCc: a\\\rb\n"), "stay as they were");
    same_number(in.message.recipients[INJECT_OWN].len, 0, "no recipients");
    ok(!give(VIEW("From: (\n")), "senders have to make sense", NULL);
    end();
}

static const struct {
    const char *name, *input;
    unsigned own, resent;
    bool is_resent;
} presences[] = {
    {"all", "Date: x\nMessage-ID: x\nFrom: x\nTo: x\nCc: x\nMail-Followup-To: x\n",
     INJECT_DATE | INJECT_MESSAGE_ID | INJECT_FROM | INJECT_TO | INJECT_CC |
         INJECT_FOLLOWUP_TO,
     0, false},
    {"all resent",
     "Resent-Date: x\nResent-Message-ID: x\nResent-From: x\nResent-To: x\n"
     "Resent-Cc: x\n",
     0, INJECT_DATE | INJECT_MESSAGE_ID | INJECT_FROM | INJECT_TO | INJECT_CC, true},
    {"Bcc does not show", "Bcc: x\n", 0, 0, false},
    {"Resent-Bcc", "Resent-Bcc: x\n", 0, 0, true},
    {"Resent-Sender", "Resent-Sender: x\n", 0, 0, true},
    {"Resent-Reply-To", "Resent-Reply-To: x\n", 0, 0, true},
    {"other Resent-", "Resent-Subject: x\n", 0, 0, false},
};

static void test_presence(void)
{
    for (size_t i = 0; i < COUNT(presences); i++) {
        begin(INJECT_HEADER);
        give(view_of(presences[i].input));
        same_number(in.message.present[INJECT_OWN], presences[i].own,
                    presences[i].name);
        same_number(in.message.present[INJECT_RESENT], presences[i].resent,
                    presences[i].name);
        ok(in.message.resent == presences[i].is_resent, presences[i].name, "resent");
        end();
    }
}

static void test_dropping(void)
{
    begin(INJECT_HEADER);
    in.env.drop_from = in.env.drop_message_id = in.env.drop_return_path = true;
    ok(give(VIEW("From: (\nMessage-ID: m\nReturn-Path: )\nResent-From: a\nDate: d\n")),
       "dropped fields may be anything", NULL);
    same(bytes_view(&in.message.fields), VIEW("Resent-From: a@h.d\nDate: d\n"),
         "others stay");
    same_number(in.message.present[INJECT_OWN], INJECT_DATE, "and count as absent");
    ok(!in.message.has_return_path, "so does Return-Path", NULL);
    end();
}

/* Recipients by the hundred thousand in one field. */
static void test_many(void)
{
    enum { MANY = 100000 };
    struct bytes field = {0};

    bytes_add_text(&field, "To: a");
    for (unsigned i = 1; i < MANY; i++)
        bytes_add_format(&field, ",\n User %u (c) <u%u@x.y>", i, i);
    bytes_add_byte(&field, '\n');
    begin(INJECT_HEADER);
    in.env.wants_followup = true;
    ok(give(bytes_view(&field)), "many recipients", NULL);
    struct view rest = bytes_view(&in.message.recipients[INJECT_OWN]), recipient;
    unsigned count = 0;
    while (control_list_next(&rest, &recipient))
        count++;
    same_number(count, MANY, "all of them");
    same(recipient, VIEW("a@h.d"), "the first comes last");
    same_number(in.message.followup.len, in.message.recipients[INJECT_OWN].len,
                "remembered");
    end();
    bytes_free(&field);
}

int main(void)
{
    test_cases();
    test_arguments_only();
    test_presence();
    test_dropping();
    test_many();
    return tap_done();
}
