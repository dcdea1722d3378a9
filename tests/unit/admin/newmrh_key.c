#include "admin/newmrh.h"

#include "tap.h"

static const struct {
    const char *name;
    struct view line;
    const char *key; /* NULL: no entry */
} cases[] = {
    {"entry", VIEW_INIT("a.test"), "a.test"},
    {"upper case", VIEW_INIT("A.Test"), "a.test"},
    {"8-bit bytes are no letters", VIEW_INIT("\303\204.test"), "\303\204.test"},
    {"suffix", VIEW_INIT(".a.test"), ".a.test"},
    {"blanks at the end", VIEW_INIT("a.test \t \t"), "a.test"},
    {"blanks in front", VIEW_INIT(" \ta.test"), " \ta.test"},
    {"blanks inside", VIEW_INIT("a.test # x"), "a.test # x"},
    {"CR at the end", VIEW_INIT("a.test\r"), "a.test"},
    {"blank, CR", VIEW_INIT("a.test \r"), "a.test"},
    {"CR, blank", VIEW_INIT("a.test\r "), "a.test\r"},
    {"empty", VIEW_INIT(""), NULL},
    {"blanks alone", VIEW_INIT(" \t "), NULL},
    {"CR alone", VIEW_INIT("\r"), NULL},
    {"comment", VIEW_INIT("#a.test"), NULL},
    {"no comment", VIEW_INIT(" #a.test"), " #a.test"},
};

int main(void)
{
    struct bytes line = {0};

    for (size_t i = 0; i < COUNT(cases); i++) {
        bytes_set(&line, cases[i].line);
        bool entry = newmrh_key(&line);
        ok(entry == (cases[i].key != NULL), cases[i].name, "entry");
        if (entry && cases[i].key)
            same(bytes_view(&line), view_of(cases[i].key), cases[i].name);
    }
    bytes_set(&line, view_at("A\0B ", 4));
    ok(newmrh_key(&line), "NUL", "entry");
    same(bytes_view(&line), view_at("a\0b", 3), "NUL");
    bytes_free(&line);
    return tap_done();
}
