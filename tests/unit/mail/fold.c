#include "mail/fold.h"

#include "tap.h"

#define TEN "0123456789"
#define SEVENTY TEN TEN TEN TEN TEN TEN TEN

/* "To: " and a comma leave 73 bytes for the first address of a full line; two
 * spaces and a comma leave 75 in the others. */
static const struct {
    const char *name, *value, *want;
} cases[] = {
    {"nothing", "", "To:\n"},
    {"one", "a", "To: a\n"},
    {"two", "a,b", "To: a, b\n"},
    {"78 bytes in the first line", "a," SEVENTY "1", "To: a, " SEVENTY "1\n"},
    {"79 bytes in the first line", "a," SEVENTY "12", "To: a,\n  " SEVENTY "12\n"},
    {"a comma behind counts", "a," SEVENTY ",b", "To: a, " SEVENTY ",\n  b\n"},
    {"and breaks", "a," SEVENTY "1,b", "To: a,\n  " SEVENTY "1, b\n"},
    {"the first is never moved", SEVENTY SEVENTY, "To: " SEVENTY SEVENTY "\n"},
    {"long one in the middle", "a," SEVENTY SEVENTY ",b",
     "To: a,\n  " SEVENTY SEVENTY ",\n  b\n"},
    {"78 bytes in the second line", SEVENTY "12," SEVENTY ",b",
     "To: " SEVENTY "12,\n  " SEVENTY ", b\n"},
    {"the second line's own spaces count", SEVENTY "," SEVENTY "1,cde",
     "To: " SEVENTY ",\n  " SEVENTY "1, cde\n"},
    {"79 bytes in the second line", SEVENTY "," SEVENTY "1,cdef",
     "To: " SEVENTY ",\n  " SEVENTY "1,\n  cdef\n"},
    {"comma at the end", "a,", "To: a,\n"},
    {"comma at the end of a full line", SEVENTY "123,", "To: " SEVENTY "123,\n"},
    {"comma at the end of a line too long", SEVENTY SEVENTY ",",
     "To: " SEVENTY SEVENTY ",\n"},
    {"empty pieces", ",,a", "To: , , a\n"},
    {"empty piece in a new line", SEVENTY "12,,a", "To: " SEVENTY "12,\n  , a\n"},
    {"angles", "A<b@c>,<d@e>", "To: A <b@c>, <d@e>\n"},
    {"comma in quotes", SEVENTY "\"x, y\"", "To: " SEVENTY " \"x, y\"\n"},
};

int main(void)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tokens value = {0};
        struct bytes out = {0};
        ok(tokens_read(&value, view_of(cases[i].value)), cases[i].name, "tokens");
        fold_field(&out, VIEW("To"), &value);
        same(bytes_view(&out), view_of(cases[i].want), cases[i].name);
        tokens_free(&value);
        bytes_free(&out);
    }
    return tap_done();
}
