#include "mail/header.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

enum header_line header_judge_line(struct view start)
{
    char c = start.data[start.len - 1];

    if (start.len == 1) {
        if (c == '\n')
            return HEADER_LINE_EMPTY;
        if (is_blank(c))
            return HEADER_LINE_CONTINUATION;
        if (c == ':')
            return HEADER_LINE_OTHER;
    }
    if (view_is(start, "From "))
        return HEADER_LINE_MBOX;
    if (c == ':')
        return HEADER_LINE_FIELD;
    if (!is_blank(c)) {
        bool behind_blank = start.len > 1 && is_blank(start.data[start.len - 2]);
        if (behind_blank || c < 33 || c > 126)
            return HEADER_LINE_OTHER;
    }
    return start.len > HEADER_MAX_NAME ? HEADER_LINE_OTHER : HEADER_LINE_OPEN;
}

void header_open(struct header *h, struct reader *in)
{
    *h = (struct header){.in = in, .left = HEADER_MAX};
}

/* Reads so much of the next line that h->next can be told. */
static bool look_at_line(struct header *h)
{
    struct view unread;

    bytes_clear(&h->start);
    do {
        switch (reader_peek(h->in, &unread)) {
        case READ_ITEM:
            break;
        case READ_END:
            h->next = h->start.len ? HEADER_LINE_OTHER : HEADER_LINE_NONE;
            return true;
        default:
            return false;
        }
        bytes_add_byte(&h->start, unread.data[0]);
        reader_skip(h->in, 1);
        h->next = header_judge_line(bytes_view(&h->start));
    } while (h->next == HEADER_LINE_OPEN);
    return true;
}

static bool may_take(struct header *h, size_t len)
{
    if (len > h->left)
        return false;
    h->left -= len;
    return true;
}

/* Appends the line that look_at_line() began, to its end. */
static enum header_result take_line(struct header *h, struct bytes *field)
{
    if (!may_take(h, h->start.len))
        return HEADER_TOO_LONG;
    bytes_add(field, bytes_view(&h->start));
    for (;;) {
        struct view unread;
        switch (reader_peek(h->in, &unread)) {
        case READ_ITEM:
            break;
        case READ_END:
            bytes_add_byte(field, '\n');
            return HEADER_FIELD;
        default:
            return HEADER_FAILED;
        }
        size_t at = view_find(unread, '\n');
        size_t take = at < unread.len ? at + 1 : at;
        if (!may_take(h, take))
            return HEADER_TOO_LONG;
        bytes_add(field, view_before(unread, take));
        reader_skip(h->in, take);
        if (at < unread.len)
            return HEADER_FIELD;
    }
}

/* Makes h->start what the body begins with. */
static void end_header(struct header *h)
{
    struct bytes body = {0};

    if (h->next == HEADER_LINE_EMPTY || h->next == HEADER_LINE_NONE)
        return;
    bytes_add_byte(&body, '\n');
    bytes_add(&body, bytes_view(&h->start));
    bytes_free(&h->start);
    h->start = body;
    h->next = HEADER_LINE_EMPTY;
}

enum header_result header_next(struct header *h, struct bytes *field)
{
    bytes_clear(field);
    if (!h->begun && !look_at_line(h))
        return HEADER_FAILED;
    h->begun = true;
    if (h->next == HEADER_LINE_MBOX) {
        bytes_add_text(field, "MBOX-Line: ");
    } else if (h->next != HEADER_LINE_FIELD) {
        end_header(h);
        return HEADER_END;
    }
    do {
        enum header_result result = take_line(h, field);
        if (result != HEADER_FIELD)
            return result;
        if (!look_at_line(h))
            return HEADER_FAILED;
    } while (h->next == HEADER_LINE_CONTINUATION);
    return HEADER_FIELD;
}

struct view header_body_start(const struct header *h)
{
    return bytes_view(&h->start);
}

void header_free(struct header *h)
{
    bytes_free(&h->start);
}

struct view header_name(struct view field)
{
    return view_trim_end(view_before(field, view_find(field, ':')), " \t");
}

struct view header_value(struct view field)
{
    view_cut(&field, ':');
    return field;
}
