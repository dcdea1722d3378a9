#include "mail/date.h"

#include "tap.h"

#include <stdlib.h>

static const struct {
    const char *name;
    int64_t seconds;
    const char *utc, *stamp, *mbox;
} cases[] = {
    {"1970", 0, "1 Jan 1970 00:00:00 -0000", "19700101000000",
     "Thu Jan 01 00:00:00 1970"},
    {"before", -1, "31 Dec 1969 23:59:59 -0000", "19691231235959",
     "Wed Dec 31 23:59:59 1969"},
    {"leap day", 951782400, "29 Feb 2000 00:00:00 -0000", "20000229000000",
     "Tue Feb 29 00:00:00 2000"},
    {"beyond 32 bits", 4294967296, "7 Feb 2106 06:28:16 -0000", "21060207062816",
     "Sun Feb 07 06:28:16 2106"},
    {"no leap day", 4107542400, "1 Mar 2100 00:00:00 -0000", "21000301000000",
     "Mon Mar 01 00:00:00 2100"},
};

static const struct {
    const char *zone;
    int64_t seconds;
    const char *want;
} local[] = {
    {"UTC", 1793928853, "6 Nov 2026 01:34:13 +0000"},
    {"XYZ-5:30", 1793928853, "6 Nov 2026 07:04:13 +0530"},
    {"XYZ3:30", 1793928853, "5 Nov 2026 22:04:13 -0330"},
    {"XYZ-14", 1793928853, "6 Nov 2026 15:34:13 +1400"},
    {"XYZ1", 0, "31 Dec 1969 23:00:00 -0100"},
    {"XYZ-1", 946684799, "1 Jan 2000 00:59:59 +0100"},
    {"XYZ0:00:20", 60, "1 Jan 1970 00:00:40 +0000"},
    {"XYZ0:00:30", 60, "1 Jan 1970 00:00:30 -0001"},
    {"XYZ-0:19:32", 0, "1 Jan 1970 00:19:32 +0020"},
    {"CET-1CEST,M3.5.0,M10.5.0/3", 1782000000, "21 Jun 2026 02:00:00 +0200"},
};

static const struct {
    int64_t seconds;
    const char *want;
} internet[] = {
    {1793928853, "2026-11-06T01:34:13Z"}, {0, "1970-01-01T00:00:00Z"},
    {-1, "1969-12-31T23:59:59Z"},         {951782400, "2000-02-29T00:00:00Z"},
    {4102444800, "2100-01-01T00:00:00Z"},
};

int main(void)
{
    for (size_t i = 0; i < COUNT(internet); i++) {
        struct bytes out = {0};
        date_add_internet(&out, internet[i].seconds);
        same(bytes_view(&out), view_of(internet[i].want), "RFC 3339");
        bytes_free(&out);
    }
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bytes out = {0};
        date_add(&out, cases[i].seconds);
        same(bytes_view(&out), view_of(cases[i].utc), cases[i].name);
        bytes_clear(&out);
        date_add_stamp(&out, cases[i].seconds);
        same(bytes_view(&out), view_of(cases[i].stamp), cases[i].name);
        bytes_clear(&out);
        date_add_mbox(&out, cases[i].seconds);
        same(bytes_view(&out), view_of(cases[i].mbox), cases[i].name);
        bytes_free(&out);
    }
    for (size_t i = 0; i < COUNT(local); i++) {
        struct bytes out = {0};
        setenv("TZ", local[i].zone, 1);
        date_add_local(&out, local[i].seconds);
        same(bytes_view(&out), view_of(local[i].want), local[i].zone);
        bytes_free(&out);
    }
    struct bytes never = {0};
    date_add_local(&never, INT64_MAX);
    ok(never.len > 0, "a time beyond all calendars", NULL);
    bytes_free(&never);
    return tap_done();
}
