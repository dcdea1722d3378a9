/* Any bytes as a request and as an answer: what is taken is written again as it was. */
#include "queue/order.h"

#include "fuzz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view line = view_at((const char *)data, len);
    struct bytes out = {0};
    struct order_answer a;
    struct order o;

    if (order_parse(line, &o)) {
        order_add(&out, &o);
        if (out.len != len + 1 || out.len > ORDER_MAX_LINE + 1 ||
            !view_equal(view_before(bytes_view(&out), len), line))
            abort();
    }
    bytes_clear(&out);
    if (order_parse_answer(line, &a)) {
        order_add_answer(&out, &a);
        if (out.len != len + 1 || out.len > ORDER_MAX_LINE + 1 ||
            !view_equal(view_before(bytes_view(&out), len), line))
            abort();
    }
    bytes_free(&out);
    return 0;
}
