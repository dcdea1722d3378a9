#include "admin/log_page.h"
#include "base/heap.h"

#include <inttypes.h>
#include <time.h>

static const char style[] =
    ":root{color-scheme:light dark;--page:#f6f6f3;--card:#fff;--ink:#1c2126;"
    "--soft:#5a646e;--line:#e2e4e6;--success:#2c6fbb;--deferral:#dd9a16;"
    "--failure:#c13a30;--accepted:#4d5a68;--local:#14868a;--remote:#7a55b5}\n"
    "@media (prefers-color-scheme:dark){:root{--page:#14171a;--card:#1d2125;"
    "--ink:#e8eaec;--soft:#a0a9b2;--line:#30363c;--success:#68a9ee;"
    "--deferral:#f0b850;--failure:#f07b70;--accepted:#a9b4c0;--local:#4cc0c0;"
    "--remote:#b08ff0}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--page);color:var(--ink);"
    "font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}\n"
    "main,header,footer{max-width:1080px;margin:0 auto;padding:0 24px}\n"
    "header{padding-top:40px}\n"
    "h1{font-size:30px;line-height:1.2;margin:0 0 6px;letter-spacing:-.01em}\n"
    "h2{font-size:19px;line-height:1.3;margin:0 0 4px}\n"
    "p{margin:0 0 4px;color:var(--soft)}\n"
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));"
    "gap:12px;margin:24px 0;padding:0;list-style:none}\n"
    ".tiles li,section{background:var(--card);border:1px solid var(--line);"
    "border-radius:10px}\n"
    ".tiles li{padding:14px 16px;color:var(--soft);font-size:14px;"
    "border-top:3px solid var(--c,var(--line))}\n"
    ".tiles b{display:block;font-size:24px;line-height:1.25;font-weight:650;"
    "color:var(--ink);font-variant-numeric:tabular-nums}\n"
    "section{padding:22px 24px;margin:0 0 20px}\n"
    "svg{display:block;width:100%;min-width:640px;height:auto;margin:14px 0 6px;"
    "font:12px system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}\n"
    ".scroll{overflow-x:auto}\n"
    "svg text{fill:var(--soft)}\n"
    "svg .x{text-anchor:middle}svg .y,svg .right,svg .q{text-anchor:end}\n"
    "svg .name{fill:var(--ink);font-size:13px}svg "
    ".row{fill:var(--ink);font-weight:600}\n"
    "svg .total,svg .q{font-variant-numeric:tabular-nums}\n"
    "svg .unit{paint-order:stroke;stroke:var(--card);stroke-width:4px}\n"
    "svg .q{fill:var(--ink);paint-order:stroke;stroke:var(--card);stroke-width:3px}\n"
    ".grid,.tick,.base,.mark{fill:none;stroke:var(--line)}\n"
    ".base,.tick{stroke:var(--soft);stroke-opacity:.6}\n"
    ".mark{stroke:var(--ink);stroke-dasharray:2 3}\n"
    ".accepted{fill:var(--accepted)}.success{fill:var(--success)}\n"
    ".deferral{fill:var(--deferral)}.failure{fill:var(--failure)}\n"
    ".local{fill:var(--local)}.remote{fill:var(--remote)}\n"
    ".peak{fill-opacity:.22}\n"
    ".mean{fill:none;stroke-width:1.6px}\n"
    ".mean.local{stroke:var(--local);fill:none}"
    ".mean.remote{stroke:var(--remote);fill:none}\n"
    ".key{display:flex;flex-wrap:wrap;gap:4px 18px;margin:6px 0 0;padding:0;"
    "list-style:none;font-size:14px;color:var(--soft)}\n"
    ".key li::before{content:'';display:inline-block;width:11px;height:11px;"
    "border-radius:3px;margin-right:7px;background:var(--c)}\n"
    ".c-success{--c:var(--success)}.c-deferral{--c:var(--deferral)}"
    ".c-failure{--c:var(--failure)}.c-local{--c:var(--local)}"
    ".c-remote{--c:var(--remote)}.c-accepted{--c:var(--accepted)}\n"
    "details{margin-top:10px}summary{cursor:pointer;color:var(--soft);font-size:14px}\n"
    "table{border-collapse:collapse;width:100%;font-size:14px;margin-top:10px;"
    "font-variant-numeric:tabular-nums}\n"
    "caption{text-align:left;color:var(--soft);padding-bottom:6px}\n"
    "th,td{text-align:right;padding:5px 0 5px 16px;border-top:1px solid var(--line);"
    "white-space:nowrap;font-weight:400}\n"
    "thead th{color:var(--soft);border-top:0}\n"
    "th:first-child,td:first-child{text-align:left;padding-left:0}\n"
    "td.long,th.long{white-space:normal;overflow-wrap:anywhere;text-align:left}\n"
    "footer{padding-bottom:40px;font-size:14px}\n";

