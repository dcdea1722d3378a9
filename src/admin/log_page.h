/* log_page - the parts that make qmail-log's page: markup and charts.
 *
 * The page is HTML and well-formed XML at a time, needs nothing from elsewhere and runs
 * nothing. Whatever comes from the log goes through markup_add(). */
#ifndef ADMIN_LOG_PAGE_H
#define ADMIN_LOG_PAGE_H

#include "admin/log_report.h"

/* -- markup: log_markup.c */

/* Appends v as text or the value of an attribute. What is not UTF-8, control bytes, and
 * characters that turn the direction of text become U+FFFD. */
void markup_add(struct bytes *out, struct view v);

/* The same, cut to so many characters, with an ellipsis where it was longer. */
void markup_add_short(struct bytes *out, struct view v, size_t max);

/* Appends a number with narrow spaces between the thousands. */
void markup_add_number(struct bytes *out, uint64_t n);

/* -- charts: log_chart.c, log_chart_delays.c, log_chart_rows.c */

enum {
    CHART_WIDTH = 960, /* in the units of an svg element, which the page scales */
    CHART_LEFT = 52,   /* of a plot: labels stand before it */
    CHART_RIGHT = 952,
    CHART_TOP = 12,
    CHART_BELOW = 26 /* labels of the axis */
};

void chart_begin(struct bytes *out, const char *id, size_t height, const char *title,
                 const char *description);
void chart_end(struct bytes *out);

/* A rectangle, unless it is too small to be seen. */
void chart_bar(struct bytes *out, const char *class, double x, double y, double width,
               double height);

/* What is drawn over time: bins joined until there are few enough. */
enum { LOG_BARS = 128 };

struct log_bars {
    int64_t from_us, width_us;
    size_t count;
    struct log_bin bars[LOG_BARS];
};

void log_bars_of(struct log_bars *bars, const struct log_series *series);

/* The charts, each an svg element with a title and a description. */
void chart_messages(struct bytes *out, const struct log_bars *bars);
void chart_deliveries(struct bytes *out, const struct log_bars *bars);
void chart_running(struct bytes *out, const struct log_bars *bars);
void chart_delays(struct bytes *out, const struct log_summary *s);

/* Bars for the first rows of a table: the reasons of one result, or all results of each
 * domain. */
void chart_reasons(struct bytes *out, const struct log_table *table, size_t rows,
                   enum log_result result);
void chart_domains(struct bytes *out, const struct log_table *table, size_t rows);

/* Steps of an axis: the smallest of 1, 2 and 5 times a power of ten of which at most
 * max_steps reach value, which is above 0. */
double chart_step(double value, int max_steps);

/* The step between labels of a time axis in seconds, at most max_steps over span_s. */
int64_t chart_time_step(int64_t span_s, int max_steps);

#endif
