#include "mail/address.h"

#include "tap.h"

static const struct {
    const char *address, *local, *domain;
    bool found;
    const char *quoted;
} cases[] = {
    {"joe@x.test", "joe", "x.test", true, "joe@x.test"},
    {"a@b@c", "a@b", "c", true, "\"a@b\"@c"},
    {"joe", "joe", "", false, "joe"},
    {"", "", "", false, ""},
    {"@", "", "", true, "\"\"@"},
    {"@x", "", "x", true, "\"\"@x"},
    {"joe@", "joe", "", true, "joe@"},
    {"!#$%&'*+-/=?^_`{|}~.x@h", "!#$%&'*+-/=?^_`{|}~.x", "h", true,
     "!#$%&'*+-/=?^_`{|}~.x@h"},
    {".a@h", ".a", "h", true, "\".a\"@h"},
    {"a.@h", "a.", "h", true, "\"a.\"@h"},
    {"a..b@h", "a..b", "h", true, "\"a..b\"@h"},
    {".", ".", "", false, "\".\""},
    {"a b@h", "a b", "h", true, "\"a b\"@h"},
    {"a\"b\\c@h", "a\"b\\c", "h", true, "\"a\\\"b\\\\c\"@h"},
    {"a\rb\nc@h", "a\rb\nc", "h", true, "\"a\\\rb\\\nc\"@h"},
    {"a\tb@h", "a\tb", "h", true, "\"a\tb\"@h"},
    {"\xe4@h", "\xe4", "h", true, "\"\xe4\"@h"},
    {"a@h h\"", "a", "h h\"", true, "a@h h\""},
    {"(x)<y>,;:[z]@h", "(x)<y>,;:[z]", "h", true, "\"(x)<y>,;:[z]\"@h"},
};

/* Every byte but NUL as a local part: quoted or not, and how. */
static void every_byte(void)
{
    static const char plain[] = "!#$%&'*+-/=?^_`{|}~"
                                "0123456789abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    struct bytes got = {0}, want = {0};
    bool fine = true;
    for (int c = 1; c < 256; c++) {
        char byte = (char)c;
        bytes_clear(&got);
        bytes_clear(&want);
        address_quote_local(&got, view_at(&byte, 1));
        bool quoted = !view_has(view_of(plain), byte);
        if (quoted)
            bytes_add_byte(&want, '"');
        if (view_has(VIEW("\r\n\"\\"), byte))
            bytes_add_byte(&want, '\\');
        bytes_add_byte(&want, byte);
        if (quoted)
            bytes_add_byte(&want, '"');
        fine &= view_equal(bytes_view(&got), bytes_view(&want));
    }
    ok(fine, "every byte", NULL);
    bytes_free(&got);
    bytes_free(&want);
}

int main(void)
{
    struct bytes out = {0};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct view local, domain;
        const char *name = cases[i].address;
        ok(address_split(view_of(name), &local, &domain) == cases[i].found, "split",
           NULL);
        same(local, view_of(cases[i].local), "local part");
        same(domain, view_of(cases[i].domain), "domain");
        bytes_set(&out, VIEW("To: "));
        address_quote(&out, view_of(name));
        same(view_from(bytes_view(&out), 4), view_of(cases[i].quoted), "quoted");
    }
    bytes_clear(&out);
    address_quote_local(&out, VIEW(""));
    same(bytes_view(&out), VIEW("\"\""), "the empty local part");
    bytes_free(&out);
    every_byte();
    return tap_done();
}
