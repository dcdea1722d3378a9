#include "admin/splogger.h"

#include "base/number.h"

#include <inttypes.h>

enum {
    SECOND_US = 1000000,
    FIRST_PRINTABLE = 32,
    LAST_PRINTABLE = 126,
    FACILITY_STEP = 8,     /* syslog(3) keeps the priority below the facility */
    FACILITY_LARGEST = 127 /* as many as the field holds */
};

static enum os_level level_of(struct view text)
{
    if (view_starts(text, VIEW("warning:")))
        return OS_WARNING;
    if (view_starts(text, VIEW("alert:")))
        return OS_ALERT;
    return OS_INFO;
}

static void add_printable(struct bytes *out, struct view text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        bool printable = byte >= FIRST_PRINTABLE && byte <= LAST_PRINTABLE;
        bytes_add_byte(out, printable ? (char)byte : '?');
    }
}

bool splogger_add(struct splogger_line *line, struct view piece, bool last,
                  int64_t now_us, struct bytes *entry)
{
    if (!piece.len) {
        line->begun = line->begun && !last;
        return false;
    }
    bool first = !line->begun;
    if (first) {
        line->stamp_us = now_us;
        line->level = level_of(piece);
    }
    line->begun = !last;
    bytes_clear(entry);
    bytes_add_format(entry, "%" PRId64 ".%06" PRId64 "%c", line->stamp_us / SECOND_US,
                     line->stamp_us % SECOND_US, first ? ' ' : '+');
    add_printable(entry, piece);
    return true;
}

int splogger_facility(const char *number)
{
    struct view text = number ? view_of(number) : (struct view){0};
    uint64_t n = SPLOGGER_DEFAULT_FACILITY;

    if (number && !number_take(&text, &n))
        n = 0;
    return (int)(n > FACILITY_LARGEST ? FACILITY_LARGEST : n) * FACILITY_STEP;
}
