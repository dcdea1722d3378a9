/* log_report - the answers of qmail-log: a summary of all, or what happened to some.
 *
 * Both read one event after the other and keep a bounded state; how much, and what is
 * given up when it is full, stands here and in qmail-log(8). */
#ifndef ADMIN_LOG_REPORT_H
#define ADMIN_LOG_REPORT_H

#include "admin/log_count.h"
#include "base/writer.h"

/* -- the summary: log_summary.c */

enum {
    LOG_MAX_MESSAGES = 1 << 20,   /* in the queue at a time */
    LOG_MAX_DELIVERIES = 1 << 17, /* under way at a time */
    LOG_NAMES = 4096,             /* senders, domains, clients that are counted apart */
    LOG_REASONS = 2048,
    LOG_MAX_NAME = 256,
    LOG_MAX_CLIENT = 64
};

/* The figures of a sender's entry; its count is messages. */
enum { LOG_SENT_BYTES, LOG_SENT_DONE, LOG_SENT_FAILED, LOG_SENT_DEFERRED };

/* The figures of a domain's entry; its count is deliveries begun. */
enum {
    LOG_SITE_TAKEN,
    LOG_SITE_DEFERRED,
    LOG_SITE_FAILED,
    LOG_SITE_TOOK_US,
    LOG_SITE_AGE_US, /* of messages when they were delivered */
    LOG_SITE_AGED    /* how many of them */
};

/* Channels of deliveries whose beginning was not seen, too. */
enum { LOG_CHANNEL_UNKNOWN = LOG_CHANNELS, LOG_ALL_CHANNELS };

struct log_summary {
    /* the input */
    uint64_t lines, unknown, unstamped, backward;
    int64_t first_us, last_us, line_us; /* of all lines; of the last one */

    /* messages */
    uint64_t accepted, bytes, ended;
    uint64_t older;     /* seen without their beginning */
    uint64_t replaced;  /* whose number came again before they had ended */
    uint64_t forgotten; /* given up for lack of room */
    uint64_t bounces, double_bounces, triple_bounces;
    uint64_t deeds;
    int64_t hour; /* since 1970, of the last message */
    uint64_t in_hour, busiest;
    int64_t busiest_hour;

    /* deliveries */
    uint64_t started[LOG_CHANNELS];
    uint64_t results[LOG_ALL_CHANNELS][LOG_RESULTS];
    uint64_t lost; /* cut off by a restart, or forgotten */
    uint64_t running[LOG_CHANNELS], peak[LOG_CHANNELS];
    int64_t peak_us[LOG_CHANNELS];
    bool running_known;
    int64_t since_us; /* when running was said, if it was */
    double held_us[LOG_CHANNELS], known_us;

    /* the rest */
    uint64_t alerts, warnings, exits;
    uint64_t smtp_taken, smtp_refused;

    struct log_histogram attempt[LOG_CHANNELS]; /* from the beginning to the result */
    struct log_histogram age;                   /* from birth to success */
    struct log_histogram life;                  /* from birth to the end */
    struct log_series series;
    struct log_top senders, domains, refusals, clients;
    struct log_top deferrals, failures; /* reasons */
    struct log_pool messages, deliveries;
    struct bytes reason;
};

void log_summary_open(struct log_summary *s);
void log_summary_free(struct log_summary *s);

/* One line; event may be LOG_UNKNOWN. */
void log_summary_add(struct log_summary *s, const struct log_event *event,
                     int64_t time_us);

/* No more lines. */
void log_summary_end(struct log_summary *s);

/* Recipients that are done with, and results of all channels. */
uint64_t log_summary_results(const struct log_summary *s, enum log_result result);
uint64_t log_summary_done(const struct log_summary *s);

/* Messages for each hour of the log, or -1 where that is not known. */
double log_summary_per_hour(const struct log_summary *s);

/* Mean of deliveries under way at a time, or -1. */
double log_summary_mean(const struct log_summary *s, enum log_channel channel);

/* -- what all forms of the summary show: log_tables.c */

enum log_column_kind { LOG_COLUMN_COUNT, LOG_COLUMN_MEAN_SPAN };

/* A figure of an entry; of a mean, divided by another one. */
struct log_column {
    const char *name, *head; /* in JSON; as a head line */
    enum log_column_kind kind;
    int figure, over; /* LOG_FIGURE_COUNT: the entry's count */
};

enum { LOG_FIGURE_COUNT = -1, LOG_MAX_COLUMNS = 8, LOG_TABLES = 6, LOG_DELAYS = 4 };

struct log_table {
    const char *name, *title, *what; /* in JSON; a title; what the names are */
    const struct log_top *top;
    const struct log_column *columns;
    size_t count;
};

