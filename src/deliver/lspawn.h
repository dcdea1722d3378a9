/* lspawn - the end of a local delivery, turned into a report, as a part of
 * qmail-lspawn. */
#ifndef DELIVER_LSPAWN_H
#define DELIVER_LSPAWN_H

#include "base/bytes.h"

enum {
    LSPAWN_MAX_TEXT = 3000 /* bytes; longer output is cut and a notice added */
};

/* What a child has printed, as far as it is kept. {0} is nothing. */
struct lspawn_text {
    struct bytes kept;
    bool cut; /* there was more */
};

void lspawn_take(struct lspawn_text *t, struct view piece);

/* Appends the report for an exit code of enum local_exit or any other. */
void lspawn_report_exit(struct bytes *report, int code, const struct lspawn_text *t);

/* The same for a status as wait(2) tells it, of qmail-local. */
void lspawn_report(struct bytes *report, int status, const struct lspawn_text *t);

#endif
