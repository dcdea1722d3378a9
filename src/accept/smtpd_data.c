#include "accept/smtpd_data.h"

/* A run goes on for as long as the input itself is the output. Of a line end only
 * the CR is left out, so a run reaches from one line's LF over the next line up
 * to its CR: one run a line, found by memchr. */

void smtpd_data_begin(struct smtpd_data *d)
{
    d->place = SMTPD_DATA_LINE_START;
    d->bare_cr = false;
}

/* The first len bytes of *rest are the run; the input goes on skip bytes later. */
static enum smtpd_data_step cut(struct view *rest, size_t len, size_t skip,
                                struct view *run)
{
    *run = view_before(*rest, len);
    *rest = view_from(*rest, len + skip);
    return SMTPD_DATA_RUN;
}

/* A CR that is already behind us was not followed by LF: it is text, and so is
 * what comes. */
static enum smtpd_data_step keep(struct smtpd_data *d, struct view owed,
                                 struct view *run)
{
    d->bare_cr = true;
    d->place = SMTPD_DATA_TEXT;
    *run = owed;
    return SMTPD_DATA_RUN;
}

/* Where the text that begins at number at ends: at a CR, at a LF, which is then
 * bare, or at the end of the block. */
static size_t text_end(struct view block, size_t at)
{
    struct view text = view_from(block, at);
    text = view_before(text, view_find(text, '\r'));
    return at + view_find(text, '\n');
}

enum smtpd_data_step smtpd_data_next(struct smtpd_data *d, struct view *rest,
                                     struct view *run)
{
    size_t at = 0; /* the first at bytes of *rest belong to the run */

    while (at < rest->len) {
        char c = rest->data[at];
        switch (d->place) {
        case SMTPD_DATA_LINE_START:
            if (c == '.') {
                d->place = SMTPD_DATA_DOT;
                return cut(rest, at, 1, run);
            }
            d->place = SMTPD_DATA_TEXT;
            break;
        case SMTPD_DATA_TEXT:
            at = text_end(*rest, at);
            if (at == rest->len)
                break;
            if (rest->data[at] == '\n')
                return SMTPD_DATA_BARE_LF;
            d->place = SMTPD_DATA_CR;
            return cut(rest, at, 1, run);
        case SMTPD_DATA_CR:
            if (c != '\n')
                return keep(d, VIEW("\r"), run);
            d->place = SMTPD_DATA_LINE_START;
            at++; /* the LF begins the next run */
            break;
        case SMTPD_DATA_DOT:
            if (c == '\r') {
                d->place = SMTPD_DATA_DOT_CR;
                *rest = view_from(*rest, 1);
            } else {
                d->place = SMTPD_DATA_TEXT; /* the dot is gone */
            }
            break;
        case SMTPD_DATA_DOT_CR:
            if (c != '\n')
                return keep(d, VIEW(".\r"), run);
            *rest = view_from(*rest, 1);
            return SMTPD_DATA_END;
        }
    }
    return at ? cut(rest, at, 0, run) : SMTPD_DATA_MORE;
}
