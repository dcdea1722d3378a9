#include "accept/inject.h"

#include "tap.h"

static struct inject_defaults defaults;

/* An address of a field: as written and as it counts in the envelope. */
static const struct {
    const char *name, *input, *written, *plain;
} fields[] = {
    {"empty", "", "", ""},
    {"box alone", "foo", "foo@host.dom", "foo@host.dom"},
    {"dotted box", "a.b", "a.b@host.dom", "a.b@host.dom"},
    {"host without a dot", "a@b", "a@b.dom", "a@b.dom"},
    {"host with a dot", "a@b.c", "a@b.c", "a@b.c"},
    {"double bounce", "#@[]", "#@[]", "#@[]"},
    {"VERP", "x@y-@[]", "x@y-@[]", "x@y-@[]"},
    {"empty literal alone", "[]", "[]@host.dom", "[]@host.dom"},
    {"literal host", "a@[1.2.3.4]", "a@[1.2.3.4]", "a@[1.2.3.4]"},
    {"literal and dot", "a@[1.2.3.4].", "a@[1.2.3.4]", "a@[1.2.3.4]"},
    {"route", "@r1,@r2:a@b.c", "a@b.c", "a@b.c"},
    {"route, box alone", "@r:a", "a@host.dom", "a@host.dom"},
    {"route without a colon", "@r", "", ""},
    {"route alone", "@r:", "", ""},
    {"dot at the end", "a@b.", "a@b.dom", "a@b.dom"},
    {"two dots at the end", "a@b..", "a@b.", "a@b."},
    {"dot alone", ".", "", ""},
    {"at at the end", "a@", "a@host.dom", "a@host.dom"},
    {"at and dot at the end", "a@.", "a@host.dom", "a@host.dom"},
    {"at alone", "@", "", ""},
    {"two ats at the end", "a@@", "a@.dom", "a@.dom"},
    {"plus host", "a@h+", "a@h.plus", "a@h.plus"},
    {"dotted plus host", "a@h.i+", "a@h.i.plus", "a@h.i.plus"},
    {"lone plus host", "a@+", "a@.plus", "a@.plus"},
    {"quoted plus host", "a@\"h+\"", "a@\"h+\".dom", "a@h+.dom"},
    {"plus in the box", "a+@b.c", "a+@b.c", "a+@b.c"},
    {"plus box alone", "a+", "a+@host.dom", "a+@host.dom"},
    {"two ats", "a@b@c", "a@b@c.dom", "a@b@c.dom"},
    {"dot in the wrong part", "a@b.c@d", "a@b.c@d.dom", "a@b.c@d.dom"},
    {"comment at the end", "a@b (x)", "a@b (x).dom", "a@b.dom"},
    {"comment hides a dot", "a@b.(x)", "a@b.(x)", "a@b."},
    {"comment hides an at", "a@(x)", "a@(x).dom", "a@.dom"},
    {"comment hides a plus", "a@b+(x)", "a@b+ (x).dom", "a@b+.dom"},
    {"comment hides nothing to reply to", "#@[](x)", "#@[] (x)", "#@[]"},
    {"quoted box", "\"a b\"@c.d", "\"a b\"@c.d", "a b@c.d"},
    {"empty quoted box", "\"\"", "\"\"@host.dom", "@host.dom"},
};

static void write_tokens(struct bytes *out, const struct tokens *t)
{
    for (size_t i = 0; i < t->count; i++) {
        if (i && token_space_between(t->items[i - 1].kind, t->items[i].kind))
            bytes_add_byte(out, ' ');
        token_write(out, t->items[i]);
    }
}

static void test_fields(void)
{
    for (size_t i = 0; i < COUNT(fields); i++) {
        struct tokens address = {0};
        struct bytes written = {0}, plain = {0};
        ok(tokens_read(&address, view_of(fields[i].input)), fields[i].name, "tokens");
        inject_complete(&address, &defaults);
        write_tokens(&written, &address);
        tokens_add_plain(&plain, &address);
        same(bytes_view(&written), view_of(fields[i].written), fields[i].name);
        same(bytes_view(&plain), view_of(fields[i].plain), fields[i].name);
        tokens_free(&address);
        bytes_free(&written);
        bytes_free(&plain);
    }
}

