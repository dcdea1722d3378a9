/* dir - the names in a directory, read before any of them is used.
 *
 * For what may change the directory meanwhile, and for listings, which should not
 * depend on the file system's order. */
#ifndef BASE_DIR_H
#define BASE_DIR_H

#include <stdbool.h>

/* Calls each(arg, name) for every name in the directory but "." and "..", in the order
 * of their bytes. False with errno set, and nothing called, where it cannot be read. */
bool dir_each_name(const char *path, void (*each)(void *arg, const char *name),
                   void *arg);

#endif
