/* tap - checks that print TAP, for prove. */
#ifndef TESTS_TAP_H
#define TESTS_TAP_H

#include "base/bytes.h"

/* One check: passed is the outcome, the words (joined by a space, part may be
 * NULL) its name. */
void ok(bool passed, const char *name, const char *part);

/* got and want hold the same bytes; shows both where they do not. */
void same(struct view got, struct view want, const char *name);

/* got and want are the same number. */
void same_number(uint64_t got, uint64_t want, const char *name);

/* text cut at each space, as main() gets its arguments: ended by NULL, and good
 * until the next call. NULL gives no arguments at all. */
char **tap_words(const char *text);

/* The rest of the file cannot be run here; says why. */
void skip_rest(const char *why);

/* The plan. Returns main's exit status. */
int tap_done(void);

#endif
