#include "accept/smtpd_bad.h"

#include "tap.h"

static const char *const entries[] = {"bad@x.test", "@evil.test", "bare",
                                      "@.sub.test", "name.test",  ".all.test"};

static const struct {
    const char *text;
    bool bad_address, bad_name;
} cases[] = {
    {"bad@x.test", true, true},
    {"BAD@X.test", true, true},
    {"good@x.test", false, false},
    {"a@evil.test", true, false},
    {"a@EVIL.Test", true, false},
    {"a@sub.evil.test", false, false},
    {"a@b@evil.test", true, false},
    {"bare", true, true},
    {"bare@x.test", false, false},
    {"a@name.test", false, false},
    {"a@x.sub.test", true, false},
    {"a@y.x.sub.test", true, false},
    {"a@sub.test", false, false},
    {"a@xsub.test", false, false},
    {"", false, false},
    {"a@", false, false},
    {"name.test", true, true},
    {"x.name.test", false, false},
    {"x.all.test", false, true},
    {"y.x.ALL.test", false, true},
    {"all.test", false, false},
};

int main(void)
{
    struct control_list list = {0}, none = {0};

    for (size_t i = 0; i < COUNT(entries); i++)
        table_add(&list.table, view_of(entries[i]), view_of(entries[i]));
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct view v = view_of(cases[i].text);
        ok(smtpd_bad_address(&list, v) == cases[i].bad_address, "address",
           cases[i].text);
        ok(smtpd_bad_name(&list, v) == cases[i].bad_name, "name", cases[i].text);
        ok(!smtpd_bad_address(&none, v) && !smtpd_bad_name(&none, v), "no list",
           cases[i].text);
    }
    control_list_free(&list);
    return tap_done();
}
