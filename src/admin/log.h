/* log - what the parts of qmail-log agree on: lines, their stamps, their meaning.
 *
 * A log is foreign input: senders, recipients and the replies of servers stand in it.
 * Nothing here trusts a byte of it, and no part grows with its length. */
#ifndef ADMIN_LOG_H
#define ADMIN_LOG_H

#include "base/bytes.h"

#include <sys/types.h>

enum {
    LOG_MAX_LINE = 65536, /* what follows in a longer line is not looked at */
    LOG_BLOCK = 262144,
    LOG_MS_US = 1000,
    LOG_SECOND_US = 1000000
};

/* A time is microseconds since 1970, or not known. */
#define LOG_NO_TIME INT64_MIN

/* -- lines: log_lines.c */

struct log_lines {
    int fd;
    int error;         /* errno of a read that failed */
    bool ended;        /* end of input was seen */
    bool skipping;     /* the rest of a line that was cut */
    bool broken;       /* the last line had no end, and was left out */
    uint64_t bytes;    /* read so far */
    uint64_t cut;      /* lines longer than LOG_MAX_LINE */
    size_t start, end; /* the unread part of data */
    char data[LOG_BLOCK];
};

void log_lines_open(struct log_lines *lines, int fd);

/* The next line without its line feed, good until the next call. False at the end, or
 * where lines->error is set. A last line without a line feed was cut off in the middle
 * of a number or a word, for all we know, and is left out. */
bool log_lines_next(struct log_lines *lines, struct view *line);

/* -- stamps: log_stamp.c */

/* What was worked out for the stamps before, {0} at first: most lines are of the same
 * second as the line above. */
struct log_stamps {
    char second[17];  /* "@400000006560f2a4" ... */
    int64_t label_us; /* ... and when that was */
    char minute[16];  /* "2026-11-21 14:02" in the zone of TZ ... */
    int64_t begins_s; /* ... and when that was */
};

/* Takes the stamp off the beginning of *line: a TAI64N label as of multilog, a date in
 * the zone of TZ as of tai64nlocal, or splogger's seconds, before which the system log
 * may have put its own date, host and tag. LOG_NO_TIME where there is none. */
int64_t log_stamp_take(struct log_stamps *stamps, struct view *line);

/* -- events: log_event.c */

enum log_channel { LOG_LOCAL, LOG_REMOTE, LOG_CHANNELS };

enum log_result { LOG_SUCCESS, LOG_DEFERRAL, LOG_FAILURE, LOG_RESULTS };

extern const char *const log_channel_names[LOG_CHANNELS];
extern const char *const log_result_names[LOG_RESULTS];

enum log_kind {
    LOG_UNKNOWN,
    LOG_NEW,          /* message */
    LOG_INFO,         /* message, size, address, qp, uid */
    LOG_START,        /* delivery, message, channel, address */
    LOG_RESULT,       /* delivery, result, text */
    LOG_STATUS,       /* running */
    LOG_EXITING,      /* */
    LOG_BOUNCE,       /* message, qp */
    LOG_TRIPLE,       /* message */
    LOG_END,          /* message */
    LOG_DEED,         /* message, word: what an admin had done to it */
    LOG_SMTP_TAKEN,   /* ip, address, recipient, helo, text, qp or 0 */
    LOG_SMTP_REFUSED, /* the same without qp */
    LOG_ALERT,        /* text */
    LOG_WARNING       /* text */
};

/* What a line says. Which members count says the kind; views are into the line. */
struct log_event {
    enum log_kind kind;
    enum log_channel channel;
    enum log_result result;
    uint64_t message, delivery, size, qp, uid;
    uint64_t running[LOG_CHANNELS];
    struct view address; /* the sender, or of LOG_START the recipient */
    struct view recipient, ip, helo, text;
    const char *word; /* "held", "released", "return", "delete", "try" */
};

/* Reads a line whose stamp has been taken off. */
enum log_kind log_event_read(struct view line, struct log_event *event);

/* -- patterns: log_match.c */

/* Whether v is what the pattern says, without regard to case: '*' stands for any
 * bytes, '?' for one. The pattern may have what the log shows as '_' or '/'. */
bool log_match(struct view pattern, struct view v);

/* -- reasons: log_reason.c */

enum { LOG_MAX_REASON = 200 };

/* Replaces out by the text of a result or reply with what differs from mail to mail
 * made general: ADDRESS, IP, URL, HOST, ID and N stand for such; '_' shows as a space
 * again. At most LOG_MAX_REASON bytes. */
void log_reason(struct bytes *out, struct view text);

/* -- showing: log_show.c */

/* Appends "2026-11-21 14:02:09.123456" in the zone of TZ, or "-" for LOG_NO_TIME; with
 * seconds alone; "2026-11-21T14:02:09.123456Z". */
void log_add_time(struct bytes *out, int64_t time_us);
void log_add_second(struct bytes *out, int64_t time_us);
void log_add_utc(struct bytes *out, int64_t time_us);

/* From one time to another; LOG_NO_TIME where one is not known or the clock was set
 * back between. */
int64_t log_span(int64_t from_us, int64_t to_us);

/* Appends "0.012 s", "3 min 20 s", "5 h 1 min", "2 d 3 h": what a reader wants. */
void log_add_span(struct bytes *out, int64_t span_us);

/* Appends v as a terminal may see it. */
void log_add_safe(struct bytes *out, struct view v);

/* Append a member of a JSON object: seconds with decimals, or null for LOG_NO_TIME; a
 * time, or null; a ratio with three decimals. */
void log_json_span(struct bytes *out, const char *name, int64_t span_us);
void log_json_time(struct bytes *out, const char *name, int64_t time_us);
void log_json_ratio(struct bytes *out, const char *name, double ratio);

#endif
