/* error - the texts that our programs print for errno, and which errors pass. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>

/* The text of errno value e as qmail's users know it: "file does not exist",
 * "out of disk space"; "unknown error" for one that has none. */
const char *error_text(int e);

/* Whether trying again later may help. Decides between putting mail off and
 * returning it where a file or a program cannot be reached. */
bool error_is_temporary(int e);

#endif
