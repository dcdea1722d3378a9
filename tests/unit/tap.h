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

/* Goes to an empty directory of the test's own, which is removed when it ends. */
void scratch(void);

/* Makes a file of that content, or shows one: good until the next call. A file that
 * is not there shows as "(absent)". */
void make_file(const char *path, struct view content);
struct view content_of(const char *path);

/* Runs run(arg) in a process of its own and returns its exit code, or 256 plus the
 * signal that ended it. out, unless NULL, gets what it wrote on 1 and 2. */
int run_apart(void (*run)(void *arg), void *arg, struct bytes *out);

/* The plan. Returns main's exit status. */
int tap_done(void);

#endif
