#include "mail/address_list.h"

#include "mail/fold.h"
#include "tap.h"

static const struct {
    const char *name, *input;
    const char *want;      /* the field as written, or NULL: not a list */
    const char *addresses; /* each ended by a bar, in the order of the visits */
} cases[] = {
    {"nothing", "", "To:", ""},
    {"plain list", "a@b.c, d@e.f", "To: a@b.c, d@e.f", "d@e.f|a@b.c|"},
    {"no space", "a@b.c,d@e.f", "To: a@b.c, d@e.f", "d@e.f|a@b.c|"},
    {"missing comma", "a b@c.d", "To: a, b@c.d", "b@c.d|a|"},
    {"missing commas", "a b c", "To: a, b, c", "c|b|a|"},
    {"comment before", "(x) a@b.c", "To: a@b.c (x)", "a@b.c|"},
    {"comment inside", "a(x)@b.c", "To: a@b.c (x)", "a@b.c|"},
    {"two comments", "a@b.c (d) (e)", "To: a@b.c (d) (e)", "a@b.c|"},
    {"nested comment", "(a (b) c) x@y.z", "To: x@y.z (a b c)", "x@y.z|"},
    {"comment alone", "(x)", "To: (x)", ""},
    {"comment inside brackets", "<a@b (x)>", "To: <a@b (x)>", "a@b|"},
    {"initials", "J. Doe <x@y.z>", "To: J.Doe <x@y.z>", "x@y.z|"},
    {"white space around signs", "a . b @ c . d", "To: a.b@c.d", "a.b@c.d|"},
    {"route", "<@r1,@r2:a@b.c>", "To: <@r1, @r2: a@b.c>", "@r1,@r2:a@b.c|"},
    {"group", "g: a@b.c, d@e.f;, h@i.j", "To: g: a@b.c, d@e.f;, h@i.j",
     "h@i.j|d@e.f|a@b.c|"},
    {"comma missing behind a group", "g: a@b.c; d@e.f", "To: g: a@b.c;, d@e.f",
     "d@e.f|a@b.c|"},
    {"empty group", "g: ;", "To: g: ;", ""},
    {"group with a long name", "x@y.z, my \"own\" <group>: a@b.c;",
     "To: x@y.z, my \"own\" <group>: a@b.c;", "a@b.c|x@y.z|"},
    {"two groups", "a: b;, c: d;", "To: a: b;, c: d;", "d|b|"},
    {"group of angles", "g: X <a@b>, <c@d>;", "To: g: X <a@b>, <c@d>;", "c@d|a@b|"},
    {"semicolon without a group", "a; b", "To: a;, b", "b|a|"},
    {"semicolon in a group", "x; y; z", NULL, NULL},
    {"colon without a group", "a: b", NULL, NULL},
    {"colon in a group's name", "a: b: c;", "To: a: b: c;", "c|"},
    {"colon in a route outside brackets", "@r:a@b", NULL, NULL},
    {"name after an angle address", "Foo <a@b.c> Bar <d@e.f>",
     "To: Foo <a@b.c>Bar <d@e.f>", "d@e.f|a@b.c|"},
    {"two angle addresses", "<a@b.c> <d@e.f>", "To: <a@b.c> <d@e.f>", "d@e.f|a@b.c|"},
    {"angle then word", "<a@b.c> d", "To: <a@b.c>, d", "d|a@b.c|"},
    {"word, angle, word", "x <a@b> y", "To: x <a@b>, y", "y|a@b|"},
    {"literal before an angle", "[x] <a@b>", "To: [x] <a@b>", "a@b|[x]|"},
    {"list inside an angle", "<a@b, c@d>", "To: <a@b, c@d>", "a@b,c@d|"},
    {"angle never opened", "a@b>", NULL, NULL},
    {"angle opened behind a comma", "a <b, c>", "To: a <b, c>", "b,c|"},
    {"angle never closed", "a <b@c.d", "To: a <b@c.d", "a<b@c.d|"},
    {"angle closed twice", "<a>>", "To: <a>>", "a>|"},
    {"angle opened twice", "<<a>", "To: < <a>", "a|<|"},
    {"empty element", "a@b.c,,d@e.f", "To: a@b.c, , d@e.f", "d@e.f|a@b.c|"},
    {"commas alone", ",,", "To: , ,", ""},
    {"comma at the end", "a@b.c,", "To: a@b.c,", "a@b.c|"},
    {"comma at the start", ",a@b.c", "To: , a@b.c", "a@b.c|"},
    {"atom made quoted", "foo)@b.c", "To: \"foo\\)\"@b.c", "foo)@b.c|"},
    {"name escaped", "\"Foo (Bar)\" <x@y.z>", "To: \"Foo \\(Bar\\)\" <x@y.z>",
     "x@y.z|"},
    {"comma in a name", "\"a, b\" <c@d>, e", "To: \"a, b\" <c@d>, e", "e|c@d|"},
    {"nothing in brackets", "<>", "To: <>", "|"},
    {"name and nothing in brackets", "Nobody <>", "To: Nobody <>", "|"},
    {"lone at", "@", "To: @", "@|"},
    {"lone dot", ".", "To: .", ".|"},
    {"literal alone", "[1.2.3.4]", "To: [1.2.3.4]", "[1.2.3.4]|"},
    {"literal behind a word", "foo@bar [y]", "To: foo@bar, [y]", "[y]|foo@bar|"},
    {"quoted local part", "\"a b\"@c.d", "To: \"a b\"@c.d", "a b@c.d|"},
    {"name holding an at", "a@b <c@d>", "To: a@b <c@d>", "c@d|"},
    {"comments between", "a (1) , (2) <b> (3)", "To: a (1), (2) <b>(3)", "b|a|"},
};

