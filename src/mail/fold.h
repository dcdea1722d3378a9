/* fold - writing a header field that was read as tokens. */
#ifndef MAIL_FOLD_H
#define MAIL_FOLD_H

#include "mail/token.h"

/* The longest line to make, without its line feed (RFC 5322, 2.1.1). */
enum { FOLD_WIDTH = 78 };

/* Appends name, a colon, the tokens and a line feed. Lines are broken behind
 * commas alone, so one that holds a single long address is as long as it is. */
void fold_field(struct bytes *out, struct view name, const struct tokens *value);

#endif
