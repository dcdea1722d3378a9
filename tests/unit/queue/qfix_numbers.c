#include "queue/qfix.h"

#include "tap.h"

int main(void)
{
    struct qfix_numbers set = {0};

    ok(!qfix_numbers_has(&set, 0), "empty", NULL);
    for (uint64_t n = 1; n <= 1000; n++)
        qfix_numbers_add(&set, n * 7919 % 1009);
    bool fine = true;
    for (uint64_t n = 1; n <= 1000; n++)
        fine &= qfix_numbers_has(&set, n * 7919 % 1009);
    ok(fine, "every one of a thousand is there", NULL);
    ok(!qfix_numbers_has(&set, 0) && !qfix_numbers_has(&set, 2000), "others not", NULL);
    qfix_numbers_add(&set, UINT64_MAX);
    qfix_numbers_add(&set, 0);
    ok(qfix_numbers_has(&set, 0) && qfix_numbers_has(&set, UINT64_MAX),
       "added after the first look", NULL);
    fine = true;
    for (size_t i = 1; i < set.count; i++)
        fine &= set.at[i - 1] <= set.at[i];
    ok(fine, "in order", NULL);
    qfix_numbers_clear(&set);
    ok(set.count == 0 && !qfix_numbers_has(&set, 0), "cleared", NULL);
    return tap_done();
}
