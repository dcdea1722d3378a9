/* feed - running a program whose input is ours with a text before it. */
#ifndef ACCEPT_FEED_H
#define ACCEPT_FEED_H

#include "base/bytes.h"

/* Runs argv (ended by NULL; found by PATH where it has no slash) with text and
 * then our descriptor 0 on its descriptor 0, and returns its exit code. A program
 * that does not read all of it is no error. Where our input cannot be read the
 * program is killed, so that it does not take what came for the whole. Failures
 * exit 111, with a line that begins with name. SIGPIPE must be ignored. */
int feed_or_die(const char *name, char *const *argv, struct view text);

#endif
