/* A log of any bytes is read line by line; views stay inside their line, and reasons
 * inside their limit. */
#include "admin/log.h"

#include "fuzz.h"

#include <stdlib.h>

static void inside(struct view part, struct view line)
{
    if (part.len &&
        (part.data < line.data || part.data + part.len > line.data + line.len))
        abort();
}

static void read_line(struct log_stamps *stamps, struct view line)
{
    static struct bytes reason;
    struct log_event event = {0};
    struct view rest = line;

    int64_t us = log_stamp_take(stamps, &rest);
    inside(rest, line);
    if (us != LOG_NO_TIME && us < 0)
        abort();
    log_event_read(rest, &event);
    inside(event.address, line);
    inside(event.recipient, line);
    inside(event.ip, line);
    inside(event.helo, line);
    inside(event.text, line);
    log_reason(&reason, line);
    if (reason.len > LOG_MAX_REASON || !reason.len)
        abort();
    size_t half = line.len / 2;
    log_match(view_before(line, half), view_from(line, half));
    if (!view_has(line, '*') && !view_has(line, '?') && !log_match(line, line))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct log_stamps stamps = {0};
    struct view rest = view_at((const char *)data, len);

    while (rest.len)
        read_line(&stamps, view_cut(&rest, '\n'));
    return 0;
}
