#include "accept/sendmail.h"

#include "base/heap.h"
#include "tap.h"

/* What becomes of a command line: the arguments for qmail-inject, joined by
 * spaces, and the name for MAILNAME. */
static const struct {
    const char *name, *arguments;
    enum sendmail_task task;
    const char *inject, *mailname;
} cases[] = {
    {"nothing", "sendmail", SENDMAIL_SUBMIT, "-a --", "-"},
    {"recipients", "sendmail a -t", SENDMAIL_SUBMIT, "-a -- a -t", "-"},
    {"t", "sendmail -t a", SENDMAIL_SUBMIT, "-H -- a", "-"},
    {"f", "sendmail -f s a", SENDMAIL_SUBMIT, "-a -f s -- a", "-"},
    {"r", "sendmail -rs a", SENDMAIL_SUBMIT, "-a -f s -- a", "-"},
    {"f, null", "sendmail -f <> a", SENDMAIL_SUBMIT, "-a -f  -- a", "-"},
    {"f, last one", "sendmail -fx -f y", SENDMAIL_SUBMIT, "-a -f y --", "-"},
    {"F", "sendmail -F n a", SENDMAIL_SUBMIT, "-a -- a", "n"},
    {"ignored", "sendmail -vimxnGU a", SENDMAIL_SUBMIT, "-a -- a", "-"},
    {"ignored with values",
     "sendmail -em -oi -o i -Ox -px -BX -Nx -Rx -Vx -Lx -h 3 -X x -Am a",
     SENDMAIL_SUBMIT, "-a -- a", "-"},
    {"ignored to its end", "sendmail -Eq -Jq -vEt a", SENDMAIL_SUBMIT, "-a -- a", "-"},
    {"bm", "sendmail -bm -t", SENDMAIL_SUBMIT, "-H --", "-"},
    {"bp at once", "sendmail -bp -q", SENDMAIL_LIST, NULL, NULL},
    {"bs at once", "sendmail -bs -q", SENDMAIL_SMTP, NULL, NULL},
    {"double dash", "sendmail -- -bp", SENDMAIL_SUBMIT, "-a -- -bp", "-"},
    {"mailq", "/x/mailq -v", SENDMAIL_LIST, NULL, NULL},
    {"newaliases", "newaliases", SENDMAIL_ALIASES, NULL, NULL},
    {"bd", "sendmail -bd", SENDMAIL_USAGE, "", NULL},
    {"b, empty", "sendmail -b ", SENDMAIL_USAGE, "", NULL},
    {"q", "sendmail -q", SENDMAIL_USAGE, "sendmail: illegal option -- q\n", NULL},
    {"mailq with q", "mailq -q", SENDMAIL_USAGE, "mailq: illegal option -- q\n", NULL},
    {"no value", "sendmail -vF", SENDMAIL_USAGE,
     "sendmail: option requires an argument -- F\n", NULL},
};

static void check_submission(size_t i, const struct sendmail_request *request)
{
    struct bytes joined = {0};
    char **argv = sendmail_inject_arguments(request);

    same(view_of(argv[0]), VIEW("bin/qmail-inject"), cases[i].name);
    for (char **a = argv + 1; *a; a++) {
        if (joined.len)
            bytes_add_byte(&joined, ' ');
        bytes_add_text(&joined, *a);
    }
    same(bytes_view(&joined), view_of(cases[i].inject), cases[i].name);
    same(view_of(request->name ? request->name : "-"), view_of(cases[i].mailname),
         cases[i].name);
    bytes_free(&joined);
    heap_free(argv);
}

int main(void)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sendmail_request request;
        enum sendmail_task task =
            sendmail_understand(&request, tap_words(cases[i].arguments));
        ok(task == cases[i].task, cases[i].name, "task");
        if (task == SENDMAIL_SUBMIT)
            check_submission(i, &request);
        if (task == SENDMAIL_USAGE)
            same(bytes_view(&request.complaint), view_of(cases[i].inject),
                 cases[i].name);
        bytes_free(&request.complaint);
    }
    return tap_done();
}
