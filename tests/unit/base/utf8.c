#include "base/utf8.h"

#include "tap.h"

/* What json's cases do not show: which number it is. */
static const struct {
    const char *text;
    size_t len;
    uint32_t number;
} cases[] = {
    {"a", 1, 'a'},
    {"\xc3\xbc", 2, 0xfc},
    {"\xe2\x82\xac", 3, 0x20ac},
    {"\xe2\x80\xae", 3, 0x202e},
    {"\xf0\x9f\x93\xac", 4, 0x1f4ec},
    {"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
    {"\xf4\x90\x80\x80", 0, 0},
    {"\xed\xa0\x80", 0, 0},
    {"\xc0\xaf", 0, 0},
    {"\x80", 0, 0},
    {"\xe2\x82", 0, 0},
};

int main(void)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t len = utf8_length(view_of(cases[i].text));
        same_number(len, cases[i].len, "length");
        if (len > 0)
            same_number(utf8_number(view_at(cases[i].text, len)), cases[i].number,
                        "number");
    }
    return tap_done();
}
