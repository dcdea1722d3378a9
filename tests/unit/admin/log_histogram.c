#include "admin/log_count.h"

#include "tap.h"

static struct log_histogram h;

static bool is_near(int64_t got, int64_t want)
{
    double ratio = (double)got / (double)want;
    return ratio > 0.984 && ratio < 1.016;
}

/* One value alone: every quantile is it. */
static void single(int64_t value)
{
    h = (struct log_histogram){0};
    log_histogram_add(&h, value);
    ok(log_histogram_at(&h, 500) == value && log_histogram_at(&h, 1000) == value, "one",
       "value");
}

int main(void)
{
    ok(log_histogram_at(&h, 500) == LOG_NO_TIME, "empty", NULL);
    ok(log_histogram_mean(&h) == LOG_NO_TIME, "empty", "mean");
    for (int64_t value = 0; value < INT64_MAX / 3; value = value * 3 + 1)
        single(value);
    single(INT64_MAX);

    h = (struct log_histogram){0};
    for (int64_t value = 1; value <= 1000000; value++)
        log_histogram_add(&h, value * 7);
    ok(is_near(log_histogram_at(&h, 500), 3500000), "median", NULL);
    ok(is_near(log_histogram_at(&h, 900), 6300000), "90 %", NULL);
    ok(is_near(log_histogram_at(&h, 990), 6930000), "99 %", NULL);
    ok(log_histogram_at(&h, 1000) == 7000000, "the largest is exact", NULL);
    ok(is_near(log_histogram_mean(&h), 3500003), "mean", NULL);
    same_number(h.count, 1000000, "count");

    /* every value is in the step that begins at or before it and ends behind it */
    bool fits = true;
    for (int64_t value = 1; value < INT64_C(1) << 47; value += value / 3 + 1) {
        h = (struct log_histogram){0};
        log_histogram_add(&h, value);
        size_t step = 0;
        while (!h.steps[step])
            step++;
        fits = fits && log_histogram_from(step) <= value &&
               value < log_histogram_from(step + 1);
    }
    ok(fits, "steps", NULL);
    h = (struct log_histogram){0};
    log_histogram_add(&h, -5);
    ok(log_histogram_at(&h, 500) == 0, "a clock set back", NULL);
    return tap_done();
}
