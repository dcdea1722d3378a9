#include "mail/date.h"

#include "tap.h"

#include <stdlib.h>
#include <time.h>

static const struct {
    int64_t seconds;
    const char *plain, *mbox, *stamp;
} cases[] = {
    {0, "1 Jan 1970 00:00:00", "Thu Jan 01 00:00:00 1970", "19700101000000"},
    {820631134, "3 Jan 1996 01:05:34", "Wed Jan 03 01:05:34 1996", "19960103010534"},
    {951782400, "29 Feb 2000 00:00:00", "Tue Feb 29 00:00:00 2000", "20000229000000"},
    {1794015253, "7 Nov 2026 01:34:13", "Sat Nov 07 01:34:13 2026", "20261107013413"},
    {2147483647, "19 Jan 2038 03:14:07", "Tue Jan 19 03:14:07 2038", "20380119031407"},
    {2147483648, "19 Jan 2038 03:14:08", "Tue Jan 19 03:14:08 2038", "20380119031408"},
    {4294967296, "7 Feb 2106 06:28:16", "Sun Feb 07 06:28:16 2106", "21060207062816"},
    {4107542400, "1 Mar 2100 00:00:00", "Mon Mar 01 00:00:00 2100", "21000301000000"},
    {253402300799, "31 Dec 9999 23:59:59", "Fri Dec 31 23:59:59 9999",
     "99991231235959"},
    {-1, "31 Dec 1969 23:59:59", "Wed Dec 31 23:59:59 1969", "19691231235959"},
};

/* Against the C library, over all of its days and beyond 2038. */
static void against_gmtime(void)
{
    bool fine = true;
    for (int64_t s = -3000000000; s < 40000000000; s += 86399 * 7 + 11) {
        struct date d = date_of(s);
        time_t t = (time_t)s;
        struct tm tm;
        gmtime_r(&t, &tm);
        fine &= d.year == tm.tm_year + 1900 && d.month == tm.tm_mon &&
                d.day == tm.tm_mday && d.weekday == tm.tm_wday &&
                d.hour == tm.tm_hour && d.minute == tm.tm_min && d.second == tm.tm_sec;
    }
    ok(fine, "as gmtime", NULL);
}

int main(void)
{
    struct bytes out = {0};

    setenv("TZ", "America/New_York", 1);
    setenv("LC_ALL", "de_DE.UTF-8", 1);
    tzset();
    for (size_t i = 0; i < COUNT(cases); i++) {
        bytes_clear(&out);
        date_add_plain(&out, cases[i].seconds);
        same(bytes_view(&out), view_of(cases[i].plain), "plain");
        date_add(&out, cases[i].seconds);
        ok(view_ends(bytes_view(&out), VIEW(" -0000")), "with the zone", NULL);
        same(view_before(view_from(bytes_view(&out), view_of(cases[i].plain).len),
                         view_of(cases[i].plain).len),
             view_of(cases[i].plain), "appended");
        bytes_clear(&out);
        date_add_mbox(&out, cases[i].seconds);
        same(bytes_view(&out), view_of(cases[i].mbox), "mbox");
        bytes_clear(&out);
        date_add_stamp(&out, cases[i].seconds);
        same(bytes_view(&out), view_of(cases[i].stamp), "stamp");
    }
    against_gmtime();
    static const int64_t extremes[] = {INT64_MIN, INT64_MIN + 1, INT64_MAX - 1,
                                       INT64_MAX};
    for (size_t i = 0; i < COUNT(extremes); i++) {
        struct date d = date_of(extremes[i]);
        ok(d.month >= 0 && d.month < 12 && d.day >= 1 && d.day <= 31 &&
               d.weekday >= 0 && d.weekday < 7,
           "an extreme", NULL);
        bytes_clear(&out);
        date_add_mbox(&out, extremes[i]);
        ok(out.len >= 24, "an extreme", "shown");
    }
    bytes_free(&out);
    return tap_done();
}
