#include "users/pw2u.h"

#include "tap.h"

static const struct {
    const char *name, *arguments;
    enum pw2u_homes homes;
    bool upper_case, extensions;
    char separator;
    const char *dash, *complaint;
} cases[] = {
    {"nothing", "p", PW2U_HOMES_SKIP, false, true, '-', "-", NULL},
    {"no argv", NULL, PW2U_HOMES_SKIP, false, true, '-', "-", NULL},
    {"other arguments", "p x -h", PW2U_HOMES_SKIP, false, true, '-', "-", NULL},
    {"h", "p -h", PW2U_HOMES_STOP, false, true, '-', "-", NULL},
    {"H", "p -H", PW2U_HOMES_IGNORE, false, true, '-', "-", NULL},
    {"last of them", "p -h -Ho", PW2U_HOMES_SKIP, false, true, '-', "-", NULL},
    {"u", "p -u", PW2U_HOMES_SKIP, true, true, '-', "-", NULL},
    {"U takes u back", "p -uU", PW2U_HOMES_SKIP, false, true, '-', "-", NULL},
    {"slash", "p -/", PW2U_HOMES_SKIP, false, true, '-', "-/", NULL},
    {"c", "p -c+", PW2U_HOMES_SKIP, false, true, '+', "-", NULL},
    {"c, next argument", "p -c =x", PW2U_HOMES_SKIP, false, true, '=', "-", NULL},
    {"C", "p -C", PW2U_HOMES_SKIP, false, false, '-', "-", NULL},
    {"c takes C back", "p -C -c.", PW2U_HOMES_SKIP, false, true, '.', "-", NULL},
    {"C takes c back", "p -c. -C", PW2U_HOMES_SKIP, false, false, '.', "-", NULL},
    {"all at once", "p -/uHC", PW2U_HOMES_IGNORE, true, false, '-', "-/", NULL},
    {"end of options", "p -- -z", PW2U_HOMES_SKIP, false, true, '-', "-", NULL},
    {"illegal", "/x/p -hz", PW2U_HOMES_SKIP, false, true, '-', "-",
     "p: illegal option -- z\n"},
    {"c without value", "p -c", PW2U_HOMES_SKIP, false, true, '-', "-",
     "p: option requires an argument -- c\n"},
    {"c with an empty one", "p -c ", PW2U_HOMES_SKIP, false, true, '-', "-",
     "p: option requires an argument -- c\n"},
};

int main(void)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pw2u_options options;
        struct bytes complaint = {0};
        bool good =
            pw2u_options_read(&options, tap_words(cases[i].arguments), &complaint);
        ok(good == !cases[i].complaint, cases[i].name, "result");
        if (!good) {
            same(bytes_view(&complaint), view_of(cases[i].complaint), cases[i].name);
        } else {
            ok(options.homes == cases[i].homes, cases[i].name, "homes");
            ok(options.upper_case == cases[i].upper_case, cases[i].name, "upper case");
            ok(options.extensions == cases[i].extensions, cases[i].name, "extensions");
            ok(options.separator == cases[i].separator, cases[i].name, "separator");
            same(options.dash, view_of(cases[i].dash), cases[i].name);
        }
        bytes_free(&complaint);
    }
    return tap_done();
}
