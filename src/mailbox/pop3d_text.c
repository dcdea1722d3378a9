#include "mailbox/pop3d_text.h"

void pop3d_text_begin(struct pop3d_text *t, uint64_t body_lines)
{
    *t = (struct pop3d_text){.lines = body_lines};
}

/* Sends a line, or what is there of it. */
static void send_part(struct pop3d_text *t, struct view part, struct writer *out)
{
    if (part.len == 0)
        return;
    if (!t->in_line && part.data[0] == '.')
        writer_add_byte(out, '.');
    writer_add(out, part);
    t->in_line = true;
}

static void end_line(struct pop3d_text *t, struct writer *out)
{
    writer_add(out, VIEW("\r\n"));
    if (t->in_body)
        t->lines--;
    else if (!t->in_line)
        t->in_body = true;
    t->in_line = false;
}

bool pop3d_text_send(struct pop3d_text *t, struct view piece, struct writer *out)
{
    while (piece.len) {
        if (t->in_body && t->lines == 0)
            return false;
        size_t len = view_find(piece, '\n');
        send_part(t, view_before(piece, len), out);
        if (len == piece.len)
            break;
        end_line(t, out);
        piece = view_from(piece, len + 1);
    }
    return true;
}

void pop3d_text_end(struct pop3d_text *t, struct writer *out)
{
    if (t->in_line)
        end_line(t, out);
    writer_add(out, VIEW("\r\n.\r\n"));
}