static bool note(void *arg, struct tokens *address)
{
    struct bytes *seen = arg;
    tokens_add_plain(seen, address);
    bytes_add_byte(seen, '|');
    return true;
}

static void test_cases(void)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tokens list = {0}, written = {0};
        struct bytes seen = {0}, field = {0};
        bool good = tokens_read(&list, view_of(cases[i].input)) &&
                    address_list_read(&list, &written, note, &seen);
        ok(good == (cases[i].want != NULL), cases[i].name, "result");
        if (good && cases[i].want) {
            fold_field(&field, VIEW("To"), &written);
            same(view_trim_end(bytes_view(&field), "\n"), view_of(cases[i].want),
                 cases[i].name);
            same(bytes_view(&seen), view_of(cases[i].addresses), cases[i].name);
        }
        tokens_free(&list);
        tokens_free(&written);
        bytes_free(&seen);
        bytes_free(&field);
    }
}

/* Stops at the second address. */
static bool stop(void *arg, struct tokens *address)
{
    (void)address;
    return ++*(unsigned *)arg < 2;
}

/* Puts something else in the address's place. */
static bool replace(void *arg, struct tokens *address)
{
    tokens_clear(address);
    tokens_add_all(address, arg);
    return true;
}

static void test_visitors(void)
{
    struct tokens list = {0}, written = {0}, other = {0};
    struct bytes field = {0};
    unsigned visits = 0;

    tokens_read(&list, VIEW("a, b, c"));
    ok(!address_list_read(&list, &written, stop, &visits), "visitor stops", NULL);
    same_number(visits, 2, "at the second");

    tokens_read(&other, VIEW("x@y"));
    tokens_read(&list, VIEW("A <a>, b"));
    ok(address_list_read(&list, &written, replace, &other), "visitor replaces", NULL);
    fold_field(&field, VIEW("Cc"), &written);
    same(bytes_view(&field), VIEW("Cc: A <x@y>, x@y\n"), "all addresses");
    tokens_free(&list);
    tokens_free(&written);
    tokens_free(&other);
    bytes_free(&field);
}

/* Stops at visit number *arg. */
static bool stop_at(void *arg, struct tokens *address)
{
    (void)address;
    return --*(unsigned *)arg > 0;
}

/* Wherever the visitor stops, reading fails, and what was visited is counted. */
static void test_stops(void)
{
    static const char *const lists[] = {
        "a, b",        "A <a>, b",     "a <b> c",    "a <b>",     "g: a, b;",
        "g: a; h: b;", "<a> <b>",      "a b",        "a@b c@d e", "g: A <a>;, b",
        "\"q\"@x y",   "(c) a (d), b", "a <b>, <c>", "a; b",      "x: a b;",
    };
    for (size_t i = 0; i < COUNT(lists); i++) {
        struct tokens list = {0}, written = {0};
        tokens_read(&list, view_of(lists[i]));
        for (unsigned stop = 1; stop < 5; stop++) {
            unsigned left = stop;
            tokens_clear(&written);
            bool read = address_list_read(&list, &written, stop_at, &left);
            ok(left > 0 || !read, "stopped", lists[i]);
        }
        tokens_free(&list);
        tokens_free(&written);
    }
}

int main(void)
{
    test_cases();
    test_visitors();
    test_stops();
    return tap_done();
}
