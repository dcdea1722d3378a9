#include "mail/trace.h"

#include "mail/address.h"
#include "mail/date.h"

/* Changes old into fresh in the part of b that starts at byte number from. */
static void change_from(struct bytes *b, size_t from, char old, char fresh)
{
    for (size_t i = from; i < b->len; i++)
        if (b->data[i] == old)
            b->data[i] = fresh;
}

void trace_add_delivered_to(struct bytes *out, struct view local, struct view domain)
{
    size_t from = out->len;
    bytes_add_text(out, "Delivered-To: ");
    bytes_add(out, local);
    bytes_add_byte(out, '@');
    bytes_add(out, domain);
    change_from(out, from, '\n', '_');
    bytes_add_byte(out, '\n');
}

void trace_add_return_path(struct bytes *out, struct view sender)
{
    size_t from = out->len;
    bytes_add_text(out, "Return-Path: <");
    address_quote(out, sender);
    bytes_add_byte(out, '>');
    change_from(out, from, '\n', '_');
    bytes_add_byte(out, '\n');
}

bool trace_take_return_path(struct view line, struct view *sender)
{
    struct view start = VIEW("Return-Path: <");

    line = view_trim_end(line, "\n");
    if (!view_starts(line, start) || line.len == start.len)
        return false;
    bool is_null = line.data[start.len] == '>';
    *sender = view_from(line, start.len);
    sender->len = is_null ? 0 : sender->len - 1; /* without the '>' */
    return true;
}

void trace_add_from(struct bytes *out, struct view sender, int64_t seconds)
{
    bytes_add_text(out, "From ");
    size_t from = out->len;
    bytes_add(out, sender.len ? sender : VIEW("MAILER-DAEMON"));
    change_from(out, from, ' ', '-');
    change_from(out, from, '\t', '-');
    change_from(out, from, '\n', '-');
    bytes_add_byte(out, ' ');
    date_add_mbox(out, seconds);
    bytes_add_byte(out, '\n');
}

void trace_search_begin(struct trace_search *s, struct view line)
{
    *s = (struct trace_search){.line = line};
}

enum trace_result trace_search_next(struct trace_search *s, struct view block)
{
    while (block.len) {
        size_t end = view_find(block, '\n');
        bool ends = end < block.len;
        struct view piece = view_before(block, ends ? end + 1 : end);
        block = view_from(block, piece.len);

        if (ends && !s->inside && piece.len == 1)
            return TRACE_ABSENT;
        if (!s->differs && view_starts(view_from(s->line, s->matched), piece))
            s->matched += piece.len;
        else
            s->differs = true;
        if (ends && !s->differs && s->matched == s->line.len)
            return TRACE_FOUND;
        s->inside = !ends;
        if (ends) {
            s->matched = 0;
            s->differs = false;
        }
    }
    return TRACE_MORE;
}
