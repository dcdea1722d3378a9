/* splogger - the part of splogger that decides what a log line looks like. */
#ifndef ADMIN_SPLOGGER_H
#define ADMIN_SPLOGGER_H

#include "base/bytes.h"
#include "base/os.h"

enum {
    SPLOGGER_MAX_PIECE = 799,     /* bytes of a line that go into one entry */
    SPLOGGER_DEFAULT_FACILITY = 2 /* mail */
};

/* What the pieces of a line have in common. {0} is between two lines. */
struct splogger_line {
    bool begun;
    int64_t stamp_us; /* when its first piece was there */
    enum os_level level;
};

/* Makes the entry for the next piece of a line, which replaces what is in entry:
 * "STAMP TEXT", or "STAMP+TEXT" for any but the first. last: the line ends with
 * this piece. False where there is nothing to log: the line is empty. */
bool splogger_add(struct splogger_line *line, struct view piece, bool last,
                  int64_t now_us, struct bytes *entry);

/* The facility argument, as openlog(3) wants it. NULL: the default. */
int splogger_facility(const char *number);

#endif
