#include "deliver/remote.h"

static void end_line(struct remote_blast *b, struct bytes *out)
{
    bytes_add(out, VIEW("\r\n"));
    b->in_line = false;
}

/* Text without CR and LF. */
static void add_text(struct remote_blast *b, struct view text, struct bytes *out)
{
    if (text.len == 0)
        return;
    if (!b->in_line && text.data[0] == '.')
        bytes_add_byte(out, '.');
    bytes_add(out, text);
    b->in_line = true;
    b->after_cr = false;
}

/* Text without LF. */
static void add_lines(struct remote_blast *b, struct view text, struct bytes *out)
{
    while (text.len) {
        size_t cr = view_find(text, '\r');
        add_text(b, view_before(text, cr), out);
        if (cr == text.len)
            return;
        end_line(b, out);
        b->after_cr = true;
        text = view_from(text, cr + 1);
    }
}

void remote_blast_feed(struct remote_blast *b, struct view block, struct bytes *out)
{
    bytes_reserve(out, 2 * block.len);
    while (block.len) {
        size_t lf = view_find(block, '\n');
        add_lines(b, view_before(block, lf), out);
        if (lf == block.len)
            return;
        if (!b->after_cr)
            end_line(b, out);
        b->after_cr = false;
        block = view_from(block, lf + 1);
    }
}

bool remote_blast_end(const struct remote_blast *b, struct bytes *out)
{
    if (b->in_line)
        return false;
    bytes_add(out, VIEW(".\r\n"));
    return true;
}