/* -- pieces */

static void add_cell(struct bytes *out, uint64_t n)
{
    bytes_add_text(out, "<td>");
    markup_add_number(out, n);
    bytes_add_text(out, "</td>");
}

static void add_span_cell(struct bytes *out, int64_t span_us)
{
    bytes_add_text(out, "<td>");
    log_add_span(out, span_us);
    bytes_add_text(out, "</td>");
}

static void add_head(struct bytes *out, const char *text)
{
    bytes_add_format(out, "<th scope=\"col\">%s</th>", text);
}

static void begin_table(struct bytes *out, const char *caption)
{
    bytes_add_format(out,
                     "<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
                     "aria-label=\"%s\"><table><caption>%s</caption>\n<thead><tr>",
                     caption, caption);
}

static void begin_rows(struct bytes *out)
{
    bytes_add_text(out, "</tr></thead>\n<tbody>\n");
}

static void end_table(struct bytes *out)
{
    bytes_add_text(out, "</tbody></table></div>\n");
}

static void begin_section(struct bytes *out, const char *id, const char *title,
                          const char *what)
{
    bytes_add_format(out,
                     "<section aria-labelledby=\"%s-h\">\n<h2 id=\"%s-h\">%s</h2>\n"
                     "<p>%s</p>\n",
                     id, id, title, what);
}

static void end_section(struct bytes *out)
{
    bytes_add_text(out, "</section>\n");
}

static void begin_details(struct bytes *out)
{
    bytes_add_text(out, "<details><summary>The figures</summary>\n");
}

static void end_details(struct bytes *out)
{
    bytes_add_text(out, "</details>\n");
}

static void begin_drawing(struct bytes *out)
{
    bytes_add_text(out, "<div class=\"scroll\">\n");
}

static void end_drawing(struct bytes *out)
{
    bytes_add_text(out, "</div>\n");
}

static void add_key(struct bytes *out, const char *const *names, size_t count)
{
    bytes_add_text(out, "<ul class=\"key\">");
    for (size_t i = 0; i < count; i++)
        bytes_add_format(out, "<li class=\"c-%s\">%s</li>", names[i], names[i]);
    bytes_add_text(out, "</ul>\n");
}

/* -- the head of the page */

static void add_tile(struct bytes *out, const char *class, uint64_t n, const char *what)
{
    bytes_add_format(out, "<li class=\"c-%s\"><b>", class);
    markup_add_number(out, n);
    bytes_add_format(out, "</b>%s</li>\n", what);
}

static void add_span_tile(struct bytes *out, int64_t span_us, const char *what)
{
    bytes_add_text(out, "<li><b>");
    log_add_span(out, span_us);
    bytes_add_format(out, "</b>%s</li>\n", what);
}

static void add_tiles(struct bytes *out, const struct log_summary *s)
{
    bytes_add_text(out, "<ul class=\"tiles\">\n");
    add_tile(out, "accepted", s->accepted, "messages accepted");
    add_tile(out, "success", log_summary_results(s, LOG_SUCCESS),
             "recipients delivered");
    add_tile(out, "deferral", log_summary_results(s, LOG_DEFERRAL), "deferrals");
    add_tile(out, "failure", log_summary_results(s, LOG_FAILURE), "recipients failed");
    add_tile(out, "none", s->bounces + s->double_bounces, "bounces sent");
    add_tile(out, "none", s->messages.used, "messages unfinished at the end");
    add_span_tile(out, log_histogram_at(&s->age, log_quantiles[LOG_P50]),
                  "median until delivered");
    add_span_tile(out, log_histogram_at(&s->age, log_quantiles[LOG_P95]),
                  "95 % delivered within");
    bytes_add_text(out, "</ul>\n");
}

