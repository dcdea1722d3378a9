/* date - times as they stand in mail. English names and UTC, whatever the
 * locale and TZ say. Years beyond 2038 are as good as others. */
#ifndef MAIL_DATE_H
#define MAIL_DATE_H

#include "base/bytes.h"

struct date {
    int64_t year;
    int month;   /* 0 to 11 */
    int day;     /* 1 to 31 */
    int weekday; /* 0 is Sunday */
    int hour, minute, second;
};

/* seconds since 1970 as a date in UTC. */
struct date date_of(int64_t seconds);

/* "6 Nov 2026 01:34:13" */
void date_add_plain(struct bytes *out, int64_t seconds);

/* "6 Nov 2026 01:34:13 -0000" (RFC 5322, 3.3) */
void date_add(struct bytes *out, int64_t seconds);

/* "6 Nov 2026 02:34:13 +0100": in the zone that TZ names, its offset in minutes. */
void date_add_local(struct bytes *out, int64_t seconds);

/* "Sat Jan 03 01:05:34 1996", always 24 bytes before the year 10000: the date
 * of a From_ line. */
void date_add_mbox(struct bytes *out, int64_t seconds);

/* "2026-11-06T01:34:13Z" (RFC 3339), for other programs to read. */
void date_add_internet(struct bytes *out, int64_t seconds);

/* "20261106013413", for message ids. */
void date_add_stamp(struct bytes *out, int64_t seconds);

#endif
