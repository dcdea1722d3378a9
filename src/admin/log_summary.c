#include "admin/log_report.h"

#include <inttypes.h>

#define HOUR_US (3600 * (int64_t)LOG_SECOND_US)

enum { MAX_RUNNING = 1 << 20 }; /* more is no number of deliveries */

enum sender_kind { SENDER_UNKNOWN, SENDER_SOMEBODY, SENDER_NULL, SENDER_DOUBLE };

static const struct log_top_mark nobody = {LOG_NONE, 0};

struct message {
    struct log_link link;
    int64_t born_us;
    struct log_top_mark sender;
    enum sender_kind kind;
};

struct delivery {
    struct log_link link;
    enum log_channel channel;
    int64_t start_us, born_us;
    struct log_top_mark sender, domain;
};

void log_summary_open(struct log_summary *s)
{
    *s = (struct log_summary){.first_us = LOG_NO_TIME,
                              .last_us = LOG_NO_TIME,
                              .line_us = LOG_NO_TIME,
                              .since_us = LOG_NO_TIME,
                              .peak_us = {LOG_NO_TIME, LOG_NO_TIME},
                              .busiest_hour = -1,
                              .hour = -1};
    log_top_open(&s->senders, LOG_NAMES, LOG_MAX_NAME, true);
    log_top_open(&s->domains, LOG_NAMES, LOG_MAX_NAME, true);
    log_top_open(&s->clients, LOG_NAMES, LOG_MAX_CLIENT, true);
    log_top_open(&s->refusals, LOG_REASONS, LOG_MAX_REASON, false);
    log_top_open(&s->deferrals, LOG_REASONS, LOG_MAX_REASON, false);
    log_top_open(&s->failures, LOG_REASONS, LOG_MAX_REASON, false);
    log_pool_open(&s->messages, LOG_MAX_MESSAGES, sizeof(struct message));
    log_pool_open(&s->deliveries, LOG_MAX_DELIVERIES, sizeof(struct delivery));
}

void log_summary_free(struct log_summary *s)
{
    log_top_free(&s->senders);
    log_top_free(&s->domains);
    log_top_free(&s->clients);
    log_top_free(&s->refusals);
    log_top_free(&s->deferrals);
    log_top_free(&s->failures);
    log_pool_free(&s->messages);
    log_pool_free(&s->deliveries);
    bytes_free(&s->reason);
}

/* -- time */

static void add_span(struct log_histogram *h, int64_t span_us)
{
    if (span_us != LOG_NO_TIME)
        log_histogram_add(h, span_us);
}

/* The bin of a time; one that nobody looks at where the time is not known. */
static struct log_bin *bin_at(struct log_summary *s, int64_t time_us)
{
    static struct log_bin nowhere;
    return time_us == LOG_NO_TIME ? &nowhere : log_series_at(&s->series, time_us);
}

static void take_time(struct log_summary *s, int64_t time_us)
{
    if (time_us == LOG_NO_TIME) {
        s->unstamped++;
        return;
    }
    if (s->first_us == LOG_NO_TIME || time_us < s->first_us)
        s->first_us = time_us;
    if (time_us > s->last_us)
        s->last_us = time_us;
    s->backward += time_us < s->line_us;
    s->line_us = time_us;
}

static void close_hour(struct log_summary *s)
{
    if (s->in_hour > s->busiest) {
        s->busiest = s->in_hour;
        s->busiest_hour = s->hour;
    }
    s->in_hour = 0;
}

static void count_hour(struct log_summary *s, int64_t time_us)
{
    if (time_us == LOG_NO_TIME)
        return;
    int64_t hour = time_us / HOUR_US;
    if (hour != s->hour) {
        close_hour(s);
        s->hour = hour;
    }
    s->in_hour++;
}

/* -- messages */

static struct message *add_message(struct log_summary *s, uint64_t number)
{
    if (log_pool_full(&s->messages)) {
        log_pool_remove(&s->messages, log_pool_oldest(&s->messages));
        s->forgotten++;
    }
    struct message *m = log_pool_add(&s->messages, number);
    m->born_us = LOG_NO_TIME;
    m->sender = nobody;
    return m;
}

/* A message of that number, also one whose beginning is not in the log. */
static struct message *message_of(struct log_summary *s, uint64_t number)
{
    struct message *m = log_pool_find(&s->messages, number);

    if (m) {
        log_pool_touch(&s->messages, m);
        return m;
    }
    s->older++;
    return add_message(s, number);
}

