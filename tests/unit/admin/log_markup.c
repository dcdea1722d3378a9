#include "admin/log_page.h"

#include "tap.h"

#define BAD "\xef\xbf\xbd"

static const struct {
    const char *text, *want;
} cases[] = {
    {"<script>alert('x')</script>", "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"},
    {"\" onload=\"x&y", "&quot; onload=&quot;x&amp;y"},
    {"]]> -->", "]]&gt; --&gt;"},
    {"a\x01\x1b[31m\n\t\x7f", "a" BAD BAD "[31m" BAD BAD BAD},
    {"\xff\xc3", BAD BAD},
    {"gr\xc3\xbc\xe2\x82\xac\xf0\x9f\x93\xac",
     "gr\xc3\xbc\xe2\x82\xac\xf0\x9f\x93\xac"},
    {"\xc2\x85", BAD}, /* a C1 control */
    {"a\xe2\x80\xae"
     "b",
     "a" BAD "b"},                         /* right to left */
    {"\xef\xbf\xbe\xef\xbf\xbf", BAD BAD}, /* not in XML */
    {"\xed\xa0\x80", BAD BAD BAD},
};

int main(void)
{
    struct bytes out = {0};

    for (size_t i = 0; i < COUNT(cases); i++) {
        bytes_clear(&out);
        markup_add(&out, view_of(cases[i].text));
        same(bytes_view(&out), view_of(cases[i].want), cases[i].want);
    }
    bytes_clear(&out);
    markup_add(&out, VIEW("\0"));
    same(bytes_view(&out), VIEW(BAD), "NUL");
    bytes_clear(&out);
    markup_add_short(&out, VIEW("<<<"), 2);
    same(bytes_view(&out), VIEW("&lt;&lt;\xe2\x80\xa6"), "short");
    bytes_clear(&out);
    markup_add_short(&out, VIEW("\xc3\xbc\xc3\xbc"), 2);
    same(bytes_view(&out), VIEW("\xc3\xbc\xc3\xbc"), "as long as allowed");
    bytes_clear(&out);
    markup_add_number(&out, 1234567);
    markup_add_number(&out, 7);
    markup_add_number(&out, 1000);
    same(bytes_view(&out),
         VIEW("1\xe2\x80\xaf"
              "234\xe2\x80\xaf"
              "56771\xe2\x80\xaf"
              "000"),
         "numbers");
    bytes_free(&out);
    return tap_done();
}
