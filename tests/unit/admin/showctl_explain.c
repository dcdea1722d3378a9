#include "admin/showctl.h"

#include "tap.h"

#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *name, *file, *content, *want; /* no content: the file is missing */
} cases[] = {
    {"number", "concurrencylocal", "33\n", "Local concurrency is 33.\n"},
    {"number missing", "concurrencylocal", NULL,
     "(Default.) Local concurrency is 10.\n"},
    {"number with no digit", "databytes", " 5\n",
     "(Default.) SMTP DATA limit is 0 bytes.\n"},
    {"a large size", "databytes", "9999999999\n",
     "SMTP DATA limit is 9999999999 bytes.\n"},
    {"line", "bouncefrom", "bf \t\nx\n", "Bounce user name is bf.\n"},
    {"line, default of its own", "bouncefrom", NULL,
     "(Default.) Bounce user name is MAILER-DAEMON.\n"},
    {"line, default me", "helohost", NULL,
     "(Default.) SMTP client HELO host name is me.test.\n"},
    {"empty line is a value", "defaultdomain", "", "Default domain name is .\n"},
    {"list", "badmailfrom", "#c\na@b\n\n@x\n",
     "\na@b not accepted in MAIL FROM.\n@x not accepted in MAIL FROM.\n"},
    {"list missing", "badmailfrom", NULL, "(Default.) Any MAIL FROM is allowed.\n"},
    {"list empty", "locals", "", "\n"},
    {"odd bytes", "percenthack", "a\001\351\177z\n",
     "\nThe percent hack is allowed for user%host@a???z.\n"},
    {"TLS helper missing", "tlsclient", NULL, "(Default.) No TLS for outgoing mail.\n"},
    {"TLS helper", "tlsclient", "bin/x\n", "TLS helper: bin/x.\n"},
    {"a later file", "tarpitdelay", NULL, "(Default.) tarpitdelay: 5.\n"},
    {"morercpthosts without rcpthosts", "morercpthosts", "a\n",
     "\nNo rcpthosts; doesn't matter that morercpthosts has a.\n"},
    {"no morercpthosts", "morercpthosts", NULL,
     "(Default.) No rcpthosts; morercpthosts is irrelevant.\n"},
    {"no morercpthosts.cdb", "morercpthosts.cdb", NULL, "(Default.) No effect.\n"},
    {"morercpthosts.cdb alone", "morercpthosts.cdb", "x",
     "Oops! morercpthosts.cdb exists but morercpthosts doesn't.\n"},
};

int main(void)
{
    struct bytes out = {0}, me = {0}, path = {0};

    bytes_add_text(&me, "me.test");
    scratch();
    mkdir("control", 0755);
    for (size_t i = 0; i < COUNT(cases); i++) {
        bytes_clear(&path);
        bytes_add_text(&path, "control/");
        bytes_add_text(&path, cases[i].file);
        if (cases[i].content)
            make_file(bytes_cstring(&path), view_of(cases[i].content));
        bytes_clear(&out);
        showctl_explain(&out, showctl_file_named(cases[i].file), &me);
        same(bytes_view(&out), view_of(cases[i].want), cases[i].name);
        unlink(bytes_cstring(&path));
    }
    mkdir("control/locals", 0755);
    bytes_clear(&out);
    showctl_explain(&out, showctl_file_named("locals"), &me);
    same(bytes_view(&out), VIEW("Oops! Trouble reading this file.\n"), "a directory");
    bytes_free(&out);
    bytes_free(&me);
    bytes_free(&path);
    return tap_done();
}
