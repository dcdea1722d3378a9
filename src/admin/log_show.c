#include "admin/log.h"
#include "base/json.h"
#include "mail/date.h"
#include "mail/summary.h"

#include <inttypes.h>
#include <time.h>

enum { MINUTE_S = 60, HOUR_S = 3600, DAY_S = 86400, SHORT_S = 10 };

/* Whole seconds and the rest, also before 1970. */
static int64_t split(int64_t time_us, int64_t *us)
{
    int64_t seconds = time_us / LOG_SECOND_US;

    *us = time_us % LOG_SECOND_US;
    if (*us < 0) {
        *us += LOG_SECOND_US;
        seconds--;
    }
    return seconds;
}

static void add_local(struct bytes *out, int64_t seconds)
{
    time_t when = (time_t)seconds;
    struct tm tm;

    if (!localtime_r(&when, &tm) && !gmtime_r(&when, &tm))
        return;
    bytes_add_format(out, "%04d-%02d-%02d %02d:%02d:%02d", tm.tm_year + 1900,
                     tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void log_add_second(struct bytes *out, int64_t time_us)
{
    int64_t us;

    if (time_us == LOG_NO_TIME)
        bytes_add_byte(out, '-');
    else
        add_local(out, split(time_us, &us));
}

void log_add_time(struct bytes *out, int64_t time_us)
{
    int64_t us;

    log_add_second(out, time_us);
    if (time_us == LOG_NO_TIME)
        return;
    split(time_us, &us);
    bytes_add_format(out, ".%06" PRId64, us);
}

void log_add_utc(struct bytes *out, int64_t time_us)
{
    int64_t us;
    struct date d = date_of(split(time_us, &us));

    bytes_add_format(out, "%04" PRId64 "-%02d-%02dT%02d:%02d:%02d.%06" PRId64 "Z",
                     d.year, d.month + 1, d.day, d.hour, d.minute, d.second, us);
}

int64_t log_span(int64_t from_us, int64_t to_us)
{
    return from_us == LOG_NO_TIME || to_us == LOG_NO_TIME || to_us < from_us
               ? LOG_NO_TIME
               : to_us - from_us;
}

void log_add_span(struct bytes *out, int64_t span_us)
{
    int64_t s = span_us / LOG_SECOND_US;

    if (span_us == LOG_NO_TIME)
        bytes_add_byte(out, '-');
    else if (s < SHORT_S)
        bytes_add_format(out, "%.3f s", (double)span_us / LOG_SECOND_US);
    else if (s < MINUTE_S)
        bytes_add_format(out, "%.1f s", (double)span_us / LOG_SECOND_US);
    else if (s < HOUR_S)
        bytes_add_format(out, "%" PRId64 " min %" PRId64 " s", s / MINUTE_S,
                         s % MINUTE_S);
    else if (s < DAY_S)
        bytes_add_format(out, "%" PRId64 " h %" PRId64 " min", s / HOUR_S,
                         s % HOUR_S / MINUTE_S);
    else
        bytes_add_format(out, "%" PRId64 " d %" PRId64 " h", s / DAY_S,
                         s % DAY_S / HOUR_S);
}

void log_add_safe(struct bytes *out, struct view v)
{
    summary_add_printable(out, v, '?');
}

void log_json_span(struct bytes *out, const char *name, int64_t span_us)
{
    json_add_name(out, name);
    if (span_us == LOG_NO_TIME)
        bytes_add_text(out, "null");
    else
        bytes_add_format(out, "%.6f", (double)span_us / LOG_SECOND_US);
}

void log_json_time(struct bytes *out, const char *name, int64_t time_us)
{
    json_add_name(out, name);
    if (time_us == LOG_NO_TIME) {
        bytes_add_text(out, "null");
        return;
    }
    bytes_add_byte(out, '"');
    log_add_utc(out, time_us);
    bytes_add_byte(out, '"');
}

void log_json_ratio(struct bytes *out, const char *name, double ratio)
{
    json_add_name(out, name);
    bytes_add_format(out, "%.3f", ratio);
}
