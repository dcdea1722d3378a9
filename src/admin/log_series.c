#include "admin/log_count.h"

void log_bin_join(struct log_bin *to, const struct log_bin *more)
{
    to->messages += more->messages;
    to->bytes += more->bytes;
    for (size_t i = 0; i < LOG_RESULTS; i++)
        to->results[i] += more->results[i];
    for (size_t i = 0; i < LOG_CHANNELS; i++) {
        if (to->peak[i] < more->peak[i])
            to->peak[i] = more->peak[i];
        to->held_us[i] += more->held_us[i];
    }
    to->known_us += more->known_us;
}

/* Each bin joins its neighbour; which one, the number of its span decides. */
static void double_width(struct log_series *s)
{
    int64_t first = s->first / 2;
    size_t count = 0;

    for (size_t i = 0; i < s->count; i++) {
        size_t to = (size_t)((s->first + (int64_t)i) / 2 - first);
        if (to < count)
            log_bin_join(&s->bins[to], &s->bins[i]);
        else
            s->bins[count++] = s->bins[i];
    }
    s->first = first;
    s->count = count;
    s->width_us *= 2;
}

/* Makes empty bins so that those from first to last are there; they fit. */
static void reach(struct log_series *s, int64_t first, int64_t last)
{
    size_t before = (size_t)(s->first - first);

    for (size_t i = s->count; before > 0 && i > 0; i--)
        s->bins[i - 1 + before] = s->bins[i - 1];
    for (size_t i = 0; i < before; i++)
        s->bins[i] = (struct log_bin){0};
    s->first = first;
    s->count += before;
    while (s->first + (int64_t)s->count <= last)
        s->bins[s->count++] = (struct log_bin){0};
}

static void find_bin(struct log_series *s, int64_t time_us)
{
    if (s->count == 0) {
        s->width_us = LOG_SECOND_US;
        s->first = time_us / s->width_us;
        s->bins[0] = (struct log_bin){0};
        s->count = 1;
    }
    for (;;) {
        int64_t span = time_us / s->width_us;
        int64_t first = span < s->first ? span : s->first;
        int64_t last = s->first + (int64_t)s->count - 1;
        last = span > last ? span : last;
        if (last - first < LOG_BINS) {
            reach(s, first, last);
            s->last = (size_t)(span - s->first);
            s->from_us = span * s->width_us;
            s->to_us = s->from_us + s->width_us;
            return;
        }
        double_width(s);
    }
}

struct log_bin *log_series_at(struct log_series *s, int64_t time_us)
{
    if (time_us < s->from_us || time_us >= s->to_us)
        find_bin(s, time_us);
    return &s->bins[s->last];
}

void log_series_hold(struct log_series *s, int64_t from_us, int64_t to_us,
                     const uint64_t running[LOG_CHANNELS])
{
    log_series_at(s, from_us); /* now the bins reach as far as they must, */
    log_series_at(s, to_us);   /* and their width stays */
    while (from_us < to_us) {
        struct log_bin *bin = log_series_at(s, from_us);
        int64_t end = s->to_us < to_us ? s->to_us : to_us;
        for (size_t i = 0; i < LOG_CHANNELS; i++) {
            bin->held_us[i] += (double)running[i] * (double)(end - from_us);
            if (bin->peak[i] < running[i])
                bin->peak[i] = running[i];
        }
        bin->known_us += (double)(end - from_us);
        from_us = end;
    }
}