static const struct {
    const char *name, *argument;
    const char *want; /* NULL: refused */
} arguments[] = {
    {"empty", "", ""},
    {"box", "a", "a@host.dom"},
    {"host without a dot", "a@b", "a@b.dom"},
    {"space", "a b", "a b@host.dom"},
    {"comma", "a,b@c", "a,b@c.dom"},
    {"comma in the host", "a@b,c", "a@b,c.dom"},
    {"comment behind", "a@b (c)", "a@b.dom"},
    {"backslash in the host", "a@b\\c", "a@bc.dom"},
    {"backslash in the box", "a\\b@c.d", "a\\b@c.d"},
    {"quotes in the box", "\"q\"@b.c", "\"q\"@b.c"},
    {"angle", "<a@b>", "<a@b>.dom"},
    {"angle alone", "<a>", "<a>@host.dom"},
    {"empty box", "@b.c", "@b.c"},
    {"at alone", "@", "@host.dom"},
    {"dots in the box", "..a..@b.c", "..a..@b.c"},
    {"host with a leading dot", "a@.b", "a@.b"},
    {"double bounce", "#@[]", "#@[]"},
    {"eight bits", "\374@b.c", "\374@b.c"},
    {"line feed behind", "a@b.c\n", "a@b.c"},
    {"folded host", "a@\"b\nc\".d", "a@bc.d"},
    {"line feed in the box", "a\nb@c.d", NULL},
    {"CR in the box", "a\rb@c.d", NULL},
    {"line feed quoted in the host", "a@b\\\nc.d", NULL},
    {"CR quoted in the host", "a@b\\\rc.d", NULL},
    {"parenthesis", "a@b)", "a@b).dom"},
    {"parenthesis alone", "a@b ) c", NULL},
    {"open comment", "a@(b", NULL},
    {"open quotes", "a@\"b", NULL},
    {"open literal", "a@[b", NULL},
};

static void test_arguments(void)
{
    for (size_t i = 0; i < COUNT(arguments); i++) {
        struct bytes out = {0};
        bytes_add_text(&out, "before ");
        size_t before = out.len;
        bool good = inject_argument(&out, view_of(arguments[i].argument), &defaults);
        ok(good == (arguments[i].want != NULL), arguments[i].name, "result");
        same(view_from(bytes_view(&out), before),
             view_of(arguments[i].want ? arguments[i].want : ""), arguments[i].name);
        bytes_free(&out);
    }
    struct bytes out = {0};
    ok(!inject_argument(&out, view_at("a\0b@c.d", 7), &defaults), "NUL", "is refused");
    bytes_free(&out);
}

/* Defaults that need completion themselves. */
static void test_defaults(void)
{
    static const struct {
        const char *name, *host, *domain, *want;
    } cases[] = {
        {"host without a dot", "@h", ".d", "a@h.d"},
        {"host with a plus", "@h+", ".d", "a@h.plus"},
        {"host is a literal", "@[1.2.3.4]", ".d", "a@[1.2.3.4]"},
        {"empty domain", "@h", ".", "a@h."},
        {"empty host", "@", ".d", "a@.d"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bytes out = {0};
        tokens_read(&defaults.at_host, view_of(cases[i].host));
        tokens_read(&defaults.dot_domain, view_of(cases[i].domain));
        ok(inject_argument(&out, VIEW("a"), &defaults), cases[i].name, "result");
        same(bytes_view(&out), view_of(cases[i].want), cases[i].name);
        bytes_free(&out);
    }
}

int main(void)
{
    tokens_read(&defaults.at_host, VIEW("@host"));
    tokens_read(&defaults.dot_domain, VIEW(".dom"));
    tokens_read(&defaults.dot_plus, VIEW(".plus"));
    test_fields();
    test_arguments();
    test_defaults();
    tokens_free(&defaults.at_host);
    tokens_free(&defaults.dot_domain);
    tokens_free(&defaults.dot_plus);
    return tap_done();
}
