#include "base/json.h"

#include "tap.h"

#define BAD "\xef\xbf\xbd"

static const struct {
    const char *text, *json;
} cases[] = {
    {"", ""},
    {"plain <a@b>", "plain <a@b>"},
    {"\"\\/", "\\\"\\\\/"},
    {"\b\f\n\r\t\x01\x1f\x7f", "\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f"},
    {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
    {"\xe2\x82\xac \xf0\x9f\x93\xac", "\xe2\x82\xac \xf0\x9f\x93\xac"},
    {"gr\xfc", "gr" BAD},
    {"\xe2\x82", BAD BAD},
    {"\xe2\x82x", BAD BAD "x"},
    {"\xc0\xaf", BAD BAD},                 /* overlong */
    {"\xe0\x9f\xbf", BAD BAD BAD},         /* overlong */
    {"\xe0\xa0\x80", "\xe0\xa0\x80"},      /* U+0800 */
    {"\xed\x9f\xbf", "\xed\x9f\xbf"},      /* U+D7FF */
    {"\xed\xa0\x80", BAD BAD BAD},         /* a surrogate */
    {"\xf0\x8f\xbf\xbf", BAD BAD BAD BAD}, /* overlong */
    {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
    {"\xf4\x90\x80\x80", BAD BAD BAD BAD}, /* beyond U+10FFFF */
    {"\xf5\x80\x80\x80", BAD BAD BAD BAD},
};

int main(void)
{
    struct bytes out = {0}, want = {0};

    for (size_t i = 0; i < COUNT(cases); i++) {
        bytes_clear(&out);
        json_add_string(&out, view_of(cases[i].text));
        bytes_set(&want, VIEW("\""));
        bytes_add_text(&want, cases[i].json);
        bytes_add_byte(&want, '"');
        same(bytes_view(&out), bytes_view(&want), cases[i].json);
    }
    bytes_clear(&out);
    json_add_string(&out, VIEW("a\0b"));
    same(bytes_view(&out), VIEW("\"a\\u0000b\""), "NUL");

    bytes_set(&out, VIEW("{"));
    json_add_text(&out, "a", VIEW("x"));
    json_add_number(&out, "b", UINT64_MAX);
    json_add_bool(&out, "c", true);
    json_add_bool(&out, "d", false);
    json_add_name(&out, "e");
    bytes_add_byte(&out, '[');
    json_add_comma(&out);
    json_add_string(&out, VIEW("["));
    json_add_comma(&out);
    json_add_string(&out, VIEW("{"));
    bytes_add_text(&out, "]}");
    same(bytes_view(&out),
         VIEW("{\"a\":\"x\",\"b\":18446744073709551615,\"c\":true,\"d\":false,"
              "\"e\":[\"[\",\"{\"]}"),
         "an object");
    bytes_free(&out);
    bytes_free(&want);
    return tap_done();
}
