/* verdict - asking a program whether something is so.
 *
 * It says yes by exit code 0 and no by any other; 111 says that it cannot tell for
 * now. A program that cannot be found says no. */
#ifndef DOTQMAIL_VERDICT_H
#define DOTQMAIL_VERDICT_H

#include <stdbool.h>

/* Runs argv (ended by NULL; argv[0] is looked for in PATH) with our descriptors and
 * environment. True: yes. Exits 111 where there is no answer. */
bool verdict_or_die(char *const *argv);

#endif
