#include "base/bytes.h"

#include "tap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NUL_INSIDE_INIT VIEW_INIT("a\0b")

static const struct {
    const char *name;
    struct view a, b;
    bool equal, equal_case, starts, ends;
} compared[] = {
    {"equal", VIEW_INIT("abc"), VIEW_INIT("abc"), true, true, true, true},
    {"case", VIEW_INIT("aBc"), VIEW_INIT("AbC"), false, true, false, false},
    {"other length", VIEW_INIT("abc"), VIEW_INIT("ab"), false, false, true, false},
    {"end", VIEW_INIT("abc"), VIEW_INIT("bc"), false, false, false, true},
    {"longer", VIEW_INIT("ab"), VIEW_INIT("abc"), false, false, false, false},
    {"both empty", VIEW_INIT(""), {NULL, 0}, true, true, true, true},
    {"empty second", VIEW_INIT("x"), {NULL, 0}, false, false, true, true},
    {"NUL", NUL_INSIDE_INIT, NUL_INSIDE_INIT, true, true, true, true},
    {"behind the NUL", NUL_INSIDE_INIT, VIEW_INIT("a\0c"), false, false, false, false},
    {"only ASCII letters fold", VIEW_INIT("\xc4"), VIEW_INIT("\xe4"), false, false,
     false, false},
    {"the bytes around the letters", VIEW_INIT("@[`{"), VIEW_INIT("`{@["), false, false,
     false, false},
};

static const struct {
    const char *name;
    struct view v;
    char byte;
    size_t first, last;
    struct view head, rest;
} sought[] = {
    {"once", VIEW_INIT("a@b"), '@', 1, 1, VIEW_INIT("a"), VIEW_INIT("b")},
    {"twice", VIEW_INIT("a@b@c"), '@', 1, 3, VIEW_INIT("a"), VIEW_INIT("b@c")},
    {"never", VIEW_INIT("abc"), '@', 3, 3, VIEW_INIT("abc"), VIEW_INIT("")},
    {"at both ends", VIEW_INIT("@@"), '@', 0, 1, VIEW_INIT(""), VIEW_INIT("@")},
    {"in nothing", {NULL, 0}, '@', 0, 0, VIEW_INIT(""), VIEW_INIT("")},
    {"a NUL", NUL_INSIDE_INIT, '\0', 1, 1, VIEW_INIT("a"), VIEW_INIT("b")},
    {"a byte above 127", VIEW_INIT("a\xff"), '\xff', 1, 1, VIEW_INIT("a"),
     VIEW_INIT("")},
};

static void views(void)
{
    for (size_t i = 0; i < COUNT(compared); i++) {
        const char *name = compared[i].name;
        struct view a = compared[i].a, b = compared[i].b;
        ok(view_equal(a, b) == compared[i].equal, name, "equal");
        ok(view_equal_case(a, b) == compared[i].equal_case, name, "equal case");
        ok(view_starts(a, b) == compared[i].starts, name, "starts");
        ok(view_ends(a, b) == compared[i].ends, name, "ends");
    }
    ok(view_starts_case(VIEW("IPv6:x"), VIEW("ipV6:")), "starts case", NULL);
    ok(!view_starts_case(VIEW("IP"), VIEW("ipV6:")), "starts case", "too short");
    ok(view_is(VIEW("x"), "x") && !view_is(VIEW("x\0"), "x"), "is", NULL);
    ok(view_is_case(VIEW("X"), "x") && !view_is_case(VIEW("y"), "x"), "is case", NULL);
    for (size_t i = 0; i < COUNT(sought); i++) {
        const char *name = sought[i].name;
        struct view v = sought[i].v;
        same_number(view_find(v, sought[i].byte), sought[i].first, name);
        same_number(view_find_last(v, sought[i].byte), sought[i].last, name);
        ok(view_has(v, sought[i].byte) == (sought[i].first < v.len), name, "has");
        same(view_cut(&v, sought[i].byte), sought[i].head, name);
        same(v, sought[i].rest, name);
    }
    same(view_trim_end(VIEW(" x \t \n"), " \t\n"), VIEW(" x"), "trim");
    same(view_trim_end(VIEW("  "), " "), VIEW(""), "trim all");
    same(view_trim_end((struct view){NULL, 0}, " "), VIEW(""), "trim nothing");
    same(view_from(VIEW("abc"), 3), VIEW(""), "from the end");
    same(view_from((struct view){NULL, 0}, 0), VIEW(""), "from, of nothing");
    same(view_before(VIEW("abc"), 2), VIEW("ab"), "before");
    ok(byte_lower('Z') == 'z' && byte_lower('[') == '[' && byte_lower('\xc4') == '\xc4',
       "lower", NULL);
    ok(byte_is_digit('0') && byte_is_digit('9') && !byte_is_digit('/') &&
           !byte_is_digit(':'),
       "digit", NULL);
}

