/* heap - memory that is there or never comes back empty-handed.
 *
 * No caller checks for NULL. A program says once what running out of memory
 * means for it: qmail-queue exits 51, qmail-smtpd answers 421, qmail-send
 * waits. Sizes are checked for overflow here, in one place. */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stddef.h>

/* Called when there is no memory. If it returns, the allocation is tried
 * again; it may also exit. Without one the program exits 111 silently. */
void heap_on_failure(void (*handler)(void));

/* count objects of each bytes, contents undefined. Never NULL. */
void *heap_array(size_t count, size_t each);

/* As heap_array(), after keeping what is at old (NULL: nothing), which is
 * released. */
void *heap_resize(void *old, size_t count, size_t each);

/* Ask for what heap_array() and heap_resize() would give, but return NULL with
 * errno set where there is no memory; then old stays. For what can be done
 * without. */
void *heap_try(size_t count, size_t each);
void *heap_try_resize(void *old, size_t count, size_t each);

void heap_free(void *p);

#endif