static void begin_message(struct log_summary *s, uint64_t number, int64_t time_us)
{
    struct message *old = log_pool_find(&s->messages, number);

    if (old) {
        log_pool_remove(&s->messages, old);
        s->replaced++;
    }
    add_message(s, number)->born_us = time_us;
    s->accepted++;
    bin_at(s, time_us)->messages++;
    count_hour(s, time_us);
}

static void describe_message(struct log_summary *s, const struct log_event *e,
                             int64_t time_us)
{
    struct message *m = message_of(s, e->message);
    uint32_t sender = log_top_add(&s->senders, e->address);

    m->sender = log_top_mark(&s->senders, sender);
    m->kind = e->address.len == 0           ? SENDER_NULL
              : view_is(e->address, "#@[]") ? SENDER_DOUBLE
                                            : SENDER_SOMEBODY;
    s->senders.entries[sender].figures[LOG_SENT_BYTES] += e->size;
    s->bytes += e->size;
    bin_at(s, time_us)->bytes += e->size;
}

static void end_message(struct log_summary *s, uint64_t number, int64_t time_us)
{
    struct message *m = log_pool_find(&s->messages, number);

    s->ended++;
    if (!m) {
        s->older++;
        return;
    }
    add_span(&s->life, log_span(m->born_us, time_us));
    log_pool_remove(&s->messages, m);
}

/* A bounce about a bounce goes to the postmaster. */
static void count_bounce(struct log_summary *s, uint64_t number)
{
    if (message_of(s, number)->kind == SENDER_NULL)
        s->double_bounces++;
    else
        s->bounces++;
}

/* -- deliveries */

static void forget_deliveries(struct log_summary *s)
{
    s->lost += s->deliveries.used;
    log_pool_clear(&s->deliveries);
}

/* The domain of an address, as far as it has one. */
static struct view domain_of(struct view address)
{
    size_t at = view_find_last(address, '@');
    return view_from(address, at < address.len ? at + 1 : at);
}

static void start_delivery(struct log_summary *s, const struct log_event *e,
                           int64_t time_us)
{
    const struct message *m = message_of(s, e->message);
    struct delivery *old = log_pool_find(&s->deliveries, e->delivery);

    if (!old && log_pool_full(&s->deliveries))
        old = log_pool_oldest(&s->deliveries);
    if (old) {
        log_pool_remove(&s->deliveries, old);
        s->lost++;
    }
    struct delivery *d = log_pool_add(&s->deliveries, e->delivery);
    d->channel = e->channel;
    d->start_us = time_us;
    d->born_us = m->born_us;
    d->sender = m->sender;
    d->domain = nobody;
    if (e->channel == LOG_REMOTE)
        d->domain =
            log_top_mark(&s->domains, log_top_add(&s->domains, domain_of(e->address)));
    s->started[e->channel]++;
}

static void count_for_sender(struct log_summary *s, const struct delivery *d,
                             enum log_result result)
{
    uint64_t *figures = log_top_figures(&s->senders, d->sender);

    if (!figures)
        return;
    figures[LOG_SENT_DONE] += result != LOG_DEFERRAL;
    figures[LOG_SENT_FAILED] += result == LOG_FAILURE;
    figures[LOG_SENT_DEFERRED] += result == LOG_DEFERRAL;
}

static void count_for_domain(struct log_summary *s, const struct delivery *d,
                             enum log_result result, int64_t took_us, int64_t age_us)
{
    uint64_t *figures = log_top_figures(&s->domains, d->domain);

    if (!figures)
        return;
    figures[LOG_SITE_TAKEN] += result == LOG_SUCCESS;
    figures[LOG_SITE_DEFERRED] += result == LOG_DEFERRAL;
    figures[LOG_SITE_FAILED] += result == LOG_FAILURE;
    if (took_us != LOG_NO_TIME)
        figures[LOG_SITE_TOOK_US] += (uint64_t)took_us;
    if (result == LOG_SUCCESS && age_us != LOG_NO_TIME) {
        figures[LOG_SITE_AGE_US] += (uint64_t)age_us;
        figures[LOG_SITE_AGED]++;
    }
}

static void count_reason(struct log_summary *s, const struct log_event *e)
{
    if (e->result == LOG_SUCCESS)
        return;
    log_reason(&s->reason, e->text);
    log_top_add(e->result == LOG_FAILURE ? &s->failures : &s->deferrals,
                bytes_view(&s->reason));
}

