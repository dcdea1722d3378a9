#include "admin/log_page.h"

#include "tap.h"

static bool is_about(double a, double b)
{
    return a > b * 0.999 && a < b * 1.001;
}

int main(void)
{
    static const struct {
        double value, step;
    } steps[] = {{1, 0.5}, {4, 1},     {5, 2},        {80, 20},
                 {81, 50}, {1e9, 5e8}, {0.003, 0.001}};
    static const struct {
        int64_t span, step;
    } times[] = {{4, 1},
                 {60, 10},
                 {3600, 600},
                 {86400, 10800},
                 {604800, 86400},
                 {31536000, 7776000},
                 {315360000, 63072000}};
    static struct log_series series;
    static struct log_bars bars;

    for (size_t i = 0; i < COUNT(steps); i++)
        ok(is_about(chart_step(steps[i].value, 4), steps[i].step), "step", NULL);
    for (size_t i = 0; i < COUNT(times); i++)
        same_number((uint64_t)chart_time_step(times[i].span, 8),
                    (uint64_t)times[i].step, "step of time");

    for (int64_t i = 0; i < 500; i++)
        log_series_at(&series, i * LOG_SECOND_US)->messages++;
    log_bars_of(&bars, &series);
    same_number(bars.count, 125, "bars");
    same_number((uint64_t)bars.width_us, 4 * LOG_SECOND_US, "their width");
    uint64_t sum = 0;
    for (size_t i = 0; i < bars.count; i++)
        sum += bars.bars[i].messages;
    same_number(sum, 500, "nothing is lost");
    series = (struct log_series){0};
    log_bars_of(&bars, &series);
    same_number(bars.count, 0, "no bars");
    return tap_done();
}
