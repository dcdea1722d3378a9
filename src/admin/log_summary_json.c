#include "admin/log_report.h"
#include "base/heap.h"
#include "base/json.h"

static void open_object(struct bytes *out, const char *name)
{
    json_add_name(out, name);
    bytes_add_byte(out, '{');
}

static void close_object(struct bytes *out)
{
    bytes_add_byte(out, '}');
}

static void add_results(struct bytes *out, const uint64_t results[LOG_RESULTS])
{
    for (size_t i = 0; i < LOG_RESULTS; i++)
        json_add_number(out, log_result_names[i], results[i]);
}

static void add_input(struct bytes *out, const struct log_summary *s,
                      const struct log_lines *lines)
{
    open_object(out, "log");
    log_json_time(out, "first", s->first_us);
    log_json_time(out, "last", s->last_us);
    json_add_number(out, "bytes", lines->bytes);
    json_add_number(out, "lines", s->lines);
    json_add_number(out, "unknown", s->unknown);
    json_add_number(out, "unstamped", s->unstamped);
    json_add_number(out, "backward", s->backward);
    json_add_number(out, "cut", lines->cut);
    json_add_bool(out, "broken_end", lines->broken);
    json_add_number(out, "alerts", s->alerts);
    json_add_number(out, "warnings", s->warnings);
    json_add_number(out, "exits", s->exits);
    close_object(out);
}

static void add_per_hour(struct bytes *out, const struct log_summary *s)
{
    double per_hour = log_summary_per_hour(s);

    if (per_hour >= 0)
        log_json_ratio(out, "per_hour", per_hour);
    if (s->busiest_hour < 0)
        return;
    log_json_time(out, "busiest_hour", s->busiest_hour * 3600 * LOG_SECOND_US);
    json_add_number(out, "in_busiest_hour", s->busiest);
}

static void add_messages(struct bytes *out, const struct log_summary *s)
{
    open_object(out, "messages");
    json_add_number(out, "accepted", s->accepted);
    json_add_number(out, "bytes", s->bytes);
    json_add_number(out, "ended", s->ended);
    json_add_number(out, "unfinished", s->messages.used);
    json_add_number(out, "older", s->older);
    json_add_number(out, "replaced", s->replaced);
    json_add_number(out, "forgotten", s->forgotten);
    json_add_number(out, "bounces", s->bounces);
    json_add_number(out, "double_bounces", s->double_bounces);
    json_add_number(out, "triple_bounces", s->triple_bounces);
    json_add_number(out, "by_admin", s->deeds);
    add_per_hour(out, s);
    close_object(out);
}

static void add_channel(struct bytes *out, const struct log_summary *s,
                        enum log_channel channel)
{
    double mean = log_summary_mean(s, channel);

    open_object(out, log_channel_names[channel]);
    json_add_number(out, "started", s->started[channel]);
    add_results(out, s->results[channel]);
    json_add_number(out, "peak", s->peak[channel]);
    log_json_time(out, "peak_time", s->peak_us[channel]);
    if (mean >= 0)
        log_json_ratio(out, "mean", mean);
    close_object(out);
}

static void add_deliveries(struct bytes *out, const struct log_summary *s)
{
    open_object(out, "deliveries");
    json_add_number(out, "recipients", log_summary_done(s));
    for (size_t i = 0; i < LOG_RESULTS; i++)
        json_add_number(out, log_result_names[i],
                        log_summary_results(s, (enum log_result)i));
    json_add_number(out, "unfinished", s->deliveries.used);
    json_add_number(out, "lost", s->lost);
    add_channel(out, s, LOG_LOCAL);
    add_channel(out, s, LOG_REMOTE);
    open_object(out, "unknown");
    add_results(out, s->results[LOG_CHANNEL_UNKNOWN]);
    close_object(out);
    close_object(out);
}

static void add_delays(struct bytes *out, const struct log_summary *s)
{
    open_object(out, "delays");
    for (size_t i = 0; i < LOG_DELAYS; i++) {
        struct log_delay delay = log_delay_of(s, i);
        open_object(out, delay.name);
        json_add_number(out, "count", delay.histogram->count);
        log_json_span(out, "mean", log_histogram_mean(delay.histogram));
        for (size_t q = 0; q < LOG_QUANTILES; q++)
            log_json_span(out, log_quantile_names[q],
                          log_histogram_at(delay.histogram, log_quantiles[q]));
        close_object(out);
    }
    close_object(out);
}

static void add_entry(struct bytes *out, const struct log_table *table,
                      const struct log_top_entry *entry)
{
    json_add_comma(out);
    bytes_add_byte(out, '{');
    json_add_text(out, table->what, log_top_name(table->top, entry));
    for (size_t i = 0; i < table->count; i++) {
        const struct log_column *column = &table->columns[i];
        int64_t value = log_column_value(column, entry);
        if (column->kind == LOG_COLUMN_MEAN_SPAN)
            log_json_span(out, column->name, value);
        else
            json_add_number(out, column->name, (uint64_t)value);
    }
    json_add_number(out, "error", entry->error);
    close_object(out);
}

static void add_table(struct bytes *out, const struct log_table *table, size_t rows)
{
    const struct log_top_entry **sorted;
    size_t count = log_top_sorted(table->top, rows, &sorted);

    json_add_name(out, table->name);
    bytes_add_byte(out, '[');
    for (size_t i = 0; i < count; i++)
        add_entry(out, table, sorted[i]);
    bytes_add_byte(out, ']');
    heap_free(sorted);
}

static void add_bin(struct bytes *out, const struct log_bin *bin)
{
    json_add_comma(out);
    bytes_add_byte(out, '{');
    json_add_number(out, "messages", bin->messages);
    json_add_number(out, "bytes", bin->bytes);
    add_results(out, bin->results);
    for (size_t i = 0; i < LOG_CHANNELS; i++) {
        open_object(out, log_channel_names[i]);
        json_add_number(out, "peak", bin->peak[i]);
        if (bin->known_us > 0)
            log_json_ratio(out, "mean", bin->held_us[i] / bin->known_us);
        close_object(out);
    }
    close_object(out);
}

static void add_series(struct bytes *out, const struct log_series *series)
{
    open_object(out, "series");
    if (series->count > 0) {
        log_json_time(out, "from", series->first * series->width_us);
        log_json_span(out, "width", series->width_us);
    }
    json_add_name(out, "bins");
    bytes_add_byte(out, '[');
    for (size_t i = 0; i < series->count; i++)
        add_bin(out, &series->bins[i]);
    bytes_add_byte(out, ']');
    close_object(out);
}

void log_summary_json(const struct log_summary *s, const struct log_lines *lines,
                      size_t rows, struct bytes *out)
{
    bytes_add_byte(out, '{');
    add_input(out, s, lines);
    add_messages(out, s);
    add_deliveries(out, s);
    open_object(out, "smtp");
    json_add_number(out, "accepted", s->smtp_taken);
    json_add_number(out, "refused", s->smtp_refused);
    close_object(out);
    add_delays(out, s);
    for (size_t i = 0; i < LOG_TABLES; i++) {
        struct log_table table = log_table_of(s, i);
        add_table(out, &table, rows);
    }
    add_series(out, &s->series);
    bytes_add_text(out, "}\n");
}
