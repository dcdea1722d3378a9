#include "admin/log_report.h"

const unsigned log_quantiles[LOG_QUANTILES] = {500, 900, 950, 990, 1000};
const char *const log_quantile_names[LOG_QUANTILES] = {"p50", "p90", "p95", "p99",
                                                       "max"};

#define PLAIN LOG_COLUMN_COUNT
#define MEAN LOG_COLUMN_MEAN_SPAN

static const struct log_column count_columns[] = {
    {"count", "count", PLAIN, LOG_FIGURE_COUNT, 0},
};
static const struct log_column domain_columns[] = {
    {"deliveries", "deliveries", PLAIN, LOG_FIGURE_COUNT, 0},
    {"success", "success", PLAIN, LOG_SITE_TAKEN, 0},
    {"deferral", "deferral", PLAIN, LOG_SITE_DEFERRED, 0},
    {"failure", "failure", PLAIN, LOG_SITE_FAILED, 0},
    {"delivery_seconds", "mean time", MEAN, LOG_SITE_TOOK_US, LOG_FIGURE_COUNT},
    {"message_seconds", "mean delay", MEAN, LOG_SITE_AGE_US, LOG_SITE_AGED},
};
static const struct log_column sender_columns[] = {
    {"messages", "messages", PLAIN, LOG_FIGURE_COUNT, 0},
    {"bytes", "bytes", PLAIN, LOG_SENT_BYTES, 0},
    {"recipients", "recipients", PLAIN, LOG_SENT_DONE, 0},
    {"failure", "failure", PLAIN, LOG_SENT_FAILED, 0},
    {"deferral", "deferral", PLAIN, LOG_SENT_DEFERRED, 0},
};

struct log_table log_table_of(const struct log_summary *s, size_t i)
{
#define COLUMNS(list) list, COUNT(list)
    const struct log_table tables[LOG_TABLES] = {
        {"failures", "Reasons of failures", "reason", &s->failures,
         COLUMNS(count_columns)},
        {"deferrals", "Reasons of deferrals", "reason", &s->deferrals,
         COLUMNS(count_columns)},
        {"domains", "Remote domains", "domain", &s->domains, COLUMNS(domain_columns)},
        {"senders", "Senders", "sender", &s->senders, COLUMNS(sender_columns)},
        {"refusals", "Replies that refused mail", "reply", &s->refusals,
         COLUMNS(count_columns)},
        {"clients", "Clients that were refused", "address", &s->clients,
         COLUMNS(count_columns)},
    };
#undef COLUMNS
    return tables[i];
}

static uint64_t figure(const struct log_top_entry *entry, int which)
{
    return which == LOG_FIGURE_COUNT ? entry->count - entry->error
                                     : entry->figures[which];
}

int64_t log_column_value(const struct log_column *column,
                         const struct log_top_entry *entry)
{
    if (column->kind == MEAN) {
        uint64_t over = figure(entry, column->over);
        return over ? (int64_t)(figure(entry, column->figure) / over) : LOG_NO_TIME;
    }
    if (column->figure == LOG_FIGURE_COUNT)
        return (int64_t)entry->count;
    return (int64_t)entry->figures[column->figure];
}

struct view log_table_name(const struct log_table *table,
                           const struct log_top_entry *entry)
{
    struct view name = log_top_name(table->top, entry);
    return name.len ? name : VIEW("<>");
}

struct log_delay log_delay_of(const struct log_summary *s, size_t i)
{
    const struct log_delay delays[LOG_DELAYS] = {
        {"delivery_local", "local delivery", &s->attempt[LOG_LOCAL]},
        {"delivery_remote", "remote delivery", &s->attempt[LOG_REMOTE]},
        {"message_delivered", "message until delivered", &s->age},
        {"message_ended", "message until its end", &s->life},
    };
    return delays[i];
}
