#include "base/base64.h"

#include "tap.h"

static const struct {
    const char *text, *plain; /* NULL: not base64 */
} cases[] = {
    {"", ""},
    {"Zg==", "f"},
    {"Zm8=", "fo"},
    {"Zm9v", "foo"},
    {"Zm9vYg==", "foob"},
    {"Zm9vYmE=", "fooba"},
    {"Zm9vYmFy", "foobar"},
    {"+/+/", "\xfb\xff\xbf"},
    {"Zg=", NULL},
    {"Zg", NULL},
    {"Z===", NULL},
    {"====", NULL},
    {"=", NULL},
    {"Zm=v", NULL},
    {"Zg==Zg==", NULL},
    {"Zm9 ", NULL},
    {"-_-_", NULL},
    {"%%%%", NULL},
};

int main(void)
{
    struct bytes plain = {0};

    for (size_t i = 0; i < COUNT(cases); i++) {
        bool good = base64_decode(view_of(cases[i].text), &plain);
        ok(good == (cases[i].plain != NULL), "decode", cases[i].text);
        if (good && cases[i].plain)
            same(bytes_view(&plain), view_of(cases[i].plain), cases[i].text);
    }
    ok(!base64_decode(VIEW("Zm9v\r\n"), &plain), "decode", "line end");
    ok(base64_decode(VIEW("AGEA"), &plain), "decode", "NULs");
    same(bytes_view(&plain), VIEW("\0a\0"), "NULs");
    bytes_free(&plain);
    return tap_done();
}
