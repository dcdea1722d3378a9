#include "mail/token.h"

#include "tap.h"

#include <string.h>

/* Tokens are shown by their kinds (the sign, or a, q, l, c) and, in the case of
 * words, by their text, each ended by a bar. */
static const struct {
    const char *name, *input;
    const char *want; /* NULL: cannot be cut */
} cases[] = {
    {"nothing", "", ""},
    {"white space alone", " \t\r\n", ""},
    {"all signs", ".,@<>:;", ".|,|@|<|>|:|;|"},
    {"address", "a@b.c", "aa|@|ab|.|ac|"},
    {"white space separates", "a b\tc\r\nd", "aa|ab|ac|ad|"},
    {"specials end an atom", "a(b)c[d]e\"f\"g<h", "aa|cb|ac|ld|ae|qf|ag|<|ah|"},
    {"comment", "(x y)", "cx y|"},
    {"nested comment", "(a (b (c)) d)", "ca b c d|"},
    {"quoted parentheses in a comment", "(a \\( b)", "ca ( b|"},
    {"comment never closed", "(a (b)", NULL},
    {"comment ends in a backslash", "(a\\", NULL},
    {"quoted string", "\"a b\"", "qa b|"},
    {"quoted string, empty", "\"\"", "q|"},
    {"quotes in quotes", "\"a\\\"b\\\\\"", "qa\"b\\|"},
    {"parentheses in quotes", "\"(\"", "q(|"},
    {"quoted string never closed", "\"a", NULL},
    {"closing quote is quoted", "\"a\\\"", NULL},
    {"literal", "[1.2.3.4]", "l1.2.3.4|"},
    {"literal, empty", "[]", "l|"},
    {"bracket in a literal", "[[\\]]", "l[]|"},
    {"literal never closed", "[a", NULL},
    {"closing parenthesis alone", ")", NULL},
    {"closing bracket alone", "a ]", NULL},
    {"closing parenthesis in an atom", "a)b", "qa)b|"},
    {"closing bracket in an atom", "a]b", "qa]b|"},
    {"backslash in an atom", "a\\\"b", "aa\"b|"},
    {"backslash before a special", "a\\@b", "aa@b|"},
    {"two backslashes", "a\\\\b", "qa\\b|"},
    {"backslash at the end", "a\\", "aa|"},
    {"backslash alone", "\\", "a|"},
    {"backslash begins an atom", "\\)", "q)|"},
    {"eight bits", "J\374rgen", "qJ\374rgen|"},
    {"delete", "a\177", "qa\177|"},
    {"control byte", "a\001", "qa\001|"},
    {"line feed in quotes is folding", "\"a\n b\"", "qa b|"},
    {"CR and line feed too", "\"a\r\n b\"", "qa b|"},
    {"quoted ones as well", "\"a\\\r\\\n b\"", "qa b|"},
    {"CR alone is content", "\"a\rb\"", "qa\rb|"},
    {"only a CR of the same token", "[\r][\n]", "l\r|l|"},
    {"folding in a comment", "(a\n b)", "ca b|"},
    {"folding in a literal", "[a\n b]", "la b|"},
    {"line feed quoted in an atom", "a\\\nb", NULL},
};

static void show(struct bytes *out, const struct tokens *t)
{
    static const char kinds[] = ".,@<>:;aqlc";
    for (size_t i = 0; i < t->count; i++) {
        bytes_add_byte(out, kinds[t->items[i].kind]);
        bytes_add(out, t->items[i].text);
        bytes_add_byte(out, '|');
    }
}

static void test_reading(void)
{
    struct tokens t = {0};
    struct bytes got = {0};

    for (size_t i = 0; i < COUNT(cases); i++) {
        bool good = tokens_read(&t, view_of(cases[i].input));
        ok(good == (cases[i].want != NULL), cases[i].name, "result");
        if (!good || !cases[i].want)
            continue;
        bytes_clear(&got);
        show(&got, &t);
        same(bytes_view(&got), view_of(cases[i].want), cases[i].name);
    }
    bytes_clear(&got);
    ok(tokens_read(&t, view_at("\"\0\"a\0b", 6)), "NUL", "result");
    show(&got, &t);
    same(bytes_view(&got), view_at("q\0|qa\0b|", 8), "NUL is content");
    tokens_free(&t);
    bytes_free(&got);
}

