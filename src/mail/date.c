#include "mail/date.h"

#include <inttypes.h>
#include <time.h>

enum { DAY_S = 86400 };

static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const weekdays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month] + (month == 1 && is_leap(year));
}

struct date date_of(int64_t seconds)
{
    enum { DAYS_IN_400_YEARS = 146097 };
    int64_t day = seconds / DAY_S;
    int64_t rest = seconds % DAY_S;
    if (rest < 0) {
        rest += DAY_S;
        day--;
    }
    struct date d = {.hour = (int)(rest / 3600),
                     .minute = (int)(rest / 60 % 60),
                     .second = (int)(rest % 60),
                     .weekday = (int)(((day + 4) % 7 + 7) % 7)}; /* 1970: Thursday */
    int64_t periods = day / DAYS_IN_400_YEARS;
    day %= DAYS_IN_400_YEARS;
    if (day < 0) {
        day += DAYS_IN_400_YEARS;
        periods--;
    }
    d.year = 1970 + 400 * periods;
    for (; day >= 365 + is_leap(d.year); d.year++)
        day -= 365 + is_leap(d.year);
    for (; day >= days_in(d.year, d.month); d.month++)
        day -= days_in(d.year, d.month);
    d.day = (int)day + 1;
    return d;
}

void date_add_plain(struct bytes *out, int64_t seconds)
{
    struct date d = date_of(seconds);
    bytes_add_format(out, "%d %s %" PRId64 " %02d:%02d:%02d", d.day, months[d.month],
                     d.year, d.hour, d.minute, d.second);
}

void date_add(struct bytes *out, int64_t seconds)
{
    date_add_plain(out, seconds);
    bytes_add_text(out, " -0000");
}

/* How far local time is ahead of UTC. */
static int64_t local_offset_s(int64_t seconds)
{
    time_t at = (time_t)seconds;
    struct tm local, utc;

    tzset();
    if (!localtime_r(&at, &local) || !gmtime_r(&at, &utc))
        return 0;
    int days = local.tm_yday - utc.tm_yday;
    if (local.tm_year != utc.tm_year) /* the two are a day apart */
        days = local.tm_year > utc.tm_year ? 1 : -1;
    int64_t hours = days * 24 + local.tm_hour - utc.tm_hour;
    int64_t minutes = hours * 60 + local.tm_min - utc.tm_min;
    return minutes * 60 + local.tm_sec - utc.tm_sec;
}

void date_add_local(struct bytes *out, int64_t seconds)
{
    int64_t offset_s = local_offset_s(seconds);
    int minutes = (int)(((offset_s < 0 ? -offset_s : offset_s) + 30) / 60);

    date_add_plain(out, seconds + offset_s);
    bytes_add_format(out, " %c%02d%02d", offset_s < 0 && minutes ? '-' : '+',
                     minutes / 60, minutes % 60);
}

void date_add_mbox(struct bytes *out, int64_t seconds)
{
    struct date d = date_of(seconds);
    bytes_add_format(out, "%s %s %02d %02d:%02d:%02d %04" PRId64, weekdays[d.weekday],
                     months[d.month], d.day, d.hour, d.minute, d.second, d.year);
}

void date_add_stamp(struct bytes *out, int64_t seconds)
{
    struct date d = date_of(seconds);
    bytes_add_format(out, "%" PRId64 "%02d%02d%02d%02d%02d", d.year, d.month + 1, d.day,
                     d.hour, d.minute, d.second);
}

void date_add_internet(struct bytes *out, int64_t seconds)
{
    struct date d = date_of(seconds);
    bytes_add_format(out, "%04" PRId64 "-%02d-%02dT%02d:%02d:%02dZ", d.year,
                     d.month + 1, d.day, d.hour, d.minute, d.second);
}