/* Table number i of LOG_TABLES. */
struct log_table log_table_of(const struct log_summary *s, size_t i);

enum { LOG_TABLE_FAILURES, LOG_TABLE_DEFERRALS, LOG_TABLE_DOMAINS, LOG_TABLE_SENDERS };

/* An entry's value in a column: a number, or a span, which may be LOG_NO_TIME. */
int64_t log_column_value(const struct log_column *column,
                         const struct log_top_entry *entry);

/* An entry's name as it is to be shown: the null sender has one too. */
struct view log_table_name(const struct log_table *table,
                           const struct log_top_entry *entry);

struct log_delay {
    const char *name, *title;
    const struct log_histogram *histogram;
};

/* Delay number i of LOG_DELAYS. */
struct log_delay log_delay_of(const struct log_summary *s, size_t i);

enum { LOG_DELAY_LOCAL, LOG_DELAY_REMOTE, LOG_DELAY_AGE, LOG_DELAY_LIFE };

enum { LOG_P50, LOG_P90, LOG_P95, LOG_P99, LOG_MOST, LOG_QUANTILES };

/* Of 1000 values so many; the last one is all, so the largest. */
extern const unsigned log_quantiles[LOG_QUANTILES];
extern const char *const log_quantile_names[LOG_QUANTILES];

/* -- the forms; rows: of each table at most */

void log_summary_text(const struct log_summary *s, const struct log_lines *lines,
                      size_t rows, struct bytes *out);
void log_summary_json(const struct log_summary *s, const struct log_lines *lines,
                      size_t rows, struct bytes *out);
void log_page(const struct log_summary *s, const struct log_lines *lines, size_t rows,
              struct bytes *out);

/* -- history: log_history.c, log_history_print.c */

enum {
    LOG_MAX_PATTERNS = 64,
    LOG_MAX_LIVES = 1 << 18,     /* messages in the queue that may be asked for */
    LOG_HISTORY_ROOM = 128 << 20 /* bytes of steps and names that are kept */
};

/* What is asked for: of each kind that is given, one must match. */
struct log_selection {
    struct view senders[LOG_MAX_PATTERNS], recipients[LOG_MAX_PATTERNS];
    uint64_t messages[LOG_MAX_PATTERNS], qps[LOG_MAX_PATTERNS];
    size_t sender_count, recipient_count, message_count, qp_count;
};

enum log_step_kind {
    LOG_STEP_DELIVERY, /* address, text, result */
    LOG_STEP_BOUNCE,   /* qp */
    LOG_STEP_TRIPLE,
    LOG_STEP_DEED /* word, text */
};

struct log_step {
    enum log_step_kind kind;
    enum log_channel channel;
    int result; /* enum log_result, or one of those below */
    int64_t time_us, end_us;
    uint64_t number;                             /* of the delivery; qp of a bounce */
    size_t address, address_len, text, text_len; /* in texts */
    const char *word;
};

enum { LOG_UNDER_WAY = -1, LOG_CUT_OFF = -2 };

enum log_ending {
    LOG_ENDED,      /* "end msg" */
    LOG_UNFINISHED, /* the log ended before */
    LOG_REPLACED,   /* its number came again before its end */
    LOG_GIVEN_UP    /* there was no room to go on with it */
};

struct log_life {
    struct log_link link;
    bool born, informed; /* its "new msg" and "info msg" were seen */
    int64_t born_us;
    uint64_t serial; /* tells it from others with its number */
    uint64_t size, qp, uid;
    struct bytes texts; /* the sender, then what steps name */
    size_t sender_len;
    struct log_step *steps;
    size_t count, room;
};

struct log_history {
    const struct log_selection *selection;
    bool json;
    struct writer *out;
    struct log_pool lives, deliveries;
    uint64_t serial;
    size_t held; /* bytes of all lives' steps and texts */
    uint64_t lines, unknown, shown, smtp_shown, given_up;
    struct bytes text; /* being put together */
};

void log_history_open(struct log_history *h, const struct log_selection *selection,
                      bool json, struct writer *out);
void log_history_free(struct log_history *h);
void log_history_add(struct log_history *h, const struct log_event *event,
                     int64_t time_us);

/* No more lines: what has not ended is shown as it is. */
void log_history_end(struct log_history *h, const struct log_lines *lines);

/* Replace out by a life, a line of qmail-smtpd, the last words. */
void log_life_print(const struct log_life *life, enum log_ending ending, int64_t end_us,
                    bool json, struct bytes *out);
void log_smtp_print(const struct log_event *event, int64_t time_us, bool json,
                    struct bytes *out);
void log_history_last(const struct log_history *h, const struct log_lines *lines,
                      struct bytes *out);

#endif