static void add_zone(struct bytes *out, int64_t time_us)
{
    time_t when = (time_t)(time_us / LOG_SECOND_US);
    struct tm tm;
    char name[64];

    if (localtime_r(&when, &tm) && strftime(name, sizeof name, "%Z", &tm) > 0) {
        bytes_add_byte(out, ' ');
        markup_add(out, view_of(name));
    }
}

static void add_header(struct bytes *out, const struct log_summary *s)
{
    bytes_add_text(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
                        "<meta charset=\"utf-8\"/>\n"
                        "<meta name=\"viewport\" content=\"width=device-width\"/>\n"
                        "<meta http-equiv=\"Content-Security-Policy\" "
                        "content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n"
                        "<title>Mail log");
    if (s->first_us != LOG_NO_TIME) {
        bytes_add_text(out, ", ");
        log_add_second(out, s->first_us);
        bytes_add_text(out, " to ");
        log_add_second(out, s->last_us);
    }
    bytes_add_text(out, "</title>\n<style>\n");
    bytes_add_text(out, style);
    bytes_add_text(out, "</style>\n</head>\n<body>\n<header>\n<h1>Mail log</h1>\n<p>");
    if (s->first_us != LOG_NO_TIME) {
        log_add_second(out, s->first_us);
        bytes_add_text(out, " to ");
        log_add_second(out, s->last_us);
        add_zone(out, s->last_us);
        bytes_add_text(out, ", ");
        log_add_span(out, s->last_us - s->first_us);
    } else
        bytes_add_text(out, "No line of this log has a time");
    bytes_add_text(out, "</p>\n</header>\n<main>\n");
}

/* -- sections */

static void add_bar_time(struct bytes *out, const struct log_bars *bars, size_t i)
{
    bytes_add_text(out, "<tr><th scope=\"row\">");
    log_add_second(out, bars->from_us + bars->width_us * (int64_t)i);
    bytes_add_text(out, "</th>");
}

static void add_flow_table(struct bytes *out, const struct log_bars *bars)
{
    begin_details(out);
    begin_table(out, "Messages and results in each span of time");
    add_head(out, "from");
    add_head(out, "messages");
    add_head(out, "bytes");
    for (size_t r = 0; r < LOG_RESULTS; r++)
        add_head(out, log_result_names[r]);
    begin_rows(out);
    for (size_t i = 0; i < bars->count; i++) {
        add_bar_time(out, bars, i);
        add_cell(out, bars->bars[i].messages);
        add_cell(out, bars->bars[i].bytes);
        for (size_t r = 0; r < LOG_RESULTS; r++)
            add_cell(out, bars->bars[i].results[r]);
        bytes_add_text(out, "</tr>\n");
    }
    end_table(out);
    end_details(out);
}

static void add_running_table(struct bytes *out, const struct log_bars *bars)
{
    begin_details(out);
    begin_table(out, "Deliveries at a time in each span of time");
    add_head(out, "from");
    for (size_t c = 0; c < LOG_CHANNELS; c++) {
        bytes_add_format(out, "<th scope=\"col\">%s, most</th>", log_channel_names[c]);
        bytes_add_format(out, "<th scope=\"col\">%s, mean</th>", log_channel_names[c]);
    }
    begin_rows(out);
    for (size_t i = 0; i < bars->count; i++) {
        const struct log_bin *bar = &bars->bars[i];
        add_bar_time(out, bars, i);
        for (size_t c = 0; c < LOG_CHANNELS; c++) {
            add_cell(out, bar->peak[c]);
            if (bar->known_us > 0)
                bytes_add_format(out, "<td>%.2f</td>", bar->held_us[c] / bar->known_us);
            else
                bytes_add_text(out, "<td>-</td>");
        }
        bytes_add_text(out, "</tr>\n");
    }
    end_table(out);
    end_details(out);
}

