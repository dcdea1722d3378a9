#include "accept/tcpenv.h"

#include "tap.h"

static const struct {
    const char *line;
    bool ask;
    unsigned limit_s;
    const char *program; /* NULL: none */
} cases[] = {
    {"tcp-env p", true, 30, "p"},
    {"tcp-env -R p -r", false, 30, "p"},
    {"tcp-env -R -r p", true, 30, "p"},
    {"tcp-env -rR p", false, 30, "p"},
    {"tcp-env -t5 p", true, 5, "p"},
    {"tcp-env -t 5 p", true, 5, "p"},
    {"tcp-env -Rt5 p", false, 5, "p"},
    {"tcp-env -t5R p", true, 5, "p"},
    {"tcp-env -tx p", true, 0, "p"},
    {"tcp-env -t -1 p", true, 0, "p"},
    {"tcp-env -t99999999999999999999 p", true, TCPENV_MAX_LIMIT_S, "p"},
    {"tcp-env -x -qR p", false, 30, "p"},
    {"tcp-env -- -R", true, 30, "-R"},
    {"tcp-env - p", true, 30, "-"},
    {"tcp-env -R", false, 30, NULL},
    {"tcp-env -t", true, 30, NULL},
    {"tcp-env", true, 30, NULL},
    {NULL, true, 30, NULL},
};

int main(void)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *name = cases[i].line ? cases[i].line : "no arguments at all";
        struct tcpenv_options o = tcpenv_options_read(tap_words(cases[i].line));
        ok(o.ask_ident == cases[i].ask, name, "ident");
        same_number(o.limit_s, cases[i].limit_s, name);
        if (cases[i].program && o.program[0])
            same(view_of(o.program[0]), view_of(cases[i].program), name);
        else
            ok(!cases[i].program && !o.program[0], name, "no program");
    }
    return tap_done();
}
