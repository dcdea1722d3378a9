#include "admin/log.h"

#include "tap.h"

#include <stdlib.h>
#include <time.h>

#define AT INT64_C(1700848292)

static const struct {
    const char *name, *line, *rest;
    int64_t us;
} cases[] = {
    {"label", "@400000006560e2ae0c380d40 new msg 7", "new msg 7",
     AT * 1000000 + 205000},
    {"label alone", "@400000006560e2ae00000000", "", AT * 1000000},
    {"label of 1970", "@400000000000000a00000000 x", "x", 0},
    {"label before 1970", "@400000000000000900000000 x", NULL, 0},
    {"label of another age", "@7fffffffffffffff00000000 x", NULL, 0},
    {"label, capitals", "@400000006560E2AE00000000 x", NULL, 0},
    {"label, a digit short", "@400000006560e2ae0c380d4 x", NULL, 0},
    {"label, cut", "@400000006560e2a", NULL, 0},
    {"label, second too long", "@400000006560e2ae3b9aca00 x", NULL, 0},
    {"label, last nanosecond", "@400000006560e2ae3b9ac9ff x", "x",
     AT * 1000000 + 999999},
    {"date", "2023-11-24 17:51:32.205000500 x y", "x y", AT * 1000000 + 205000},
    {"date without a fraction", "2023-11-24 17:51:32 x", "x", AT * 1000000},
    {"date alone", "2023-11-24 17:51:32", "", AT * 1000000},
    {"date, short fraction", "2023-11-24 17:51:32.2 x", "x", AT * 1000000 + 200000},
    {"date, too many digits", "2023-11-24 17:51:32.1234567890 x", NULL, 0},
    {"date, no time", "2023-11-24 x", NULL, 0},
    {"date, cut", "2023-11-24 17:5", NULL, 0},
    {"seconds", "1700848292.205000 x", "x", AT * 1000000 + 205000},
    {"seconds, five decimals", "1700848292.20500 x", NULL, 0},
    {"seconds, a later piece", "1700848292.205000+x", NULL, 0},
    {"seconds beyond all dates", "253402300800.000000 x", NULL, 0},
    {"system log", "Nov 24 17:51:32 host qmail: 1700848292.205000 new msg 7",
     "new msg 7", AT * 1000000 + 205000},
    {"system log, newer",
     "2023-11-24T17:51:32+00:00 host qmail[3]: 1700848292.205000 x: 1", "x: 1",
     AT * 1000000 + 205000},
    {"system log with other things", "Nov 24 17:51:32 host cron: 12 x", NULL, 0},
    {"none", "new msg 7", NULL, 0},
    {"none, numbers in it", "delivery 7: 1700848292.205000 x", NULL, 0},
    {"a number", "17 x", NULL, 0},
    {"empty", "", NULL, 0},
};

int main(void)
{
    struct log_stamps stamps = {0};

    setenv("TZ", "UTC0", 1);
    tzset();
    for (int again = 0; again < 2; again++) /* with what was remembered, too */
        for (size_t i = 0; i < COUNT(cases); i++) {
            struct view line = view_of(cases[i].line);
            int64_t us = log_stamp_take(&stamps, &line);
            bool none = !cases[i].rest;
            ok(us == (none ? LOG_NO_TIME : cases[i].us), cases[i].name, "time");
            same(line, view_of(none ? cases[i].line : cases[i].rest), cases[i].name);
        }
    setenv("TZ", "ABC-1", 1);
    tzset();
    stamps = (struct log_stamps){0};
    struct view line = VIEW("2023-11-24 18:51:32 x");
    ok(log_stamp_take(&stamps, &line) == AT * 1000000, "date", "in a zone");
    return tap_done();
}
