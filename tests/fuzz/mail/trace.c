/* A header is searched for a line in two blocks, cut where the first byte says. The
 * answer is that of looking at whole lines. The same bytes as a sender: each line that
 * names it is one line, and the one that quotes it gives it back. */
#include "mail/trace.h"

#include "fuzz.h"
#include "mail/address.h"

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

static void is_one_line(const struct bytes *line, const char *start)
{
    struct view v = bytes_view(line);
    MUST(view_starts(v, view_of(start)));
    MUST(view_find(v, '\n') == v.len - 1);
}

static void name_sender(struct view sender)
{
    struct bytes line = {0}, quoted = {0};
    struct view taken;

    trace_add_from(&line, sender, 0);
    is_one_line(&line, "From ");
    struct view rest = view_from(bytes_view(&line), 5);
    MUST(view_cut(&rest, ' ').len == (sender.len ? sender.len : 13));
    MUST(view_is(rest, "Thu Jan 01 00:00:00 1970\n"));
    bytes_clear(&line);
    trace_add_delivered_to(&line, sender, VIEW("x"));
    is_one_line(&line, "Delivered-To: ");
    bytes_clear(&line);
    trace_add_return_path(&line, sender);
    is_one_line(&line, "Return-Path: <");
    address_quote(&quoted, sender);
    bytes_change(&quoted, '\n', '_');
    MUST(trace_take_return_path(bytes_view(&line), &taken));
    MUST(view_equal(taken, bytes_view(&quoted)));
    if (trace_take_return_path(sender, &taken)) /* as a line */
        MUST(view_starts(sender, VIEW("Return-Path: <")) && taken.len < sender.len);
    bytes_free(&line);
    bytes_free(&quoted);
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
    MUST(got == look_at_lines(message));
    name_sender(message);
    return 0;
}