static void add_times(struct bytes *out, const struct log_summary *s)
{
    struct log_bars bars;

    if (s->series.count == 0)
        return;
    log_bars_of(&bars, &s->series);
    begin_section(out, "flow", "Messages and deliveries over time",
                  "Above, messages accepted; below, deliveries that ended, by result.");
    add_key(out, log_result_names, LOG_RESULTS);
    begin_drawing(out);
    chart_messages(out, &bars);
    chart_deliveries(out, &bars);
    end_drawing(out);
    add_flow_table(out, &bars);
    end_section(out);

    begin_section(
        out, "running", "Deliveries at a time",
        "How many deliveries were under way: the most as an area, the mean as "
        "a line.");
    add_key(out, log_channel_names, LOG_CHANNELS);
    begin_drawing(out);
    chart_running(out, &bars);
    end_drawing(out);
    add_running_table(out, &bars);
    end_section(out);
}

static void add_delays(struct bytes *out, const struct log_summary *s)
{
    begin_section(out, "delays", "Delays",
                  "How long deliveries took, and how old messages were; the scale of "
                  "time is logarithmic. Figures are exact to 1.6 %.");
    begin_drawing(out);
    chart_delays(out, s);
    end_drawing(out);
    begin_table(out, "Delays: so many of all took at most");
    add_head(out, "delay");
    add_head(out, "count");
    add_head(out, "mean");
    for (size_t q = 0; q < LOG_QUANTILES; q++)
        add_head(out, log_quantile_names[q]);
    begin_rows(out);
    for (size_t i = 0; i < LOG_DELAYS; i++) {
        struct log_delay delay = log_delay_of(s, i);
        bytes_add_format(out, "<tr><th scope=\"row\">%s</th>", delay.title);
        add_cell(out, delay.histogram->count);
        add_span_cell(out, log_histogram_mean(delay.histogram));
        for (size_t q = 0; q < LOG_QUANTILES; q++)
            add_span_cell(out, log_histogram_at(delay.histogram, log_quantiles[q]));
        bytes_add_text(out, "</tr>\n");
    }
    end_table(out);
    end_section(out);
}

static void add_entry(struct bytes *out, const struct log_table *table,
                      const struct log_top_entry *entry)
{
    bytes_add_text(out, "<tr><th scope=\"row\" class=\"long\">");
    markup_add(out, log_table_name(table, entry));
    bytes_add_text(out, "</th>");
    for (size_t i = 0; i < table->count; i++) {
        int64_t value = log_column_value(&table->columns[i], entry);
        if (table->columns[i].kind == LOG_COLUMN_MEAN_SPAN)
            add_span_cell(out, value);
        else
            add_cell(out, (uint64_t)value);
    }
    if (table->top->evicted)
        add_cell(out, entry->error);
    bytes_add_text(out, "</tr>\n");
}

static void add_rows(struct bytes *out, const struct log_table *table, size_t rows)
{
    const struct log_top_entry **sorted;
    size_t count = log_top_sorted(table->top, rows, &sorted);

    begin_table(out, table->title);
    add_head(out, table->what);
    for (size_t i = 0; i < table->count; i++)
        add_head(out, table->columns[i].head);
    if (table->top->evicted)
        add_head(out, "at most too many");
    begin_rows(out);
    for (size_t i = 0; i < count; i++)
        add_entry(out, table, sorted[i]);
    end_table(out);
    heap_free(sorted);
}

/* What there is to say of a table's length. */
static void add_table_section(struct bytes *out, const struct log_table *table,
                              size_t rows)
{
    struct bytes what = {0};
    size_t shown = table->top->used < rows ? table->top->used : rows;

    if (table->top->evicted)
        bytes_add_text(&what, "The most frequent; there are more than can be counted "
                              "apart, so a count may be somewhat too high.");
    else
        bytes_add_format(&what, "The most frequent: %zu of %" PRIu32 ".", shown,
                         table->top->used);
    begin_section(out, table->name, table->title, bytes_cstring(&what));
    bytes_free(&what);
}

