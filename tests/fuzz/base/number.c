/* Decimal numbers in any text, against a wider sum. */
#include "base/number.h"

#include "fuzz.h"

#include <string.h>

/* No more than 20 digits count: with the 21st the largest number has long been left. */
struct wide {
    uint64_t value; /* saturated */
    size_t digits;
    bool over;
};

static struct wide read_wide(struct view v)
{
    struct wide w = {0};
    for (; w.digits < v.len && byte_is_digit(v.data[w.digits]); w.digits++) {
        unsigned digit = (unsigned)(v.data[w.digits] - '0');
        if (w.value > UINT64_MAX / 10 || w.value * 10 > UINT64_MAX - digit)
            w.over = true;
        w.value = w.over ? UINT64_MAX : w.value * 10 + digit;
    }
    return w;
}

static void sums(struct view v)
{
    uint64_t a = 0, b = 0;
    if (v.len < 16)
        return;
    memcpy(&a, v.data, 8);
    memcpy(&b, v.data + 8, 8);
    uint64_t sum, product;
    MUST(number_sum(a, b) == (__builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum));
    MUST(number_product(a, b) ==
         (__builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product));
    uint64_t root = number_root(a);
    MUST(root <= UINT32_MAX && root * root <= a);
    MUST(root == UINT32_MAX || (root + 1) * (root + 1) > a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view v = view_at((const char *)data, len), rest = v;
    struct wide w = read_wide(v);
    uint64_t n = 1;

    MUST(number_take(&rest, &n) == (w.digits > 0));
    MUST(n == w.value && rest.len == v.len - w.digits);
    bool exact =
        w.digits && w.digits == v.len && !w.over && (w.digits == 1 || v.data[0] != '0');
    MUST(number_exact(v, UINT64_MAX, &n) == exact);
    MUST(number_exact(v, 1000, &n) == (exact && w.value <= 1000));
    if (exact) {
        struct bytes text = {0};
        bytes_add_number(&text, w.value);
        MUST(view_equal(bytes_view(&text), v));
        bytes_free(&text);
    }
    sums(v);
    return 0;
}
