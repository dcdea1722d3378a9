/* header - reading the header of a message, field by field.
 *
 * What counts as a field is decided here, for every program that reads a header:
 * - a line that begins with a space or a tab goes on with the field before it;
 * - a line "From ..." becomes the field "MBOX-Line: From ...";
 * - a line with a colon is a field if the name before it, spaces and tabs at its
 *   end aside, is not empty and has only bytes from 33 to 126;
 * - every other line ends the header, and an empty one is part of the body.
 * Memory is taken for one field and not for the body, whose lines may be endless. */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

#include "base/reader.h"

enum {
    HEADER_MAX = 64 << 20,     /* bytes that all fields together may have */
    HEADER_MAX_NAME = 1 << 20, /* a line with more before its colon is no field */
};

enum header_result {
    HEADER_FIELD,
    HEADER_END,      /* the rest of the input is body: header_body_start() */
    HEADER_TOO_LONG, /* more than HEADER_MAX bytes */
    HEADER_FAILED    /* see reader.error */
};

enum header_line {
    HEADER_LINE_OPEN, /* cannot be told yet */
    HEADER_LINE_FIELD,
    HEADER_LINE_MBOX,         /* From ... */
    HEADER_LINE_CONTINUATION, /* of the field before it, if there is one */
    HEADER_LINE_EMPTY,
    HEADER_LINE_OTHER,
    HEADER_LINE_NONE /* end of input */
};

/* {0} is not valid; begin with header_open(). */
struct header {
    struct reader *in;
    size_t left;           /* bytes that fields may still take */
    struct bytes start;    /* the beginning of the next line: enough to know... */
    enum header_line next; /* ...what it is */
    bool begun;
};

/* The reader stays the caller's, and stands behind the header at HEADER_END. */
void header_open(struct header *h, struct reader *in);

/* The next field, with all its lines and their line feeds; one that the input
 * lacks at its end is added. field is replaced. After anything but HEADER_FIELD
 * there are no more. */
enum header_result header_next(struct header *h, struct bytes *field);

/* After HEADER_END: what comes before the rest of the input. It begins with the
 * empty line between header and body; it is empty where the input ended in the
 * header. Good until header_free(). */
struct view header_body_start(const struct header *h);

void header_free(struct header *h);

/* A field's name, without white space at its end, and what follows the colon. */
struct view header_name(struct view field);
struct view header_value(struct view field);

/* What kind of line begins with start, of which all but the last byte were
 * HEADER_LINE_OPEN. */
enum header_line header_judge_line(struct view start);

#endif
