/* Any bytes as control/morercpthosts: the key of a line is the line in lower case
 * without the white space at its end, and is its own key. */
#include "admin/newmrh.h"

#include "fuzz.h"
#include "must.h"

static void check(struct view line)
{
    struct bytes key = {0}, again = {0};
    struct view plain = line;

    if (view_ends(plain, VIEW("\r")))
        plain.len--;
    while (plain.len && view_has(VIEW(" \t"), plain.data[plain.len - 1]))
        plain.len--;
    bytes_set(&key, line);
    bool good = newmrh_key(&key);
    must(good == (plain.len && plain.data[0] != '#'));
    if (good) {
        must(view_equal_case(bytes_view(&key), plain));
        for (size_t i = 0; i < key.len; i++)
            must(key.data[i] < 'A' || key.data[i] > 'Z');
        bytes_set(&again, bytes_view(&key));
        must(view_ends(bytes_view(&key), VIEW("\r")) ||
             (newmrh_key(&again) && view_equal(bytes_view(&key), bytes_view(&again))));
    }
    bytes_free(&key);
    bytes_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view in = input_of(data, len);
    while (in.len)
        check(view_cut(&in, '\n'));
    return 0;
}
