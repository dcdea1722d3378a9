/* Any bytes as a log, given to splogger in the pieces that it makes of long lines: an
 * entry is one line of printable bytes with the stamp of its line's first piece, and
 * all entries together hold all the bytes. */
#include "admin/splogger.h"

#include "fuzz.h"
#include "must.h"

#include <stdio.h>

static size_t text_bytes;

static void check_entry(struct view entry, struct view piece, int64_t stamp_us,
                        bool first)
{
    char stamp[64];
    int len =
        snprintf(stamp, sizeof stamp, "%lld.%06lld%c", (long long)stamp_us / 1000000,
                 (long long)stamp_us % 1000000, first ? ' ' : '+');
    must(view_starts(entry, view_at(stamp, (size_t)len)));
    entry = view_from(entry, (size_t)len);
    must(is_printable_text(entry) && entry.len == piece.len);
    for (size_t i = 0; i < entry.len; i++)
        must(entry.data[i] == piece.data[i] || entry.data[i] == '?');
    text_bytes += entry.len;
}

static enum os_level level_of(struct view line)
{
    return view_starts(line, VIEW("warning:")) ? OS_WARNING
           : view_starts(line, VIEW("alert:")) ? OS_ALERT
                                               : OS_INFO;
}

static void check_line(struct splogger_line *state, struct view line, size_t most,
                       int64_t *now_us)
{
    struct bytes entry = {0};
    enum os_level level =
        level_of(view_before(line, line.len < most ? line.len : most));
    int64_t stamp_us = *now_us + 1;
    bool first = true;

    do {
        struct view piece = take_piece(&line, most);
        ++*now_us;
        bool logged = splogger_add(state, piece, line.len == 0, *now_us, &entry);
        must(logged == (piece.len > 0));
        if (logged) {
            check_entry(bytes_view(&entry), piece, stamp_us, first);
            must(state->level == level);
        }
        first = false;
    } while (line.len);
    must(!state->begun);
    bytes_free(&entry);
}

/* The first byte says how long a piece may be. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct splogger_line state = {false, 0, OS_INFO};
    struct view in = input_of(data, len);
    size_t most = 1 + take_number(&in), want = 0;
    int64_t now_us = 1700000000999990;

    text_bytes = 0;
    while (in.len) {
        struct view line = view_cut(&in, '\n');
        want += line.len;
        check_line(&state, line, most, &now_us);
    }
    must(text_bytes == want);
    return 0;
}
