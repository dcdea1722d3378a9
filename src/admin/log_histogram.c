#include "admin/log_count.h"

/* How many bits n takes. */
static unsigned bits_of(uint64_t n)
{
    unsigned bits = 0;
    for (unsigned half = 32; half > 0; half /= 2)
        if (n >> half) {
            n >>= half;
            bits += half;
        }
    return bits + (n > 0);
}

/* Values below LOG_STEPS have a step each; above, the bits behind the first one count.
 */
static size_t step_of(uint64_t us)
{
    if (us < LOG_STEPS)
        return (size_t)us;
    unsigned shift = bits_of(us) - LOG_STEP_BITS - 1;
    size_t step = (size_t)LOG_STEPS * shift + (size_t)(us >> shift);
    return step < LOG_HISTOGRAM_ROOM ? step : LOG_HISTOGRAM_ROOM - 1;
}

int64_t log_histogram_from(size_t step)
{
    if (step < LOG_STEPS)
        return (int64_t)step;
    size_t shift = step / LOG_STEPS - 1;
    return (int64_t)(LOG_STEPS + step % LOG_STEPS) << shift;
}

void log_histogram_add(struct log_histogram *h, int64_t us)
{
    if (us < 0)
        us = 0;
    if (h->count == 0 || us < h->least_us)
        h->least_us = us;
    if (us > h->most_us)
        h->most_us = us;
    h->count++;
    h->sum_us += (double)us;
    h->steps[step_of((uint64_t)us)]++;
}

/* The middle of a step, but nothing that no value can be. */
static int64_t value_of(const struct log_histogram *h, size_t step)
{
    int64_t from = log_histogram_from(step);
    int64_t value = from + (log_histogram_from(step + 1) - 1 - from) / 2;

    if (value < h->least_us)
        return h->least_us;
    return value > h->most_us ? h->most_us : value;
}

int64_t log_histogram_at(const struct log_histogram *h, unsigned of_1000)
{
    if (h->count == 0)
        return LOG_NO_TIME;
    uint64_t rank =
        h->count / 1000 * of_1000 + (h->count % 1000 * of_1000 + 999) / 1000;
    uint64_t passed = 0;
    for (size_t step = 0; step < LOG_HISTOGRAM_ROOM; step++) {
        passed += h->steps[step];
        if (passed >= rank && passed > 0)
            return step + 1 < LOG_HISTOGRAM_ROOM ? value_of(h, step) : h->most_us;
    }
    return h->most_us;
}

int64_t log_histogram_mean(const struct log_histogram *h)
{
    return h->count ? (int64_t)(h->sum_us / (double)h->count) : LOG_NO_TIME;
}
