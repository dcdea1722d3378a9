#include "admin/log.h"

#include "tap.h"

static const struct {
    const char *pattern, *text;
    bool matches;
} cases[] = {
    {"joe@example.org", "joe@example.org", true},
    {"Joe@EXAMPLE.org", "joe@example.ORG", true},
    {"joe@example.org", "joe@example.org.au", false},
    {"joe@example.org", "xjoe@example.org", false},
    {"", "", true},
    {"", "x", false},
    {"*", "", true},
    {"*", "x", true},
    {"*@example.org", "joe@example.org", true},
    {"*@example.org", "joe@example.com", false},
    {"joe-*@*.org", "joe-list@example.org", true},
    {"joe-*@*.org", "joe@example.org", false},
    {"*a*b*c", "xaybzabc", true},
    {"*a*b*c", "xaybzabcd", false},
    {"?oe", "joe", true},
    {"?oe", "oe", false},
    {"??", "a", false},
    {"a**", "a", true},
    {"box@[192.0.2.1]", "box@[192.0.2.1]", true},
    {"two words@x", "two_words@x", true},
    {"100%@x", "100_@x", true},
    {"gr\xc3\xbc@x", "gr__@x", true},
};

int main(void)
{
    for (size_t i = 0; i < COUNT(cases); i++)
        ok(log_match(view_of(cases[i].pattern), view_of(cases[i].text)) ==
               cases[i].matches,
           cases[i].pattern, cases[i].text);
    return tap_done();
}
