#include "accept/inject.h"

#include "tap.h"

static const struct {
    const char *name, *arguments;
    enum inject_recipients recipients;
    bool print;
    const char *sender, *first; /* the first recipient */
    const char *complaint;
} cases[] = {
    {"nothing", "p", INJECT_HEADER, false, NULL, NULL, NULL},
    {"recipients", "p x", INJECT_ARGUMENTS, false, NULL, "x", NULL},
    {"a", "p -a", INJECT_ARGUMENTS, false, NULL, NULL, NULL},
    {"h", "p -h x", INJECT_HEADER, false, NULL, "x", NULL},
    {"H", "p -H x", INJECT_BOTH, false, NULL, "x", NULL},
    {"A with recipients", "p -hA x", INJECT_ARGUMENTS, false, NULL, "x", NULL},
    {"A without", "p -aA", INJECT_HEADER, false, NULL, NULL, NULL},
    {"last one counts", "p -aHh x", INJECT_HEADER, false, NULL, "x", NULL},
    {"n", "p -n", INJECT_HEADER, true, NULL, NULL, NULL},
    {"N takes n back", "p -nN", INJECT_HEADER, false, NULL, NULL, NULL},
    {"f", "p -f s", INJECT_HEADER, false, "s", NULL, NULL},
    {"f, attached", "p -nfs", INJECT_HEADER, true, "s", NULL, NULL},
    {"f, empty", "p -f ", INJECT_HEADER, false, "", NULL, NULL},
    {"last f counts", "p -f s -ft", INJECT_HEADER, false, "t", NULL, NULL},
    {"dash is a recipient", "p -n - x", INJECT_ARGUMENTS, true, NULL, "-", NULL},
    {"double dash", "p -- -n", INJECT_ARGUMENTS, false, NULL, "-n", NULL},
    {"illegal", "/x/p -x", INJECT_HEADER, false, NULL, NULL,
     "p: illegal option -- x\n"},
    {"f without a value", "p -f", INJECT_HEADER, false, NULL, NULL,
     "p: option requires an argument -- f\n"},
};

static struct view or_none(const char *text)
{
    return view_of(text ? text : "(none)");
}

int main(void)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct inject_options options;
        struct bytes complaint = {0};
        bool good =
            inject_options_read(&options, tap_words(cases[i].arguments), &complaint);
        ok(good == !cases[i].complaint, cases[i].name, "result");
        if (!good) {
            same(bytes_view(&complaint), or_none(cases[i].complaint), cases[i].name);
        } else {
            ok(options.recipients == cases[i].recipients, cases[i].name, "recipients");
            ok(options.print == cases[i].print, cases[i].name, "print");
            same(or_none(options.sender), or_none(cases[i].sender), cases[i].name);
            same(or_none(*options.arguments), or_none(cases[i].first), cases[i].name);
        }
        bytes_free(&complaint);
    }
    return tap_done();
}
