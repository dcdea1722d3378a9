/* Any second of any year, against the calendar counted the other way round and, where
 * it goes so far, the C library. */
#include "mail/date.h"

#include "fuzz.h"

#include <string.h>
#include <time.h>

enum { DAY_S = 86400 };

/* Days from 1970-01-01 to a date, by years that begin in March (so that leap days are
 * their last). */
static int64_t days_to(int64_t year, int month, int day)
{
    int64_t y = month < 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400, year_of_era = y - era * 400;
    int64_t day_of_year = (153 * ((month + 10) % 12) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
           day_of_year - 719468;
}

static void compare_with_library(const struct date *d, int64_t seconds)
{
    time_t t = (time_t)seconds;
    struct tm tm;

    if (!gmtime_r(&t, &tm))
        return;
    MUST(tm.tm_year + (int64_t)1900 == d->year && tm.tm_mon == d->month &&
         tm.tm_mday == d->day && tm.tm_wday == d->weekday && tm.tm_hour == d->hour &&
         tm.tm_min == d->minute && tm.tm_sec == d->second);
}

/* The dates of mail, read back by their fixed columns. */
static void read_back(const struct date *d, int64_t seconds)
{
    struct bytes text = {0};
    int year, month, day, hour, minute, second;

    if (d->year < 1 || d->year > 9999)
        return;
    date_add_mbox(&text, seconds);
    MUST(text.len == 24);
    bytes_clear(&text);
    date_add_internet(&text, seconds);
    MUST(sscanf(bytes_cstring(&text), "%d-%d-%dT%d:%d:%dZ", &year, &month, &day, &hour,
                &minute, &second) == 6);
    MUST(year == d->year && month == d->month + 1 && day == d->day && hour == d->hour &&
         minute == d->minute && second == d->second);
    bytes_clear(&text);
    date_add(&text, seconds);
    date_add_stamp(&text, seconds);
    for (size_t i = 0; i < text.len; i++)
        MUST(text.data[i] >= 32 && text.data[i] <= 126);
    bytes_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    int64_t seconds = 0;

    memcpy(&seconds, data, len < sizeof seconds ? len : sizeof seconds);
    struct date d = date_of(seconds);
    MUST(d.month >= 0 && d.month < 12 && d.day >= 1 && d.day <= 31);
    MUST(d.hour >= 0 && d.hour < 24 && d.minute >= 0 && d.minute < 60);
    MUST(d.second >= 0 && d.second < 60 && d.weekday >= 0 && d.weekday < 7);
    int64_t of_day = d.hour * 3600 + d.minute * 60 + d.second;
    int64_t days = days_to(d.year, d.month, d.day);
    int64_t day = seconds / DAY_S - (seconds % DAY_S < 0);
    MUST(days == day && of_day == (seconds % DAY_S + DAY_S) % DAY_S);
    MUST(((days % 7 + 7) % 7 + 4) % 7 == d.weekday);
    compare_with_library(&d, seconds);
    read_back(&d, seconds);
    return 0;
}
