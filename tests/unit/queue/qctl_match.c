#include "queue/qctl.h"

#include "tap.h"

static const struct {
    struct view pattern, text;
    bool matches;
} cases[] = {
    {VIEW_INIT(""), VIEW_INIT(""), true},
    {VIEW_INIT(""), VIEW_INIT("a"), false},
    {VIEW_INIT("a"), VIEW_INIT(""), false},
    {VIEW_INIT("joe@x.test"), VIEW_INIT("Joe@X.Test"), true},
    {VIEW_INIT("JOE@x.test"), VIEW_INIT("joe@x.tes"), false},
    {VIEW_INIT("joe"), VIEW_INIT("joe@x"), false},
    {VIEW_INIT("*"), VIEW_INIT(""), true},
    {VIEW_INIT("*"), VIEW_INIT("any\0thing\n"), true},
    {VIEW_INIT("**"), VIEW_INIT("x"), true},
    {VIEW_INIT("?"), VIEW_INIT("\0"), true},
    {VIEW_INIT("?"), VIEW_INIT(""), false},
    {VIEW_INIT("?*"), VIEW_INIT("x"), true},
    {VIEW_INIT("*@x.test"), VIEW_INIT("a@b@x.test"), true},
    {VIEW_INIT("*@x.test"), VIEW_INIT("a@x.test.y"), false},
    {VIEW_INIT("a*b*c"), VIEW_INIT("axxbxbxc"), true},
    {VIEW_INIT("a*b*c"), VIEW_INIT("axxcxb"), false},
    {VIEW_INIT("*ab*ab"), VIEW_INIT("aabab"), true},
    {VIEW_INIT("[abc]x"), VIEW_INIT("Bx"), true},
    {VIEW_INIT("[A-C]x"), VIEW_INIT("bx"), true},
    {VIEW_INIT("[a-c]x"), VIEW_INIT("dx"), false},
    {VIEW_INIT("[!a-c]x"), VIEW_INIT("dx"), true},
    {VIEW_INIT("[!a-c]x"), VIEW_INIT("ax"), false},
    {VIEW_INIT("[]]x"), VIEW_INIT("]x"), true},
    {VIEW_INIT("[!]]x"), VIEW_INIT("]x"), false},
    {VIEW_INIT("[a-]"), VIEW_INIT("-"), true},
    {VIEW_INIT("[a"), VIEW_INIT("[a"), true},
    {VIEW_INIT("["), VIEW_INIT("["), true},
    {VIEW_INIT("[]"), VIEW_INIT("[]"), true},
    {VIEW_INIT("#@[[]]"), VIEW_INIT("#@[]"), true},
    {VIEW_INIT("#@\\[\\]"), VIEW_INIT("#@[]"), true},
    {VIEW_INIT("\\*"), VIEW_INIT("*"), true},
    {VIEW_INIT("\\*"), VIEW_INIT("x"), false},
    {VIEW_INIT("\\"), VIEW_INIT("\\"), true},
    {VIEW_INIT("[\200-\377]"), VIEW_INIT("\300"), true},
    {VIEW_INIT("[a-z]"), VIEW_INIT("\300"), false},
};

static const struct {
    struct view text, safe;
} texts[] = {
    {VIEW_INIT("plain\ttext\n"), VIEW_INIT("plain\ttext\n")},
    {VIEW_INIT("\033[2J\r\0\177"), VIEW_INIT("?[2J???")},
    {VIEW_INIT("gr\303\274n \342\202\254 \360\237\230\200"),
     VIEW_INIT("gr\303\274n \342\202\254 \360\237\230\200")},
    {VIEW_INIT("\302\233\302\240"), VIEW_INIT("??\302\240")}, /* a control of C1 */
    {VIEW_INIT("gr\374n \303"), VIEW_INIT("gr?n ?")},
    {VIEW_INIT("\355\240\200\300\200\340\200\200"), VIEW_INIT("????????")},
    {VIEW_INIT("\364\220\200\200\342\202"), VIEW_INIT("??????")},
};

int main(void)
{
    struct bytes out = {0};

    for (size_t i = 0; i < COUNT(cases); i++)
        ok(qctl_match(cases[i].pattern, cases[i].text) == cases[i].matches,
           cases[i].pattern.data, cases[i].text.data);
    /* many stars take no long time */
    bytes_add_text(&out, "*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b");
    struct bytes text = {0};
    for (int i = 0; i < 10000; i++)
        bytes_add_byte(&text, 'a');
    ok(!qctl_match(bytes_view(&out), bytes_view(&text)), "many stars", NULL);
    bytes_free(&text);
    for (size_t i = 0; i < COUNT(texts); i++) {
        bytes_clear(&out);
        qctl_add_safe(&out, texts[i].text);
        same(bytes_view(&out), texts[i].safe, "safe text");
    }
    bytes_free(&out);
    return tap_done();
}

/* Stand-in for main's. */
const struct route_rules *qctl_rules(void)
{
    return NULL;
}