static void appending(void)
{
    struct bytes b = {0};

    bytes_add(&b, (struct view){NULL, 0});
    ok(b.len == 0 && b.data == NULL, "nothing added", "takes no memory");
    bytes_add_text(&b, "x=");
    bytes_add_number(&b, UINT64_MAX);
    bytes_add_byte(&b, '\0');
    bytes_add_number(&b, 0);
    bytes_add_format(&b, "%s%d", ";", -5);
    bytes_add_format(&b, "%s", "");
    same(bytes_view(&b),
         VIEW("x=18446744073709551615\0"
              "0;-5"),
         "appended");
    ok(bytes_cstring(&b) == NULL, "cstring", "refuses a NUL");
    bytes_change(&b, '\0', '/');
    ok(strcmp(bytes_cstring(&b), "x=18446744073709551615/0;-5") == 0, "cstring", NULL);
    ok(b.len == strlen(b.data), "cstring", "adds no length");
    bytes_cut(&b, 2);
    bytes_add(&b, VIEW("ABcÄ"));
    bytes_lower(&b);
    same(bytes_view(&b), VIEW("x=abcÄ"), "cut, lower");
    bytes_free(&b);
    bytes_free(&b);
    ok(!b.data && !b.len && !b.room, "free", "leaves an empty string");
    ok(strcmp(bytes_cstring(&b), "") == 0, "cstring", "of nothing");
    bytes_free(&b);
}

/* more may be a part of b, also when b must move to grow; bytes_set() may take a
 * part of what b held. */
static void aliases(void)
{
    struct bytes b = {0}, want = {0};
    for (size_t len = 1; len < 300; len += 13) {
        bytes_clear(&b);
        bytes_clear(&want);
        for (size_t i = 0; i < len; i++)
            bytes_add_byte(&b, (char)('a' + i % 26));
        bytes_add(&want, bytes_view(&b));
        bytes_add(&want, view_from(bytes_view(&want), len / 2));
        bytes_add(&b, view_from(bytes_view(&b), len / 2));
        if (!view_equal(bytes_view(&b), bytes_view(&want)))
            same(bytes_view(&b), bytes_view(&want), "part of itself");
        bytes_set(&b, view_from(bytes_view(&b), len / 3));
        if (!view_equal(bytes_view(&b), view_from(bytes_view(&want), len / 3)))
            same(bytes_view(&b), bytes_view(&want), "set to its own end");
        bytes_free(&b);
        bytes_free(&want);
    }
    ok(true, "parts of itself", NULL);
    bytes_set(&b, VIEW("abc"));
    struct view old = bytes_view(&b);
    bytes_clear(&b);
    bytes_set(&b, old);
    same(bytes_view(&b), VIEW("abc"), "set to what it held");
    bytes_set(&b, view_before(old, 0));
    same(bytes_view(&b), VIEW(""), "set to nothing");
    size_t room = b.room;
    bytes_reserve(&b, room);
    ok(b.room == room, "reserve", "what is there already");
    bytes_reserve(&b, room + 1);
    ok(b.room > room, "reserve", "more");
    bytes_free(&b);
    bytes_free(&want);
}

static void too_much(void *arg)
{
    struct bytes b = {0};
    bytes_add_byte(&b, 'x');
    bytes_reserve(&b, *(size_t *)arg);
}

int main(void)
{
    size_t sizes[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2 + 1};

    views();
    appending();
    aliases();
    for (size_t i = 0; i < COUNT(sizes); i++)
        same_number((uint64_t)run_apart(too_much, &sizes[i], NULL), 111,
                    "a size beyond memory, or beyond size_t");
    struct bytes none = {0};
    ok(!bytes_try_add(&none, view_at("", PTRDIFF_MAX)) && none.len == 0, "try",
       "no memory");
    bytes_free(&none);
    return tap_done();
}
