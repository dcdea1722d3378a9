/* pop3d_text - a message on its way to a POP3 client (RFC 1939, 3).
 *
 * Lines that begin with a dot get a second one, LF becomes CR LF, and a last line
 * without LF gets both. The text may come in pieces of any size. */
#ifndef MAILBOX_POP3D_TEXT_H
#define MAILBOX_POP3D_TEXT_H

#include "base/writer.h"

struct pop3d_text {
    bool in_body;   /* an empty line was there */
    bool in_line;   /* something of the present line has gone out */
    uint64_t lines; /* of the body that may still be sent */
};

/* Begins a text of which at most so many lines of the body are sent; UINT64_MAX: all
 * of them. */
void pop3d_text_begin(struct pop3d_text *t, uint64_t body_lines);

/* Sends a piece. False once nothing more of the text is wanted. */
bool pop3d_text_send(struct pop3d_text *t, struct view piece, struct writer *out);

/* Ends the last line, and the text: an empty line, as clients of qmail know it, and
 * the dot. */
void pop3d_text_end(struct pop3d_text *t, struct writer *out);

#endif
