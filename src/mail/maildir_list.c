#include "mail/maildir_list.h"

#include "base/error.h"
#include "base/heap.h"
#include "mail/maildir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Calls each for every name in d that does not begin with a dot, and closes d. False
 * with errno set where it cannot be read. */
static bool each_name(DIR *d, void (*each)(void *arg, DIR *d, const char *name),
                      void *arg)
{
    const struct dirent *entry;
    while (errno = 0, (entry = readdir(d)) != NULL)
        if (entry->d_name[0] != '.')
            each(arg, d, entry->d_name);
    int error = errno;
    closedir(d);
    errno = error;
    return error == 0;
}

/* More than passes while a maildir is being read. */
enum { CLOCK_STEP_S = 3600 };

struct scan {
    struct maildir_list *list;
    const char *dir;
    int64_t now;
    int error; /* of a message that cannot be looked at now */
};

/* Whether it came while the clock was ahead, which has been set back since: the
 * kernel's own time of the last change tells. */
static bool is_ahead(const struct stat *st, int64_t now)
{
    return st->st_ctime > now && st->st_ctime - now > CLOCK_STEP_S &&
           st->st_mtime > now && st->st_mtime - now > CLOCK_STEP_S;
}

static void add(void *arg, DIR *d, const char *name)
{
    struct scan *scan = arg;
    struct maildir_list *list = scan->list;
    struct stat st;

    if (fstatat(dirfd(d), name, &st, 0) == -1) {
        /* one that is gone by now was another reader's */
        if (error_is_temporary(errno))
            scan->error = errno;
        return;
    }
    if (!S_ISREG(st.st_mode) || (st.st_mtime >= scan->now && !is_ahead(&st, scan->now)))
        return;
    if (list->count == list->room) {
        list->room = list->room ? 2 * list->room : 64;
        list->entries = heap_resize(list->entries, list->room, sizeof *list->entries);
    }
    list->entries[list->count++] =
        (struct maildir_entry){.mtime = st.st_mtime, .size = st.st_size};
    bytes_add_text(&list->names, scan->dir);
    bytes_add_byte(&list->names, '/');
    bytes_add_text(&list->names, name);
    bytes_add_byte(&list->names, '\0');
}

static int by_age(const void *a, const void *b)
{
    const struct maildir_entry *x = a, *y = b;
    if (x->mtime != y->mtime)
        return x->mtime < y->mtime ? -1 : 1;
    return strcmp(strchr(x->path, '/'), strchr(y->path, '/'));
}

enum maildir_scan maildir_list_read(struct maildir_list *list, int64_t now)
{
    static const struct {
        const char *name;
        enum maildir_scan missing;
    } dirs[] = {{"new", MAILDIR_NO_NEW}, {"cur", MAILDIR_NO_CUR}};

    for (size_t i = 0; i < COUNT(dirs); i++) {
        struct scan scan = {.list = list, .dir = dirs[i].name, .now = now};
        DIR *d = opendir(dirs[i].name);
        if (!d)
            return dirs[i].missing;
        if (!each_name(d, add, &scan))
            return MAILDIR_UNSCANNED;
        if (scan.error) {
            errno = scan.error;
            return MAILDIR_UNSCANNED;
        }
    }
    /* the names move no more */
    const char *path = list->names.data;
    for (size_t i = 0; i < list->count; i++) {
        list->entries[i].path = path;
        path += strlen(path) + 1;
    }
    if (list->count)
        qsort(list->entries, list->count, sizeof *list->entries, by_age);
    return MAILDIR_SCANNED;
}

void maildir_list_free(struct maildir_list *list)
{
    heap_free(list->entries);
    bytes_free(&list->names);
    *list = (struct maildir_list){0};
}

static void remove_if_old(void *arg, DIR *d, const char *name)
{
    const int64_t *now = arg;
    struct stat st;
    if (fstatat(dirfd(d), name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        *now - st.st_atime > MAILDIR_ABANDONED_S)
        unlinkat(dirfd(d), name, 0);
}

void maildir_clean_tmp(int64_t now)
{
    DIR *d = opendir("tmp");
    if (d)
        each_name(d, remove_if_old, &now);
}
