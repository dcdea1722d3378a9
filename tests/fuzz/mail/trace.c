/* A header is searched for a line in two blocks, cut where the first byte says. The
 * answer is that of looking at whole lines. */
#include "mail/trace.h"

#include "fuzz.h"

#include <stdlib.h>

#define LINE "Delivered-To: a@b\n"

static enum trace_result look_at_lines(struct view message)
{
    while (message.len) {
        size_t end = view_find(message, '\n');
        if (end == message.len)
            return TRACE_MORE;
        if (end == 0)
            return TRACE_ABSENT;
        if (view_equal(view_before(message, end + 1), VIEW(LINE)))
            return TRACE_FOUND;
        message = view_from(message, end + 1);
    }
    return TRACE_MORE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct trace_search search;

    if (len == 0)
        return 0;
    struct view message = view_at((const char *)data + 1, len - 1);
    size_t cut = data[0] < message.len ? data[0] : message.len;
    trace_search_begin(&search, VIEW(LINE));
    enum trace_result got = trace_search_next(&search, view_before(message, cut));
    if (got == TRACE_MORE)
        got = trace_search_next(&search, view_from(message, cut));
    if (got != look_at_lines(message))
        abort();
    return 0;
}
