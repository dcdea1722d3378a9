#include "base/number.h"

#include "tap.h"

static const struct {
    const char *name, *text;
    bool exact;
    uint64_t n;
} cases[] = {
    {"zero", "0", true, 0},
    {"plain", "1091970", true, 1091970},
    {"leading zero", "01", false, 0},
    {"sign", "+1", false, 0},
    {"empty", "", false, 0},
    {"trailing junk", "1x", false, 0},
    {"largest", "18446744073709551615", true, UINT64_MAX},
    {"one more than the largest", "18446744073709551616", false, 0},
    {"far more", "99999999999999999999999", false, 0},
};

int main(void)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t n = 0;
        bool exact = number_exact(view_of(cases[i].text), UINT64_MAX, &n);
        ok(exact == cases[i].exact, cases[i].name, "result");
        if (exact && cases[i].exact)
            same_number(n, cases[i].n, cases[i].name);
    }
    struct view rest = VIEW("12ab");
    uint64_t n;
    ok(number_take(&rest, &n) && n == 12, "take", "number");
    same(rest, VIEW("ab"), "take rest");
    ok(!number_take(&rest, &n), "take", "none");
    ok(!number_exact(VIEW("11"), 10, &n), "above max", NULL);
    same_number(number_sum(UINT64_MAX, 1), UINT64_MAX, "sum saturates");
    same_number(number_product(UINT64_MAX / 2, 3), UINT64_MAX, "product saturates");
    same_number(number_root(0), 0, "root of 0");
    same_number(number_root(99), 9, "root of 99");
    same_number(number_root(100), 10, "root of 100");
    same_number(number_root(UINT64_MAX), UINT32_MAX, "root of the largest");
    return tap_done();
}
