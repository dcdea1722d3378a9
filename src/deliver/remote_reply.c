#include "deliver/remote.h"

#include "base/number.h"

enum { CODE_LEN = 3 };

void remote_reply_clear(struct remote_reply *reply)
{
    struct bytes text = reply->text;
    bytes_clear(&text);
    *reply = (struct remote_reply){.text = text};
}

/* The reply has ended: what is its code? */
static void end_reply(struct remote_reply *r)
{
    bool good = !r->not_smtp && r->digits >= 200 && r->digits <= 599;
    r->code = good ? r->digits : 0;
    r->whole = true;
}

/* A line has ended after column bytes. A first line without a whole code is a reply
 * all the same; a later one is passed over, since the line that ends the reply
 * cannot be so short. */
static void end_line(struct remote_reply *r)
{
    if (!r->later_line && r->column < CODE_LEN)
        r->not_smtp = true;
    bool more = r->later_line && r->column < CODE_LEN ? true : r->more_follow;
    if (!more)
        end_reply(r);
    r->later_line = true;
    r->more_follow = false;
    r->column = 0;
}

static void take_byte(struct remote_reply *r, char c)
{
    if (r->column < CODE_LEN && !r->later_line) {
        if (byte_is_digit(c))
            r->digits = r->digits * 10 + (unsigned)(c - '0');
        else
            r->not_smtp = true;
    }
    if (r->column == CODE_LEN)
        r->more_follow = c == '-';
    if (r->column <= CODE_LEN)
        r->column++;
}

size_t remote_reply_feed(struct remote_reply *r, struct view in)
{
    size_t i = 0;
    while (i < in.len && !r->whole) {
        char c = in.data[i++];
        r->len++;
        if (c == '\r')
            continue;
        if (r->text.len < REMOTE_MAX_REPLY)
            bytes_add_byte(&r->text, c);
        if (c == '\n')
            end_line(r);
        else
            take_byte(r, c);
    }
    return i;
}

/* The first word of line, which is moved behind it and the spaces there. */
static struct view take_word(struct view *line)
{
    size_t end = 0;
    while (end < line->len && line->data[end] != ' ' && line->data[end] != '\t')
        end++;
    struct view word = view_before(*line, end);
    while (end < line->len && (line->data[end] == ' ' || line->data[end] == '\t'))
        end++;
    *line = view_from(*line, end);
    return word;
}

void remote_offers_read(struct remote_offers *offers, struct view reply)
{
    *offers = (struct remote_offers){0};
    for (bool first = true; view_has(reply, '\n'); first = false) {
        struct view line = view_cut(&reply, '\n');
        if (first || line.len <= CODE_LEN)
            continue;
        line = view_from(line, CODE_LEN + 1);
        struct view word = take_word(&line);
        if (view_is_case(word, "PIPELINING"))
            offers->pipelining = true;
        else if (view_is_case(word, "8BITMIME"))
            offers->eight_bit = true;
        else if (view_is_case(word, "STARTTLS"))
            offers->starttls = true;
        else if (view_is_case(word, "SIZE")) {
            offers->size = true;
            if (!number_take(&line, &offers->max_size))
                offers->max_size = 0;
        }
    }
}
