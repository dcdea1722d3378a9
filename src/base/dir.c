#include "base/dir.h"

#include "base/heap.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int compare_names(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

/* The names but for "." and "..", not sorted. False with errno set. */
static bool read_names(DIR *dir, char ***names, size_t *count)
{
    size_t room = 0;

    for (const struct dirent *entry; errno = 0, (entry = readdir(dir));) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        if (*count == room) {
            room = room ? room * 2 : 64;
            *names = heap_resize(*names, room, sizeof(char *));
        }
        (*names)[*count] = heap_array(strlen(name) + 1, 1);
        memcpy((*names)[(*count)++], name, strlen(name) + 1);
    }
    return errno == 0;
}

bool dir_each_name(const char *path, void (*each)(void *arg, const char *name),
                   void *arg)
{
    char **names = NULL;
    size_t count = 0;
    DIR *dir = opendir(path);

    if (!dir)
        return false;
    bool read = read_names(dir, &names, &count);
    int reason = errno;
    closedir(dir);
    if (count)
        qsort(names, count, sizeof(char *), compare_names);
    for (size_t i = 0; i < count; i++) {
        if (read)
            each(arg, names[i]);
        heap_free(names[i]);
    }
    heap_free(names);
    errno = reason;
    return read;
}
