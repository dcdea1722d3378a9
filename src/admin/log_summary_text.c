#include "admin/log_report.h"
#include "base/heap.h"

#include <inttypes.h>

enum { LABEL_WIDTH = 16, CELL_WIDTH = 13, TITLE_WIDTH = 26 };

/* Text, and spaces up to the width; or spaces, then text. */
static void add_left(struct bytes *out, const char *text, size_t width)
{
    bytes_add_format(out, "%-*s", (int)width, text);
}

static void add_right(struct bytes *out, struct view text, size_t width)
{
    for (size_t i = text.len; i < width; i++)
        bytes_add_byte(out, ' ');
    bytes_add(out, text);
}

static void add_count(struct bytes *out, uint64_t count, const char *what)
{
    bytes_add_number(out, count);
    bytes_add_text(out, what);
}

/* The same, where it is not nothing. */
static void add_some(struct bytes *out, uint64_t count, const char *what)
{
    if (count > 0) {
        bytes_add_text(out, ", ");
        add_count(out, count, what);
    }
}

static void next_line(struct bytes *out, const char *label)
{
    bytes_add_byte(out, '\n');
    add_left(out, label, LABEL_WIDTH);
}

static void add_input(struct bytes *out, const struct log_summary *s,
                      const struct log_lines *lines)
{
    add_left(out, "log", LABEL_WIDTH);
    if (s->first_us != LOG_NO_TIME) {
        log_add_second(out, s->first_us);
        bytes_add_text(out, " to ");
        log_add_second(out, s->last_us);
        bytes_add_text(out, ", ");
        log_add_span(out, s->last_us - s->first_us);
    } else
        bytes_add_text(out, "no line has a time");
    next_line(out, "");
    add_count(out, s->lines, " lines, ");
    add_count(out, lines->bytes, " bytes");
    add_some(out, s->unknown, " lines not understood");
    if (s->unstamped < s->lines)
        add_some(out, s->unstamped, " without a time");
    add_some(out, s->backward, " earlier than the one before");
    add_some(out, lines->cut, " too long");
    if (lines->broken)
        bytes_add_text(out, ", the last one incomplete");
    if (s->alerts || s->warnings || s->exits) {
        next_line(out, "");
        add_count(out, s->alerts, " alerts, ");
        add_count(out, s->warnings, " warnings, ");
        add_count(out, s->exits, " exits of qmail-send");
    }
}

static void add_messages(struct bytes *out, const struct log_summary *s)
{
    double per_hour = log_summary_per_hour(s);

    next_line(out, "messages");
    add_count(out, s->accepted, " accepted, ");
    add_count(out, s->ended, " ended, ");
    add_count(out, s->messages.used, " unfinished");
    add_some(out, s->older, " begun before the log");
    add_some(out, s->replaced, " whose end is not in the log");
    add_some(out, s->forgotten, " forgotten for lack of room");
    next_line(out, "");
    add_count(out, s->bytes, " bytes");
    if (per_hour >= 0)
        bytes_add_format(out, ", %.1f messages an hour", per_hour);
    if (s->busiest_hour >= 0) {
        bytes_add_format(out, ", most in the hour from ");
        log_add_second(out, s->busiest_hour * 3600 * LOG_SECOND_US);
        bytes_add_format(out, ": %" PRIu64, s->busiest);
    }
    next_line(out, "bounces");
    add_count(out, s->bounces, ", ");
    add_count(out, s->double_bounces, " double, ");
    add_count(out, s->triple_bounces, " triple");
    if (s->deeds) {
        next_line(out, "by the admin");
        add_count(out, s->deeds, " orders about messages");
    }
}

static void add_results(struct bytes *out, uint64_t taken, uint64_t failed,
                        uint64_t deferred)
{
    add_count(out, taken, " success, ");
    add_count(out, failed, " failure, ");
    add_count(out, deferred, " deferral");
}

static void add_channel(struct bytes *out, const struct log_summary *s,
                        enum log_channel i)
{
    double mean = log_summary_mean(s, i);

    next_line(out, log_channel_names[i]);
    add_count(out, s->started[i], " deliveries: ");
    add_results(out, s->results[i][LOG_SUCCESS], s->results[i][LOG_FAILURE],
                s->results[i][LOG_DEFERRAL]);
    next_line(out, "");
    bytes_add_format(out, "at a time: at most %" PRIu64, s->peak[i]);
    if (mean >= 0)
        bytes_add_format(out, ", %.3f on average", mean);
}

