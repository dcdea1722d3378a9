#include "admin/showctl.h"

#include "tap.h"

#include <string.h>

static const struct {
    const char *name, *meant;
} names[] = {
    {"rcpthost", "rcpthosts"},
    {"Locals", "locals"},
    {"virtualdomain", "virtualdomains"},
    {"smtproute", "smtproutes"},
    {"badmailform", "badmailfrom"},
    {"concurrencylocals", "concurrencylocal"},
    {"meh", "me"},
    {"readme", NULL},
    {"x", NULL},
    {"", NULL},
    {"a-name-that-is-longer-than-any-of-ours-could-ever-be", NULL},
};

static void test_table(void)
{
    unsigned nameless = 0, unread = 0, without_default = 0, without_form = 0;
    for (const struct showctl_file *f = showctl_files; f->name; f++) {
        bool is_number = f->kind == SHOWCTL_NUMBER || f->kind == SHOWCTL_SIZE;
        bool is_list = f->kind == SHOWCTL_LIST || f->kind == SHOWCTL_MAP;
        nameless += showctl_file_named(f->name) != f;
        unread += f->readers == 0;
        without_form += !f->before || !f->after;
        without_default +=
            !f->missing && (is_number || is_list || f->by_default == SHOWCTL_LITERAL ||
                            f->by_default == SHOWCTL_NOTHING);
        ok(is_number == (f->content == SHOWCTL_DIGITS), f->name, "numbers are digits");
        ok(!showctl_foreign(f->name), f->name, "is not foreign");
    }
    same_number(nameless, 0, "every name once");
    same_number(unread, 0, "every file has a reader");
    same_number(without_form, 0, "every file has its words");
    same_number(without_default, 0, "and what is said when it is missing");
}

int main(void)
{
    test_table();
    for (size_t i = 0; i < COUNT(names); i++) {
        const char *meant = showctl_meant(names[i].name);
        same(view_of(meant ? meant : "nothing"),
             view_of(names[i].meant ? names[i].meant : "nothing"), names[i].name);
    }
    ok(!showctl_file_named("badrcptpatterns") && !showctl_file_named(""), "unknown",
       NULL);
    same(view_of(showctl_foreign("spfbehavior")), VIEW("the SPF patch's"), "a patch's");
    same(view_of(showctl_foreign("ldapserver")), VIEW("qmail-ldap's"), "a family");
    ok(!showctl_foreign("lda") && !showctl_foreign("") && !showctl_foreign("spf"),
       "nobody's", NULL);
    return tap_done();
}
