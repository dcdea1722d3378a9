#include "queue/qfix.h"

#include "tap.h"

static const struct {
    const char *name;
    enum qfix_form form;
    uint64_t number;
} cases[] = {
    {"0", QFIX_PLAIN, 0},
    {"4711", QFIX_PLAIN, 4711},
    {"18446744073709551615", QFIX_PLAIN, UINT64_MAX},
    {"18446744073709551616", QFIX_OTHER, 0},
    {"4711.fix", QFIX_FIX, 4711},
    {"0.fix", QFIX_FIX, 0},
    {".fix", QFIX_OTHER, 0},
    {"4711.fix.fix", QFIX_OTHER, 0},
    {"04711.fix", QFIX_OTHER, 0},
    {"04711", QFIX_OTHER, 0},
    {"4711.FIX", QFIX_OTHER, 0},
    {"4711.", QFIX_OTHER, 0},
    {"", QFIX_OTHER, 0},
    {"core", QFIX_OTHER, 0},
};

int main(void)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t number = 0;
        enum qfix_form form = qfix_name_read(cases[i].name, &number);
        ok(form == cases[i].form && number == cases[i].number, "read", cases[i].name);
        if (form != QFIX_OTHER)
            same(view_of(qfix_name(number, form).text), view_of(cases[i].name), "made");
    }
    return tap_done();
}
