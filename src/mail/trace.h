/* trace - the lines by which a message shows where it was delivered.
 *
 * A local delivery puts up to three of them in front of the message: the From_
 * line of an mbox, Return-Path and Delivered-To. Each ends with its line feed and
 * has no other. A message that already carries the Delivered-To line it is about
 * to get is going round in a loop. */
#ifndef MAIL_TRACE_H
#define MAIL_TRACE_H

#include "base/bytes.h"

/* "Delivered-To: LOCAL@DOMAIN\n"; a line feed inside becomes '_'. */
void trace_add_delivered_to(struct bytes *out, struct view local, struct view domain);

/* "Return-Path: <SENDER>\n", SENDER quoted as a header needs it, a line feed inside
 * then changed to '_'. */
void trace_add_return_path(struct bytes *out, struct view sender);

/* "From SENDER DATE\n", not quoted: space, tab and line feed become '-'. The null
 * sender is MAILER-DAEMON. */
void trace_add_from(struct bytes *out, struct view sender, int64_t seconds);

/* The sender that a message's first line names, if that is a Return-Path line as
 * above (its line feed may be missing): still quoted, empty for the null sender.
 * False for any other line. */
bool trace_take_return_path(struct view line, struct view *sender);

/* Looking for a line in a message's header, block by block. The header ends with
 * the first empty line. Nothing of the message is kept, so lines may have any
 * length. */
struct trace_search {
    struct view line; /* what to find, line feed included; the caller's */
    size_t matched;   /* bytes of the present line that are the same so far */
    bool differs;     /* the present line is another one */
    bool inside;      /* the present line has begun */
};

enum trace_result {
    TRACE_MORE, /* not seen so far; the header goes on */
    TRACE_FOUND,
    TRACE_ABSENT /* the header has ended without it */
};

void trace_search_begin(struct trace_search *s, struct view line);

/* Takes the next block. At the end of the message TRACE_MORE means that the line
 * is not there: a last line without line feed does not count. */
enum trace_result trace_search_next(struct trace_search *s, struct view block);

#endif