static void add_table(struct bytes *out, const struct log_summary *s, size_t i,
                      size_t rows)
{
    struct log_table table = log_table_of(s, i);

    if (table.top->used == 0 || rows == 0)
        return;
    add_table_section(out, &table, rows);
    if (i == LOG_TABLE_DOMAINS)
        add_key(out, log_result_names, LOG_RESULTS);
    if (i <= LOG_TABLE_DOMAINS) {
        begin_drawing(out);
        if (i == LOG_TABLE_DOMAINS)
            chart_domains(out, &table, rows);
        else
            chart_reasons(out, &table, rows,
                          i == LOG_TABLE_FAILURES ? LOG_FAILURE : LOG_DEFERRAL);
        end_drawing(out);
        begin_details(out);
        add_rows(out, &table, rows);
        end_details(out);
    } else
        add_rows(out, &table, rows);
    end_section(out);
}

/* All figures of the summary's head that are in no chart. */
static void add_counts(struct bytes *out, const struct log_summary *s,
                       const struct log_lines *lines)
{
    const struct {
        const char *name;
        uint64_t n;
    } counts[] = {
        {"messages accepted", s->accepted},
        {"bytes of them", s->bytes},
        {"messages ended", s->ended},
        {"messages unfinished at the end", s->messages.used},
        {"messages begun before the log", s->older},
        {"messages whose end is not in the log", s->replaced},
        {"messages forgotten for lack of room", s->forgotten},
        {"bounces", s->bounces},
        {"double bounces", s->double_bounces},
        {"triple bounces", s->triple_bounces},
        {"messages in the busiest hour", s->busiest},
        {"recipients done with", log_summary_done(s)},
        {"local deliveries", s->started[LOG_LOCAL]},
        {"remote deliveries", s->started[LOG_REMOTE]},
        {"most local deliveries at a time", s->peak[LOG_LOCAL]},
        {"most remote deliveries at a time", s->peak[LOG_REMOTE]},
        {"deliveries cut off by a restart", s->lost},
        {"orders of the admin", s->deeds},
        {"messages accepted by SMTP", s->smtp_taken},
        {"commands refused by SMTP", s->smtp_refused},
        {"alerts", s->alerts},
        {"warnings", s->warnings},
        {"exits of qmail-send", s->exits},
        {"lines", s->lines},
        {"lines not understood", s->unknown},
        {"lines without a time", s->unstamped},
        {"lines earlier than the one before", s->backward},
        {"lines too long", lines->cut},
    };

    begin_section(out, "counts", "All counts", "Of the whole log.");
    begin_details(out);
    begin_table(out, "All counts");
    add_head(out, "what");
    add_head(out, "count");
    begin_rows(out);
    for (size_t i = 0; i < COUNT(counts); i++) {
        bytes_add_format(out, "<tr><th scope=\"row\">%s</th>", counts[i].name);
        add_cell(out, counts[i].n);
        bytes_add_text(out, "</tr>\n");
    }
    end_table(out);
    end_details(out);
    end_section(out);
}

void log_page(const struct log_summary *s, const struct log_lines *lines, size_t rows,
              struct bytes *out)
{
    add_header(out, s);
    add_tiles(out, s);
    add_times(out, s);
    add_delays(out, s);
    for (size_t i = 0; i < LOG_TABLES; i++)
        add_table(out, s, i, rows);
    add_counts(out, s, lines);
    bytes_add_text(out, "</main>\n<footer><p>");
    markup_add_number(out, s->lines);
    bytes_add_text(out, " lines, ");
    markup_add_number(out, lines->bytes);
    bytes_add_text(out, " bytes");
    if (lines->broken)
        bytes_add_text(out, "; the last line is incomplete");
    bytes_add_text(out, ". Made by qmail-log.</p></footer>\n</body>\n</html>\n");
}
