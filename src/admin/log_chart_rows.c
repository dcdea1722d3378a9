#include "admin/log_page.h"
#include "base/heap.h"

enum {
    REASON_ROW = 36,
    REASON_BAR = 860, /* the longest bar; its figure stands behind it */
    REASON_LETTERS = 130,
    DOMAIN_ROW = 26,
    DOMAIN_BARS = 250, /* where they begin: names stand before */
    DOMAIN_BAR = 620,
    DOMAIN_LETTERS = 32
};

static void add_total(struct bytes *out, double x, double y, uint64_t n)
{
    bytes_add_format(out, "<text class=\"total\" x=\"%.1f\" y=\"%.1f\">", x, y);
    markup_add_number(out, n);
    bytes_add_text(out, "</text>\n");
}

void chart_reasons(struct bytes *out, const struct log_table *table, size_t rows,
                   enum log_result result)
{
    const struct log_top_entry **sorted;
    size_t count = log_top_sorted(table->top, rows, &sorted);

    chart_begin(out, table->name, count * REASON_ROW + 4, table->title,
                "A bar for each reason, the most frequent first, as long as it is "
                "frequent. The "
                "figures are in the table below.");
    for (size_t i = 0; i < count; i++) {
        double y = (double)(i * REASON_ROW);
        double width = REASON_BAR * (double)sorted[i]->count / (double)sorted[0]->count;
        bytes_add_format(out, "<text class=\"name\" x=\"0\" y=\"%.1f\">", y + 14);
        markup_add_short(out, log_table_name(table, sorted[i]), REASON_LETTERS);
        bytes_add_text(out, "</text>");
        chart_bar(out, log_result_names[result], 0, y + 20, width, 9);
        add_total(out, width + 8, y + 29, sorted[i]->count);
    }
    chart_end(out);
    heap_free(sorted);
}

static void add_domain(struct bytes *out, const struct log_table *table,
                       const struct log_top_entry *entry, double y, double each)
{
    static const int figures[LOG_RESULTS] = {LOG_SITE_TAKEN, LOG_SITE_DEFERRED,
                                             LOG_SITE_FAILED};
    double x = DOMAIN_BARS;

    bytes_add_format(out, "<text class=\"name right\" x=\"%d\" y=\"%.1f\">",
                     DOMAIN_BARS - 10, y + 16);
    markup_add_short(out, log_table_name(table, entry), DOMAIN_LETTERS);
    bytes_add_text(out, "</text>");
    for (size_t r = 0; r < LOG_RESULTS; r++) {
        double width = each * (double)entry->figures[figures[r]];
        chart_bar(out, log_result_names[r], x, y + 4, width, 16);
        x += width;
    }
    add_total(out, x + 8, y + 16, entry->count);
}

void chart_domains(struct bytes *out, const struct log_table *table, size_t rows)
{
    const struct log_top_entry **sorted;
    size_t count = log_top_sorted(table->top, rows, &sorted);

    chart_begin(
        out, table->name, count * DOMAIN_ROW + 4, table->title,
        "A bar for each domain, the one with the most deliveries first, made of "
        "success, deferral and failure. The figures are in the table below.");
    for (size_t i = 0; i < count; i++)
        add_domain(out, table, sorted[i], (double)(i * DOMAIN_ROW),
                   DOMAIN_BAR / (double)sorted[0]->count);
    chart_end(out);
    heap_free(sorted);
}