/* A token, as it is written and as it counts in an envelope. */
static const struct {
    const char *name;
    enum token_kind kind;
    const char *text, *written, *plain;
} shown[] = {
    {"sign", TOKEN_AT, "", "@", "@"},
    {"atom", TOKEN_ATOM, "a.b", "a.b", "a.b"},
    {"atom escaped", TOKEN_ATOM, "a\"b", "a\\\"b", "a\"b"},
    {"quoted", TOKEN_QUOTED, "a b", "\"a b\"", "a b"},
    {"quoted escaped", TOKEN_QUOTED, "\"[]()\\\r\n.",
     "\"\\\"\\[\\]\\(\\)\\\\\\\r\\\n.\"", "\"[]()\\\r\n."},
    {"literal", TOKEN_LITERAL, "1.2", "[1.2]", "[1.2]"},
    {"comment", TOKEN_COMMENT, "a (b)", "(a \\(b\\))", ""},
};

static void test_writing(void)
{
    for (size_t i = 0; i < COUNT(shown); i++) {
        struct bytes written = {0}, plain = {0};
        struct tokens t = {0};
        struct token token = {shown[i].kind, view_of(shown[i].text)};
        token_write(&written, token);
        same(bytes_view(&written), view_of(shown[i].written), shown[i].name);
        tokens_add(&t, token);
        tokens_add_plain(&plain, &t);
        same(bytes_view(&plain), view_of(shown[i].plain), shown[i].name);
        tokens_free(&t);
        bytes_free(&written);
        bytes_free(&plain);
    }
}

static void test_lists(void)
{
    struct tokens t = {0}, more = {0};
    struct bytes got = {0};

    tokens_reverse(&t);
    same_number(t.count, 0, "reversing nothing");
    tokens_read(&t, VIEW("a.b@c"));
    tokens_reverse(&t);
    tokens_drop_first(&t, 1);
    tokens_drop_last(&t, 2);
    tokens_read(&more, VIEW(",x"));
    tokens_add_all(&t, &more);
    tokens_add_sign(&t, TOKEN_SEMICOLON);
    show(&got, &t);
    same(bytes_view(&got), VIEW("@|ab|,|ax|;|"), "changed");
    tokens_drop_first(&t, t.count);
    same_number(t.count, 0, "all dropped");
    tokens_free(&t);
    tokens_free(&more);
    bytes_free(&got);
}

/* Deep nesting must not need a deep stack. */
static void test_depth(void)
{
    enum { DEPTH = 1000000 };
    static char text[2 * DEPTH];
    struct tokens t = {0};

    memset(text, '(', DEPTH);
    memset(text + DEPTH, ')', DEPTH);
    ok(tokens_read(&t, view_at(text, sizeof text)), "a million parentheses", NULL);
    same_number(t.count, 1, "are one comment");
    ok(!tokens_read(&t, view_at(text, sizeof text - 1)), "one is missing", NULL);
    tokens_free(&t);
}

int main(void)
{
    test_reading();
    test_writing();
    test_lists();
    test_depth();
    ok(token_space_between(TOKEN_COLON, TOKEN_SEMICOLON), "space", "behind a colon");
    ok(token_space_between(TOKEN_COMMA, TOKEN_COMMA), "space", "behind a comma");
    ok(token_space_between(TOKEN_RIGHT, TOKEN_LEFT), "space", "before <");
    ok(token_space_between(TOKEN_ATOM, TOKEN_COMMENT), "space", "between words");
    ok(!token_space_between(TOKEN_ATOM, TOKEN_DOT), "no space", "before a dot");
    ok(!token_space_between(TOKEN_RIGHT, TOKEN_COMMENT), "no space", "behind >");
    ok(!token_space_between(TOKEN_LEFT, TOKEN_ATOM), "no space", "behind <");
    return tap_done();
}
