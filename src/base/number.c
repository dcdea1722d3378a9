#include "base/number.h"

/* Up to here one more digit fits, whatever it is. */
#define FITS_ONE_MORE (UINT64_MAX / 10 - 1)

bool number_take(struct view *rest, uint64_t *n)
{
    uint64_t sum = 0;
    size_t i = 0;

    for (; i < rest->len; i++) {
        unsigned digit = (unsigned)(unsigned char)rest->data[i] - '0';
        if (digit > 9)
            break;
        sum = sum <= FITS_ONE_MORE ? sum * 10 + digit
                                   : number_sum(number_product(sum, 10), digit);
    }
    *n = sum;
    *rest = view_from(*rest, i);
    return i > 0;
}

bool number_exact(struct view v, uint64_t max, uint64_t *n)
{
    struct view rest = v;
    if (!number_take(&rest, n) || rest.len)
        return false;
    if (v.len > 1 && v.data[0] == '0')
        return false;
    /* 20 digits may have been cut down to UINT64_MAX; that is never exact */
    return *n <= max && (*n < UINT64_MAX || view_is(v, "18446744073709551615"));
}

uint64_t number_sum(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

uint64_t number_product(uint64_t a, uint64_t b)
{
    return a && b > UINT64_MAX / a ? UINT64_MAX : a * b;
}

uint64_t number_root(uint64_t n)
{
    uint64_t root = 0;
    for (uint64_t bit = UINT64_C(1) << 31; bit; bit >>= 1)
        if ((root | bit) * (root | bit) <= n)
            root |= bit;
    return root;
}
