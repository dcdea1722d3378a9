#include "mail/domain.h"

#include "tap.h"

static const struct {
    const char *domain;
    const char *found;      /* by domain_find(); NULL: not there */
    const char *or_default; /* by domain_find_or_default() */
} cases[] = {
    {"x.test", "exact", "exact"},         {"X.TEST", "exact", "exact"},
    {"a.x.test", "dot test", "dot test"}, {"y.test", "dot test", "dot test"},
    {"a.b.test", "dot b", "dot b"},       {"b.test", "dot test", "dot test"},
    {".b.test", "dot b", "dot b"},        {"test", NULL, "empty key"},
    {"xtest", NULL, "empty key"},         {"x.test.", NULL, "empty key"},
    {"y.test.far", NULL, "empty key"},    {"a..b.test", "dot b", "dot b"},
    {"", "empty key", "empty key"},       {".", NULL, "empty key"},
};

int main(void)
{
    struct table t = {0}, none = {0};
    struct view value;

    table_add(&t, VIEW("x.test"), VIEW("exact"));
    table_add(&t, VIEW(".test"), VIEW("dot test"));
    table_add(&t, VIEW(".B.test"), VIEW("dot b"));
    table_add(&t, VIEW(""), VIEW("empty key"));
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct view domain = view_of(cases[i].domain);
        value = VIEW("(none)");
        ok(domain_find(&t, domain, &value) == (cases[i].found != NULL), "find",
           cases[i].domain);
        same(value, view_of(cases[i].found ? cases[i].found : "(none)"), "value");
        value = VIEW("(none)");
        ok(domain_find_or_default(&t, domain, &value), "or default", cases[i].domain);
        same(value, view_of(cases[i].or_default), "value or default");
        ok(!domain_find_or_default(&none, domain, NULL), "in nothing", NULL);
    }
    ok(domain_find(&t, VIEW("x.test"), NULL), "without the value", NULL);
    table_free(&t);
    return tap_done();
}
