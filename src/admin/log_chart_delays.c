#include "admin/log_page.h"

#include <inttypes.h>

/* Delays, on a logarithmic scale. */

enum {
    BARS_PER_DOUBLING = 2,
    FIRST_STEPS = 13, /* of the first: 45/32 is about the root of 2 */
    DELAY_BARS = BARS_PER_DOUBLING * LOG_HISTOGRAM_ROOM / LOG_STEPS,
    FIRST_BAR = 10, /* about 0.5 ms: what is less goes there */
    DELAY_HEIGHT = 96
};

struct delay_plot {
    struct bytes *out;
    double top, bottom;
    size_t first, last; /* bars that are drawn */
    double low, high;   /* logarithms of the edges */
};

/* The logarithm to base 2, good enough to draw with: exact at each power, straight
 * between. */
static double log_2(double value)
{
    double whole = 0;

    while (value >= 2) {
        value /= 2;
        whole++;
    }
    while (value < 1) {
        value *= 2;
        whole--;
    }
    /* ln(value) by its area, y = (value - 1) / (value + 1), twice the odd powers */
    double y = (value - 1) / (value + 1), square = y * y;
    double sum = y * (1 + square * (1.0 / 3 + square * (1.0 / 5 + square / 7)));
    return whole + 2 * sum / 0.69314718055994531;
}

static double delay_x(const struct delay_plot *p, double us)
{
    double part = (log_2(us) - p->low) / (p->high - p->low);
    return CHART_LEFT + (CHART_RIGHT - CHART_LEFT) * (part < 0   ? 0
                                                      : part > 1 ? 1
                                                                 : part);
}

static size_t bar_of(size_t step)
{
    return BARS_PER_DOUBLING * (step / LOG_STEPS) + (step % LOG_STEPS >= FIRST_STEPS);
}

/* The least delay of a bar, in microseconds. */
static double bar_from(size_t bar)
{
    size_t step = bar / BARS_PER_DOUBLING * LOG_STEPS;
    return (double)log_histogram_from(
        step + (bar % BARS_PER_DOUBLING ? (size_t)FIRST_STEPS : 0));
}

static void sum_bars(const struct log_histogram *h, uint64_t bars[DELAY_BARS])
{
    for (size_t i = 0; i < DELAY_BARS; i++)
        bars[i] = 0;
    for (size_t i = 0; i < LOG_HISTOGRAM_ROOM; i++) {
        size_t bar = bar_of(i);
        bars[bar < FIRST_BAR ? FIRST_BAR : bar] += h->steps[i];
    }
}

static void find_edges(struct delay_plot *p, const struct log_summary *s)
{
    uint64_t bars[DELAY_BARS];

    p->first = DELAY_BARS;
    p->last = 0;
    for (size_t i = 0; i < LOG_DELAYS; i++) {
        sum_bars(log_delay_of(s, i).histogram, bars);
        for (size_t b = 0; b < DELAY_BARS; b++) {
            if (!bars[b])
                continue;
            p->first = b < p->first ? b : p->first;
            p->last = b > p->last ? b : p->last;
        }
    }
    if (p->first > p->last)
        p->first = p->last = FIRST_BAR;
    p->low = log_2(bar_from(p->first));
    p->high = log_2(bar_from(p->last + 1));
}

static void draw_delay_axis(const struct delay_plot *p)
{
    static const struct {
        const char *name;
        double us;
    } marks[] = {{"1 ms", 1e3},    {"10 ms", 1e4},    {"0.1 s", 1e5},
                 {"1 s", 1e6},     {"10 s", 1e7},     {"1 min", 6e7},
                 {"10 min", 6e8},  {"1 h", 3.6e9},    {"6 h", 2.16e10},
                 {"1 d", 8.64e10}, {"7 d", 6.048e11}, {"30 d", 2.592e12}};

    for (size_t i = 0; i < COUNT(marks); i++) {
        double at = log_2(marks[i].us);
        if (at < p->low || at > p->high)
            continue;
        double x = delay_x(p, marks[i].us);
        bytes_add_format(
            p->out,
            "<path class=\"grid\" d=\"M%.1f %.1fV%.1f\"/><text class=\"x\" "
            "x=\"%.1f\" y=\"%.1f\">%s</text>\n",
            x, p->top, p->bottom, x, p->bottom + 19, marks[i].name);
    }
}

/* A line through the bars; what it stands for is said at the end of the row's title. */
static void draw_mark(const struct delay_plot *p, int64_t value, double top,
                      double bottom)
{
    bytes_add_format(p->out, "<path class=\"mark\" d=\"M%.1f %.1fV%.1f\"/>\n",
                     delay_x(p, value > 0 ? (double)value : 1), top, bottom);
}

static void draw_quantiles(const struct delay_plot *p, const struct log_histogram *h,
                           double top, double bottom)
{
    int64_t median = log_histogram_at(h, log_quantiles[LOG_P50]);
    int64_t high = log_histogram_at(h, log_quantiles[LOG_P95]);

    draw_mark(p, median, top, bottom);
    draw_mark(p, high, top, bottom);
    bytes_add_format(p->out, "<text class=\"q\" x=\"%d\" y=\"%.1f\">half within ",
                     CHART_RIGHT, top - 5);
    log_add_span(p->out, median);
    bytes_add_text(p->out, ", 95 % within ");
    log_add_span(p->out, high);
    bytes_add_text(p->out, "</text>\n");
}

static void draw_delay(const struct delay_plot *p, const struct log_delay *delay,
                       size_t row)
{
    static const char *const classes[] = {"local", "remote", "success", "accepted"};
    double top = CHART_TOP + (double)row * DELAY_HEIGHT + 18;
    double bottom = CHART_TOP + (double)(row + 1) * DELAY_HEIGHT;
    uint64_t bars[DELAY_BARS], most = 1;

    sum_bars(delay->histogram, bars);
    for (size_t b = p->first; b <= p->last; b++)
        most = bars[b] > most ? bars[b] : most;
    for (size_t b = p->first; b <= p->last; b++) {
        double x = delay_x(p, bar_from(b));
        double end = delay_x(p, bar_from(b + 1));
        double height = (bottom - top) * (double)bars[b] / (double)most;
        if (bars[b] && height < 1)
            height = 1; /* a few are not none */
        chart_bar(p->out, classes[row], x, bottom - height, end - x - 1, height);
    }
    bytes_add_format(p->out,
                     "<path class=\"base\" d=\"M%d %.1fH%d\"/><text class=\"row\" "
                     "x=\"%d\" y=\"%.1f\">%s</text>\n",
                     CHART_LEFT, bottom, CHART_RIGHT, CHART_LEFT, top - 5,
                     delay->title);
    if (delay->histogram->count)
        draw_quantiles(p, delay->histogram, top, bottom);
}

void chart_delays(struct bytes *out, const struct log_summary *s)
{
    struct delay_plot p = {
        .out = out, .top = CHART_TOP, .bottom = CHART_TOP + LOG_DELAYS * DELAY_HEIGHT};

    find_edges(&p, s);
    chart_begin(out, "delays", CHART_TOP + LOG_DELAYS * DELAY_HEIGHT + CHART_BELOW,
                "Distribution of delays",
                "Four distributions over one logarithmic scale of time: of local and "
                "remote deliveries, of messages until delivered, and of messages until "
                "their end. Lines mark the median and the 95th percentile. The figures "
                "are in the table below.");
    draw_delay_axis(&p);
    for (size_t i = 0; i < LOG_DELAYS; i++) {
        struct log_delay delay = log_delay_of(s, i);
        draw_delay(&p, &delay, i);
    }
    chart_end(out);
}
