/* newmrh - the lines of control/morercpthosts as parts of qmail-newmrh. */
#ifndef ADMIN_NEWMRH_H
#define ADMIN_NEWMRH_H

#include "base/bytes.h"

/* Makes a line, without its line feed, the key under which rcpthosts_check() looks
 * for it. False for a line that is no entry: empty, or a comment. */
bool newmrh_key(struct bytes *line);

#endif
