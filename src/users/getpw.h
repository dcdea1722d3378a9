/* getpw - what qmail-getpw and qmail-getpw-nss have in common: they ask different
 * databases the same questions. */
#ifndef USERS_GETPW_H
#define USERS_GETPW_H

#include "mail/account.h"

/* Out of memory from now on ends the process with LOCAL_MEMORY. */
void getpw_begin(void);

/* Whose address a local part is. */
enum account_result getpw_find(const char *local, account_asked *ask,
                               struct account *a);

/* Prints the answer on descriptor 1. The exit code of the process. */
int getpw_answer(enum account_result result, const struct account *a);

#endif