static void add_deliveries(struct bytes *out, const struct log_summary *s)
{
    const uint64_t *unknown = s->results[LOG_CHANNEL_UNKNOWN];

    next_line(out, "recipients");
    add_count(out, log_summary_done(s), " done with; all results: ");
    add_results(out, log_summary_results(s, LOG_SUCCESS),
                log_summary_results(s, LOG_FAILURE),
                log_summary_results(s, LOG_DEFERRAL));
    add_channel(out, s, LOG_LOCAL);
    add_channel(out, s, LOG_REMOTE);
    if (unknown[LOG_SUCCESS] + unknown[LOG_FAILURE] + unknown[LOG_DEFERRAL] > 0) {
        next_line(out, "begun before");
        add_results(out, unknown[LOG_SUCCESS], unknown[LOG_FAILURE],
                    unknown[LOG_DEFERRAL]);
    }
    if (s->deliveries.used + s->lost > 0) {
        next_line(out, "without result");
        add_count(out, s->deliveries.used, " under way at the end, ");
        add_count(out, s->lost, " cut off by a restart");
    }
    if (s->smtp_taken + s->smtp_refused > 0) {
        next_line(out, "smtp");
        add_count(out, s->smtp_taken, " messages accepted, ");
        add_count(out, s->smtp_refused, " commands refused");
    }
    bytes_add_byte(out, '\n');
}

static void add_span_cell(struct bytes *out, int64_t span_us)
{
    struct bytes text = {0};
    log_add_span(&text, span_us);
    add_right(out, bytes_view(&text), CELL_WIDTH);
    bytes_free(&text);
}

static void add_number_cell(struct bytes *out, uint64_t n)
{
    struct bytes text = {0};
    bytes_add_number(&text, n);
    add_right(out, bytes_view(&text), CELL_WIDTH);
    bytes_free(&text);
}

static void add_delays(struct bytes *out, const struct log_summary *s)
{
    bytes_add_byte(out, '\n');
    add_left(out, "Delays", TITLE_WIDTH);
    add_right(out, VIEW("count"), CELL_WIDTH);
    for (size_t q = 0; q < LOG_QUANTILES; q++)
        add_right(out, view_of(log_quantile_names[q]), CELL_WIDTH);
    bytes_add_byte(out, '\n');
    for (size_t i = 0; i < LOG_DELAYS; i++) {
        struct log_delay delay = log_delay_of(s, i);
        add_left(out, delay.title, TITLE_WIDTH);
        add_number_cell(out, delay.histogram->count);
        for (size_t q = 0; q < LOG_QUANTILES; q++)
            add_span_cell(out, log_histogram_at(delay.histogram, log_quantiles[q]));
        bytes_add_byte(out, '\n');
    }
}

static void add_entry(struct bytes *out, const struct log_table *table,
                      const struct log_top_entry *entry)
{
    for (size_t i = 0; i < table->count; i++) {
        int64_t value = log_column_value(&table->columns[i], entry);
        if (table->columns[i].kind == LOG_COLUMN_MEAN_SPAN)
            add_span_cell(out, value);
        else
            add_number_cell(out, (uint64_t)value);
    }
    bytes_add_text(out, "  ");
    log_add_safe(out, log_table_name(table, entry));
    if (entry->error)
        bytes_add_format(out, "  (up to %" PRIu64 " too many)", entry->error);
    bytes_add_byte(out, '\n');
}

static void add_table(struct bytes *out, const struct log_table *table, size_t rows)
{
    const struct log_top_entry **sorted;
    size_t count = log_top_sorted(table->top, rows, &sorted);

    if (count > 0) {
        bytes_add_byte(out, '\n');
        bytes_add_text(out, table->title);
        if (table->top->evicted)
            bytes_add_text(out, ", more than can be counted apart");
        else
            bytes_add_format(out, ", %zu of %" PRIu32, count, table->top->used);
        bytes_add_byte(out, '\n');
        for (size_t i = 0; i < table->count; i++)
            add_right(out, view_of(table->columns[i].head), CELL_WIDTH);
        bytes_add_text(out, "  ");
        bytes_add_text(out, table->what);
        bytes_add_byte(out, '\n');
    }
    for (size_t i = 0; i < count; i++)
        add_entry(out, table, sorted[i]);
    heap_free(sorted);
}

void log_summary_text(const struct log_summary *s, const struct log_lines *lines,
                      size_t rows, struct bytes *out)
{
    add_input(out, s, lines);
    add_messages(out, s);
    add_deliveries(out, s);
    add_delays(out, s);
    for (size_t i = 0; i < LOG_TABLES; i++) {
        struct log_table table = log_table_of(s, i);
        add_table(out, &table, rows);
    }
}
