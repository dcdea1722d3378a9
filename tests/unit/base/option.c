#include "base/option.h"

#include "tap.h"

/* Options are shown as letters, with =value where they have one; an error as its
 * complaint; then, behind a bar, the arguments, each ended by a bar. */
static const struct {
    const char *name, *arguments, *want;
} cases[] = {
    {"no program name", NULL, "|"},
    {"no options", "p", "|"},
    {"arguments", "p x -a", "|x|-a|"},
    {"letters", "p -a -b x", "ab|x|"},
    {"cluster", "p -ab x", "ab|x|"},
    {"value apart", "p -f v x", "f=v|x|"},
    {"value attached", "p -fv x", "f=v|x|"},
    {"value behind a cluster", "p -abfv", "abf=v|"},
    {"value that looks like an option", "p -f -a", "f=-a|"},
    {"value that ends options elsewhere", "p -f -- -a", "f=--a|"},
    {"empty value", "p -f  x", "f=|x|"},
    {"no value", "p -f", "p: option requires an argument -- f\n|"},
    {"end of options", "p -a -- -b", "a|-b|"},
    {"dash alone", "p - -b", "|-|-b|"},
    {"empty argument", "p  -b", "||-b|"},
    {"illegal letter", "p -q", "p: illegal option -- q\n|"},
    {"illegal letter in a cluster", "p -aq", "ap: illegal option -- q\n|"},
    {"colon is no letter", "p -:", "p: illegal option -- :\n|"},
    {"nor is a dash", "p -a-", "ap: illegal option -- -\n|"},
    {"name behind slashes", "/a/b/p -q", "p: illegal option -- q\n|"},
    {"skipped", "p -szzz -a", "sa|"},
};

static void show(struct bytes *out, char **argv)
{
    struct options o;
    int code;

    options_begin(&o, argv);
    while ((code = options_next(&o, "abf:s")) >= 0) {
        bytes_add_byte(out, (char)code);
        if (o.value) {
            bytes_add_byte(out, '=');
            bytes_add_text(out, o.value);
        }
        if (code == 's')
            options_skip_cluster(&o);
    }
    if (code != OPTION_END)
        options_complain(&o, code, out);
    bytes_add_byte(out, '|');
    for (; *o.rest; o.rest++) {
        bytes_add_text(out, *o.rest);
        bytes_add_byte(out, '|');
    }
}

int main(void)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bytes got = {0};
        show(&got, tap_words(cases[i].arguments));
        same(bytes_view(&got), view_of(cases[i].want), cases[i].name);
        bytes_free(&got);
    }
    return tap_done();
}
