#include "admin/log.h"
#include "base/number.h"

#include <string.h>
#include <time.h>

/* The date 9999-12-31, after which a stamp is none. */
#define LAST_SECOND INT64_C(253402300799)

/* A TAI64 label counts from 1970 at 2^62, and 10 seconds later than UTC did then:
 * leap seconds since are in neither, as multilog has it. */
#define TAI64_OF_1970 (UINT64_C(0x4000000000000000) + 10)

enum {
    LABEL_LEN = 25,     /* @ and 24 hexadecimal digits */
    LABEL_SECONDS = 17, /* where those end */
    DATE_LEN = 19,      /* 2026-11-21 14:02:09 */
    MINUTE_LEN = 16,
    MAX_PREFIX = 300, /* of what the system log puts before */
    MICRO_DIGITS = 6,
    MAX_FRACTION = 9,
    MINUTE_S = 60
};

/* The value of each hexadecimal digit, and one more, since 0 is the rest. */
static const unsigned char hex_digits[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,
    ['6'] = 7,  ['7'] = 8,  ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
    ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

static bool take_hex(const char *digits, size_t len, uint64_t *n)
{
    bool right = true;

    *n = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned digit = hex_digits[(unsigned char)digits[i]];
        right &= digit > 0;
        *n = *n << 4 | ((digit - 1) & 15);
    }
    return right;
}

/* When the second of a label began. */
static int64_t label_begins(struct log_stamps *stamps, const char *text)
{
    uint64_t seconds;

    if (memcmp(stamps->second, text, LABEL_SECONDS) == 0)
        return stamps->label_us;
    if (!take_hex(text + 1, LABEL_SECONDS - 1, &seconds) || seconds < TAI64_OF_1970 ||
        seconds - TAI64_OF_1970 > (uint64_t)LAST_SECOND)
        return LOG_NO_TIME;
    memcpy(stamps->second, text, LABEL_SECONDS);
    stamps->label_us = (int64_t)(seconds - TAI64_OF_1970) * LOG_SECOND_US;
    return stamps->label_us;
}

static int64_t take_label(struct log_stamps *stamps, struct view *line)
{
    uint64_t nanoseconds;

    if (line->len < LABEL_LEN ||
        (line->len > LABEL_LEN && line->data[LABEL_LEN] != ' '))
        return LOG_NO_TIME;
    int64_t begins = label_begins(stamps, line->data);
    if (begins == LOG_NO_TIME ||
        !take_hex(line->data + LABEL_SECONDS, LABEL_LEN - LABEL_SECONDS,
                  &nanoseconds) ||
        nanoseconds >= 1000 * (uint64_t)LOG_SECOND_US)
        return LOG_NO_TIME;
    *line = view_from(*line, line->len > LABEL_LEN ? LABEL_LEN + 1 : LABEL_LEN);
    return begins + (int64_t)(nanoseconds / 1000);
}

/* "." and digits, as many as there are: microseconds. */
static int64_t take_fraction(struct view *rest)
{
    int64_t us = 0;
    int digits = 0;

    *rest = view_from(*rest, 1);
    for (; rest->len && byte_is_digit(rest->data[0]) && digits < MAX_FRACTION;
         digits++) {
        if (digits < MICRO_DIGITS)
            us = us * 10 + (rest->data[0] - '0');
        *rest = view_from(*rest, 1);
    }
    for (; digits < MICRO_DIGITS; digits++)
        us *= 10;
    return us;
}

static int digits_at(const char *text, int len)
{
    int n = 0;
    for (int i = 0; i < len; i++)
        n = n * 10 + (text[i] - '0');
    return n;
}

/* Whether v begins as the form says, where 0 stands for a digit. */
static bool has_form(struct view v, const char *form)
{
    size_t len = strlen(form);

    if (v.len < len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (form[i] == '0' ? !byte_is_digit(v.data[i]) : v.data[i] != form[i])
            return false;
    return true;
}

/* When that minute of local time began. The one before is remembered. */
static int64_t minute_begins(struct log_stamps *stamps, const char *text)
{
    if (memcmp(stamps->minute, text, MINUTE_LEN) == 0)
        return stamps->begins_s;

    struct tm tm = {.tm_year = digits_at(text, 4) - 1900,
                    .tm_mon = digits_at(text + 5, 2) - 1,
                    .tm_mday = digits_at(text + 8, 2),
                    .tm_hour = digits_at(text + 11, 2),
                    .tm_min = digits_at(text + 14, 2),
                    .tm_isdst = -1};
    int64_t begins = (int64_t)mktime(&tm);
    if (begins < 0 || begins > LAST_SECOND)
        return LOG_NO_TIME;
    memcpy(stamps->minute, text, MINUTE_LEN);
    stamps->begins_s = begins;
    return begins;
}

static int64_t take_date(struct log_stamps *stamps, struct view *line)
{
    if (!has_form(*line, "0000-00-00 00:00:00"))
        return LOG_NO_TIME;
    int64_t begins = minute_begins(stamps, line->data);
    if (begins == LOG_NO_TIME)
        return LOG_NO_TIME;

    struct view rest = view_from(*line, DATE_LEN);
    int64_t us = digits_at(line->data + MINUTE_LEN + 1, 2) * (int64_t)LOG_SECOND_US;
    if (rest.len && rest.data[0] == '.')
        us += take_fraction(&rest);
    if (rest.len && rest.data[0] != ' ')
        return LOG_NO_TIME;
    *line = view_from(rest, rest.len ? 1 : 0);
    return begins * LOG_SECOND_US + us;
}

/* "1792130529.123456 "; splogger's "+" says that the text goes on, which says nothing
 * by itself. */
static int64_t take_seconds(struct view *line)
{
    struct view rest = *line;
    uint64_t seconds;

    if (!number_take(&rest, &seconds) || seconds > (uint64_t)LAST_SECOND ||
        !has_form(rest, ".000000 "))
        return LOG_NO_TIME;
    int64_t us = take_fraction(&rest);
    *line = view_from(rest, 1);
    return (int64_t)seconds * LOG_SECOND_US + us;
}

/* What the system log put before splogger's seconds ends in a colon and a space. */
static int64_t take_prefixed_seconds(struct view *line)
{
    size_t max = line->len < MAX_PREFIX ? line->len : MAX_PREFIX;

    for (size_t i = 0; i + 2 < max; i++) {
        if (line->data[i] != ':' || line->data[i + 1] != ' ' ||
            !byte_is_digit(line->data[i + 2]))
            continue;
        struct view rest = view_from(*line, i + 2);
        int64_t time = take_seconds(&rest);
        if (time != LOG_NO_TIME) {
            *line = rest;
            return time;
        }
    }
    return LOG_NO_TIME;
}

int64_t log_stamp_take(struct log_stamps *stamps, struct view *line)
{
    if (!line->len)
        return LOG_NO_TIME;
    char first = line->data[0];
    if (first == '@')
        return take_label(stamps, line);
    if (byte_is_digit(first)) {
        int64_t time = take_date(stamps, line);
        if (time == LOG_NO_TIME)
            time = take_seconds(line);
        if (time != LOG_NO_TIME)
            return time;
    }
    /* our own lines begin with small letters, the system log's do not */
    if (first >= 'a' && first <= 'z')
        return LOG_NO_TIME;
    return take_prefixed_seconds(line);
}
