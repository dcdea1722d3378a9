#include "mail/summary.h"

#include "mail/header.h"

void summary_add_printable(struct bytes *out, struct view v, char other)
{
    for (size_t i = 0; i < v.len; i++)
        bytes_add_byte(out, v.data[i] < 32 || v.data[i] > 126 ? other : v.data[i]);
}

/* As much of v as max allows. */
static void add_text(struct bytes *text, struct view v, size_t max)
{
    size_t left = max - text->len;
    summary_add_printable(text, view_before(v, v.len < left ? v.len : left), '/');
}

static struct view without_blanks_before(struct view v)
{
    while (v.len && view_has(VIEW(" \t"), v.data[0]))
        v = view_from(v, 1);
    return v;
}

static void keep_first(struct bytes *kept, struct view v)
{
    if (kept->len == 0)
        bytes_set(kept, view_trim_end(v, " \t\r\n"));
}

static void take_field(struct summary *s, struct view field, size_t max)
{
    struct view name = header_name(field);
    struct view value = without_blanks_before(header_value(field));

    if (view_is_case(name, "Subject"))
        add_text(&s->text, value, max);
    else if (view_is_case(name, "From"))
        keep_first(&s->from, field);
    else if (view_is_case(name, "Return-Path"))
        keep_first(&s->return_path, value);
    else if (view_is_case(name, "Delivered-To"))
        keep_first(&s->delivered_to, value);
}

static void clear(struct summary *s)
{
    bytes_clear(&s->return_path);
    bytes_clear(&s->delivered_to);
    bytes_clear(&s->from);
    bytes_clear(&s->text);
}

void summary_read(struct summary *s, int fd, size_t max)
{
    static struct reader input;
    struct header header;
    struct bytes field = {0};
    struct view body;

    clear(s);
    reader_open(&input, fd, 0);
    header_open(&header, &input);
    while (header_next(&header, &field) == HEADER_FIELD)
        take_field(s, bytes_view(&field), max);
    add_text(&s->text, header_body_start(&header), max);
    while (s->text.len < max && reader_peek(&input, &body) == READ_ITEM) {
        add_text(&s->text, body, max);
        reader_skip(&input, body.len);
    }
    header_free(&header);
    bytes_free(&field);
}

void summary_free(struct summary *s)
{
    bytes_free(&s->return_path);
    bytes_free(&s->delivered_to);
    bytes_free(&s->from);
    bytes_free(&s->text);
}
