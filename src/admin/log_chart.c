#include "admin/log_page.h"

#include <inttypes.h>
#include <time.h>

enum { Y_STEPS = 4, X_STEPS = 8, DAY_S = 86400 };

/* A plot: where it is, and what its lower and upper edge stand for. */
struct plot {
    struct bytes *out;
    double top, bottom;
    double most;
    int64_t from_us, to_us;
};

double chart_step(double value, int max_steps)
{
    static const double factors[] = {1, 2, 5};
    double power = 1e-6;

    while (value / (factors[COUNT(factors) - 1] * power) > max_steps)
        power *= 10;
    for (size_t i = 0; i + 1 < COUNT(factors); i++)
        if (value / (factors[i] * power) <= max_steps)
            return factors[i] * power;
    return factors[COUNT(factors) - 1] * power;
}

int64_t chart_time_step(int64_t span_s, int max_steps)
{
    static const int64_t steps[] = {
        1,     2,     5,         10,        15,         30,         60,        120,
        300,   600,   900,       1800,      3600,       7200,       10800,     21600,
        43200, DAY_S, 2 * DAY_S, 7 * DAY_S, 14 * DAY_S, 30 * DAY_S, 90 * DAY_S};
    int64_t step = 365 * (int64_t)DAY_S;

    for (size_t i = 0; i < COUNT(steps); i++)
        if (span_s / steps[i] <= max_steps)
            return steps[i];
    while (span_s / step > max_steps)
        step *= 2;
    return step;
}

/* -- frames */

void chart_begin(struct bytes *out, const char *id, size_t height, const char *title,
                 const char *description)
{
    bytes_add_format(out,
                     "<svg viewBox=\"0 0 %d %zu\" role=\"img\" aria-labelledby=\"%s-t "
                     "%s-d\">\n<title id=\"%s-t\">%s</title>\n<desc id=\"%s-d\">%s"
                     "</desc>\n",
                     CHART_WIDTH, height, id, id, id, title, id, description);
}

void chart_end(struct bytes *out)
{
    bytes_add_text(out, "</svg>\n");
}

void chart_bar(struct bytes *out, const char *class, double x, double y, double width,
               double height)
{
    if (width >= 0.05 && height >= 0.05)
        bytes_add_format(out,
                         "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                         "height=\"%.1f\"/>",
                         class, x, y, width, height);
}

/* A label of an axis: 0.5, 12, 1.5k, 3M. */
static void add_figure(struct bytes *out, double value)
{
    static const char *const units[] = {"", "k", "M", "G", "T", "P", "E"};
    size_t unit = 0;

    for (; value >= 1000 && unit + 1 < COUNT(units); unit++)
        value /= 1000;
    bytes_add_format(out, "%.*f%s",
                     value < 1 && value > 0 ? 2 : value - (double)(int)value > 0.01,
                     value, units[unit]);
}

static double y_of(const struct plot *p, double value)
{
    return p->bottom - (p->bottom - p->top) * value / p->most;
}

static double x_of(const struct plot *p, int64_t time_us)
{
    return CHART_LEFT + (double)(CHART_RIGHT - CHART_LEFT) *
                            (double)(time_us - p->from_us) /
                            (double)(p->to_us - p->from_us);
}

/* Chooses the upper edge, and draws a line with its label for each step below it. */
static void draw_y_axis(struct plot *p, double most)
{
    double step = chart_step(most > 0 ? most : 1, Y_STEPS);
    int steps = 1;

    while (step * steps < most)
        steps++;
    p->most = step * steps;
    for (int i = 0; i <= steps; i++) {
        double value = step * i, y = y_of(p, value);
        bytes_add_format(p->out,
                         "<path class=\"%s\" d=\"M%d %.1fH%d\"/><text class=\"y\" "
                         "x=\"%d\" y=\"%.1f\">",
                         i > 0 ? "grid" : "base", CHART_LEFT, y, CHART_RIGHT,
                         CHART_LEFT - 8, y + 4);
        add_figure(p->out, value);
        bytes_add_text(p->out, "</text>\n");
    }
}

/* How much later than UTC the clocks show at that time. */
static int64_t zone_offset(int64_t seconds)
{
    time_t when = (time_t)seconds;
    struct tm local, utc;

    if (!localtime_r(&when, &local) || !gmtime_r(&when, &utc))
        return 0;
    int days = local.tm_yday - utc.tm_yday;
    if (local.tm_year != utc.tm_year)
        days = local.tm_year > utc.tm_year ? 1 : -1;
    return (int64_t)days * DAY_S + (local.tm_hour - utc.tm_hour) * 3600 +
           (local.tm_min - utc.tm_min) * 60;
}

