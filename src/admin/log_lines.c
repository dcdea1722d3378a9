#include "admin/log.h"
#include "base/reader.h"

#include <errno.h>
#include <string.h>

void log_lines_open(struct log_lines *lines, int fd)
{
    lines->fd = fd;
    lines->error = 0;
    lines->ended = lines->skipping = lines->broken = false;
    lines->bytes = lines->cut = 0;
    lines->start = lines->end = 0;
}

/* Reads more behind what is unread, which moves to the front. */
static bool fill(struct log_lines *lines)
{
    size_t left = lines->end - lines->start;

    if (lines->ended)
        return false;
    memmove(lines->data, lines->data + lines->start, left);
    lines->start = 0;
    lines->end = left;
    ssize_t n = read_some(lines->fd, lines->data + left, sizeof lines->data - left);
    if (n > 0) {
        lines->end += (size_t)n;
        lines->bytes += (uint64_t)n;
        return true;
    }
    lines->ended = true;
    lines->error = n < 0 ? errno : 0;
    lines->broken = left > 0 && !lines->skipping;
    return false;
}

/* A line that does not fit: its beginning, once; the rest is dropped. */
static bool take_beginning(struct log_lines *lines, struct view *line)
{
    bool first = !lines->skipping;

    *line = view_at(lines->data + lines->start, LOG_MAX_LINE);
    lines->start = lines->end;
    lines->skipping = true;
    lines->cut += first;
    return first;
}

bool log_lines_next(struct log_lines *lines, struct view *line)
{
    for (;;) {
        struct view unread =
            view_at(lines->data + lines->start, lines->end - lines->start);
        size_t len = view_find(unread, '\n');
        if (len < unread.len) {
            lines->start += len + 1;
            if (lines->skipping) {
                lines->skipping = false;
                continue;
            }
            lines->cut += len > LOG_MAX_LINE;
            *line = view_before(unread, len < LOG_MAX_LINE ? len : LOG_MAX_LINE);
            return true;
        }
        if (unread.len > LOG_MAX_LINE && take_beginning(lines, line))
            return true;
        if (lines->skipping)
            lines->start = lines->end;
        if (!fill(lines))
            return false;
    }
}
