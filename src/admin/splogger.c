/* splogger - pass lines on to the system log.
 *
 * runs as  qmaill, started by qmail-start as its log program
 * usage    splogger [tag [facility]]
 * fd 0     the lines
 * exits    0 at end of input, 111 when it cannot be read */
#include "admin/splogger.h"

#include "base/clock.h"
#include "base/die.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/heap.h"
#include "base/reader.h"
#include "base/sandbox.h"

int main(int argc, char **argv)
{
    static struct reader input;
    struct splogger_line line = {0};
    struct bytes piece = {0}, entry = {0};
    enum read_result result;

    die_name("splogger");
    heap_on_failure(die_of_memory);
    if (!fd_fill_standard())
        return DIE_TEMP;
    os_syslog_open(argc > 1 ? argv[1] : "splogger",
                   splogger_facility(argc > 2 ? argv[2] : NULL));
    sandbox_enter(SANDBOX_FILES | SANDBOX_NETWORK); /* the log may be restarted */
    reader_open(&input, 0, 0);

    do {
        result = reader_until(&input, '\n', SPLOGGER_MAX_PIECE, &piece);
        bool last = result != READ_TOO_LONG;
        if (splogger_add(&line, bytes_view(&piece), last, clock_now_us(), &entry))
            os_syslog(line.level, bytes_cstring(&entry));
    } while (result == READ_ITEM || result == READ_TOO_LONG);
    if (result == READ_FAILED)
        die_temp("unable to read: %s", error_text(input.error));
    return 0;
}