static void add_time_label(struct bytes *out, int64_t seconds, int64_t step)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t when = (time_t)seconds;
    struct tm tm;

    if (!localtime_r(&when, &tm))
        return;
    if (step >= 90 * DAY_S)
        bytes_add_format(out, "%s %d", months[tm.tm_mon], tm.tm_year + 1900);
    else if (step >= DAY_S || (tm.tm_hour == 0 && tm.tm_min == 0 && tm.tm_sec == 0))
        bytes_add_format(out, "%d %s", tm.tm_mday, months[tm.tm_mon]);
    else if (step >= 60)
        bytes_add_format(out, "%02d:%02d", tm.tm_hour, tm.tm_min);
    else
        bytes_add_format(out, "%02d:%02d:%02d", tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void draw_time_axis(const struct plot *p)
{
    int64_t from = p->from_us / LOG_SECOND_US, to = p->to_us / LOG_SECOND_US;
    int64_t step = chart_time_step(to - from, X_STEPS);
    int64_t offset = zone_offset(from);
    int64_t at = ((from + offset + step - 1) / step) * step - offset;

    for (; at <= to; at += step) {
        double x = x_of(p, at * LOG_SECOND_US);
        if (x > CHART_RIGHT - 20)
            break;
        bytes_add_format(p->out,
                         "<path class=\"tick\" d=\"M%.1f %.1fv5\"/><text class=\"x\" "
                         "x=\"%.1f\" y=\"%.1f\">",
                         x, p->bottom, x, p->bottom + 19);
        add_time_label(p->out, at, step);
        bytes_add_text(p->out, "</text>\n");
    }
}

/* -- over time */

void log_bars_of(struct log_bars *bars, const struct log_series *series)
{
    size_t each = series->count ? (series->count + LOG_BARS - 1) / LOG_BARS : 1;

    *bars = (struct log_bars){.from_us = series->first * series->width_us,
                              .width_us = series->width_us * (int64_t)each};
    for (size_t i = 0; i < series->count; i++)
        log_bin_join(&bars->bars[i / each], &series->bins[i]);
    bars->count = (series->count + each - 1) / each;
}

static struct plot time_plot(struct bytes *out, const struct log_bars *bars, int height)
{
    return (struct plot){.out = out,
                         .top = CHART_TOP,
                         .bottom = height - CHART_BELOW,
                         .from_us = bars->from_us,
                         .to_us =
                             bars->from_us + bars->width_us * (int64_t)bars->count};
}

/* What counts are shown per: the shortest time in which the highest bar has at least
 * a few. */
struct unit {
    const char *name;
    double per_bar; /* times in a bar */
};

static struct unit unit_of(const struct log_bars *bars, uint64_t most)
{
    static const struct {
        const char *name;
        double seconds;
    } units[] = {{"second", 1}, {"minute", 60}, {"hour", 3600}, {"day", DAY_S}};
    double width_s = (double)bars->width_us / LOG_SECOND_US;
    size_t i = 0;

    while (i + 1 < COUNT(units) && (double)most * units[i].seconds / width_s < 5)
        i++;
    return (struct unit){units[i].name, width_s / units[i].seconds};
}

static uint64_t sum_of(const uint64_t results[LOG_RESULTS])
{
    return results[LOG_SUCCESS] + results[LOG_DEFERRAL] + results[LOG_FAILURE];
}

/* Where a bar stands, with a little room to the next. */
static double bar_place(const struct plot *p, const struct log_bars *bars, size_t i,
                        double *width)
{
    double each = (double)(CHART_RIGHT - CHART_LEFT) / (double)bars->count;
    double x = x_of(p, bars->from_us + bars->width_us * (int64_t)i);
    *width = each > 3 ? each - 1 : each;
    return x;
}

static void draw_unit(const struct plot *p, const char *what, const char *unit)
{
    bytes_add_format(p->out,
                     "<text class=\"unit\" x=\"%d\" y=\"%.1f\">%s a %s</text>\n",
                     CHART_LEFT + 6, p->top + 2, what, unit);
}

void chart_messages(struct bytes *out, const struct log_bars *bars)
{
    enum { HEIGHT = 180 };
    struct plot p = time_plot(out, bars, HEIGHT);
    uint64_t most = 0;

    for (size_t i = 0; i < bars->count; i++)
        if (bars->bars[i].messages > most)
            most = bars->bars[i].messages;
    struct unit unit = unit_of(bars, most);
    chart_begin(out, "messages", HEIGHT, "Messages accepted over time",
                "A bar for each span of time, as high as the number of messages that "
                "were accepted in it. The figures are in the table below.");
    draw_y_axis(&p, (double)most / unit.per_bar);
    for (size_t i = 0; i < bars->count; i++) {
        double width, x = bar_place(&p, bars, i, &width);
        double rate = (double)bars->bars[i].messages / unit.per_bar;
        double y = y_of(&p, rate);
        chart_bar(out, "accepted", x, y, width, p.bottom - y);
    }
    draw_time_axis(&p);
    draw_unit(&p, "messages", unit.name);
    chart_end(out);
}

void chart_deliveries(struct bytes *out, const struct log_bars *bars)
{
    enum { HEIGHT = 230 };
    struct plot p = time_plot(out, bars, HEIGHT);
    uint64_t most = 0;

    for (size_t i = 0; i < bars->count; i++)
        if (sum_of(bars->bars[i].results) > most)
            most = sum_of(bars->bars[i].results);
    struct unit unit = unit_of(bars, most);
    chart_begin(
        out, "deliveries", HEIGHT, "Deliveries over time by result",
        "A bar for each span of time, made of the deliveries that ended in it: "
        "success at the bottom, deferral in the middle, failure at the top. The "
        "figures are in the table below.");
    draw_y_axis(&p, (double)most / unit.per_bar);
    for (size_t i = 0; i < bars->count; i++) {
        double width, x = bar_place(&p, bars, i, &width);
        double below = 0;
        for (size_t r = 0; r < LOG_RESULTS; r++) {
            double rate = (double)bars->bars[i].results[r] / unit.per_bar;
            double y = y_of(&p, below + rate);
            chart_bar(out, log_result_names[r], x, y, width, y_of(&p, below) - y);
            below += rate;
        }
    }
    draw_time_axis(&p);
    draw_unit(&p, "deliveries", unit.name);
    chart_end(out);
}

/* The outline of bars, as steps: the peaks as an area, the means as a line. */
static void draw_steps(const struct plot *p, const struct log_bars *bars,
                       enum log_channel channel, bool means)
{
    bytes_add_format(p->out, "<path class=\"%s %s\" d=\"", log_channel_names[channel],
                     means ? "mean" : "peak");
    for (size_t i = 0; i < bars->count; i++) {
        const struct log_bin *bar = &bars->bars[i];
        double mean = bar->known_us > 0 ? bar->held_us[channel] / bar->known_us : 0;
        double y = y_of(p, means ? mean : (double)bar->peak[channel]);
        double x = x_of(p, bars->from_us + bars->width_us * (int64_t)i);
        double end = x_of(p, bars->from_us + bars->width_us * (int64_t)(i + 1));
        if (i == 0)
            bytes_add_format(p->out, "M%.1f %.1f", x, means ? y : p->bottom);
        bytes_add_format(p->out, "V%.1fH%.1f", y, end);
    }
    if (!means)
        bytes_add_format(p->out, "V%.1fZ", p->bottom);
    bytes_add_text(p->out, "\"/>\n");
}

void chart_running(struct bytes *out, const struct log_bars *bars)
{
    enum { HEIGHT = 230 };
    struct plot p = time_plot(out, bars, HEIGHT);
    uint64_t most = 1;

    for (size_t i = 0; i < bars->count; i++)
        for (size_t c = 0; c < LOG_CHANNELS; c++)
            if (bars->bars[i].peak[c] > most)
                most = bars->bars[i].peak[c];
    chart_begin(
        out, "running", HEIGHT, "Deliveries at a time",
        "For local and for remote deliveries, how many were under way at a time: "
        "an area up to the largest number in each span of time, and a line for "
        "the average. The figures are in the table below.");
    draw_y_axis(&p, (double)most);
    draw_steps(&p, bars, LOG_REMOTE, false);
    draw_steps(&p, bars, LOG_LOCAL, false);
    draw_steps(&p, bars, LOG_REMOTE, true);
    draw_steps(&p, bars, LOG_LOCAL, true);
    draw_time_axis(&p);
    chart_end(out);
}
