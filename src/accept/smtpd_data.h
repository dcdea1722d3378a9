/* smtpd_data - the text behind DATA, decoded (RFC 5321, 4.5.2 and 2.3.8).
 *
 * CR LF becomes LF, a dot that hides another loses itself, and only CR LF . CR LF
 * ends the text. A LF without its CR is never a line end here: servers that
 * disagree about that let one client's text become another's mail.
 *
 *     smtpd_data_begin(&d);
 *     for each block of input:
 *         while ((step = smtpd_data_next(&d, &block, &run)) == SMTPD_DATA_RUN)
 *             keep(run);
 */
#ifndef ACCEPT_SMTPD_DATA_H
#define ACCEPT_SMTPD_DATA_H

#include "base/bytes.h"

enum smtpd_data_place {
    SMTPD_DATA_LINE_START, /* nothing yet, or CR LF */
    SMTPD_DATA_TEXT,       /* in a line */
    SMTPD_DATA_CR,         /* ... CR */
    SMTPD_DATA_DOT,        /* CR LF . */
    SMTPD_DATA_DOT_CR      /* CR LF . CR */
};

struct smtpd_data {
    enum smtpd_data_place place;
    bool bare_cr; /* a CR was not followed by LF; it has been kept */
};

enum smtpd_data_step {
    SMTPD_DATA_RUN,    /* run holds the next bytes of the text, perhaps none */
    SMTPD_DATA_MORE,   /* the block is used up; nothing of it is owed */
    SMTPD_DATA_END,    /* that was the end; rest holds what follows it */
    SMTPD_DATA_BARE_LF /* a LF without CR: the text can never end well */
};

void smtpd_data_begin(struct smtpd_data *d);

/* Decodes from *rest, which is moved behind what has been used. run points into
 * the block or to constant bytes. Not called again after END or BARE_LF. */
enum smtpd_data_step smtpd_data_next(struct smtpd_data *d, struct view *rest,
                                     struct view *run);

#endif