static void end_delivery(struct log_summary *s, const struct log_event *e,
                         int64_t time_us)
{
    struct delivery *d = log_pool_find(&s->deliveries, e->delivery);

    s->results[d ? (int)d->channel : LOG_CHANNEL_UNKNOWN][e->result]++;
    bin_at(s, time_us)->results[e->result]++;
    count_reason(s, e);
    if (!d)
        return;
    int64_t took_us = log_span(d->start_us, time_us),
            age_us = log_span(d->born_us, time_us);
    add_span(&s->attempt[d->channel], took_us);
    if (e->result == LOG_SUCCESS)
        add_span(&s->age, age_us);
    count_for_sender(s, d, e->result);
    count_for_domain(s, d, e->result, took_us, age_us);
    log_pool_remove(&s->deliveries, d);
}

/* -- concurrency */

/* What was running until now. */
static void hold(struct log_summary *s, int64_t time_us)
{
    int64_t held_us = log_span(s->since_us, time_us);

    if (s->running_known && held_us != LOG_NO_TIME) {
        log_series_hold(&s->series, s->since_us, time_us, s->running);
        for (size_t i = 0; i < LOG_CHANNELS; i++)
            s->held_us[i] += (double)s->running[i] * (double)held_us;
        s->known_us += (double)held_us;
    }
    s->since_us = time_us;
    s->running_known = true;
}

static void take_status(struct log_summary *s, const struct log_event *e,
                        int64_t time_us)
{
    struct log_bin *bin;

    hold(s, time_us);
    bin = bin_at(s, time_us);
    for (size_t i = 0; i < LOG_CHANNELS; i++) {
        uint64_t running = e->running[i] < MAX_RUNNING ? e->running[i] : MAX_RUNNING;
        s->running[i] = running;
        if (running > bin->peak[i])
            bin->peak[i] = running;
        if (running > s->peak[i]) {
            s->peak[i] = running;
            s->peak_us[i] = time_us;
        }
    }
    /* whatever we still took for running is not: qmail-send began anew */
    if (e->running[LOG_LOCAL] == 0 && e->running[LOG_REMOTE] == 0)
        forget_deliveries(s);
}

static void take_exit(struct log_summary *s, int64_t time_us)
{
    hold(s, time_us);
    s->running[LOG_LOCAL] = s->running[LOG_REMOTE] = 0;
    s->exits++;
    forget_deliveries(s);
}

static void count_refusal(struct log_summary *s, const struct log_event *e)
{
    s->smtp_refused++;
    log_reason(&s->reason, e->text);
    log_top_add(&s->refusals, bytes_view(&s->reason));
    log_top_add(&s->clients, e->ip);
}

void log_summary_add(struct log_summary *s, const struct log_event *e, int64_t time_us)
{
    s->lines++;
    take_time(s, time_us);
    switch (e->kind) {
    case LOG_UNKNOWN:
        s->unknown++;
        break;
    case LOG_NEW:
        begin_message(s, e->message, time_us);
        break;
    case LOG_INFO:
        describe_message(s, e, time_us);
        break;
    case LOG_START:
        start_delivery(s, e, time_us);
        break;
    case LOG_RESULT:
        end_delivery(s, e, time_us);
        break;
    case LOG_STATUS:
        take_status(s, e, time_us);
        break;
    case LOG_EXITING:
        take_exit(s, time_us);
        break;
    case LOG_BOUNCE:
        count_bounce(s, e->message);
        break;
    case LOG_TRIPLE:
        s->triple_bounces++;
        break;
    case LOG_END:
        end_message(s, e->message, time_us);
        break;
    case LOG_DEED:
        s->deeds++;
        break;
    case LOG_SMTP_TAKEN:
        s->smtp_taken++;
        break;
    case LOG_SMTP_REFUSED:
        count_refusal(s, e);
        break;
    case LOG_ALERT:
        s->alerts++;
        break;
    case LOG_WARNING:
        s->warnings++;
        break;
    }
}

void log_summary_end(struct log_summary *s)
{
    close_hour(s);
}

/* -- what follows from it */

uint64_t log_summary_results(const struct log_summary *s, enum log_result result)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < LOG_ALL_CHANNELS; i++)
        sum += s->results[i][result];
    return sum;
}

uint64_t log_summary_done(const struct log_summary *s)
{
    return log_summary_results(s, LOG_SUCCESS) + log_summary_results(s, LOG_FAILURE);
}

double log_summary_per_hour(const struct log_summary *s)
{
    int64_t covered = log_span(s->first_us, s->last_us);

    if (covered == LOG_NO_TIME || covered == 0)
        return -1;
    return (double)s->accepted * (double)HOUR_US / (double)covered;
}

double log_summary_mean(const struct log_summary *s, enum log_channel channel)
{
    return s->known_us > 0 ? s->held_us[channel] / s->known_us : -1;
}
