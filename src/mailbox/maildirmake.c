/* maildirmake - make a new maildir.
 *
 * runs as  the owner to be
 * writes   NAME, NAME/tmp, NAME/new, NAME/cur
 * fd 2     why not
 * exits    0 made, and on stable storage; 100 no name; 111 failed */
#include "base/die.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/heap.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const parts[] = {"tmp", "new", "cur"};

static void make(const char *name)
{
    if (mkdir(name, 0700) == -1)
        die_temp("unable to mkdir %s: %s", name, error_text(errno));
    if (chdir(name) == -1)
        die_temp("unable to chdir to %s: %s", name, error_text(errno));
    for (size_t i = 0; i < COUNT(parts); i++)
        if (mkdir(parts[i], 0700) == -1)
            die_temp("unable to mkdir %s/%s: %s", name, parts[i], error_text(errno));
}

/* The new directories, and the one that holds the first of them. */
static void sync_all(const char *name)
{
    for (size_t i = 0; i < COUNT(parts); i++)
        if (!dir_sync(parts[i]))
            die_temp("unable to sync %s/%s: %s", name, parts[i], error_text(errno));
    if (!dir_sync(".") || !dir_sync(".."))
        die_temp("unable to sync %s: %s", name, error_text(errno));
}

int main(int argc, char **argv)
{
    die_name("maildirmake");
    heap_on_failure(die_of_memory);
    if (argc < 2)
        die_raw(DIE_PERM, "maildirmake: usage: maildirmake name\n");
    if (!fd_fill_standard())
        die_temp("unable to open /dev/null: %s", error_text(errno));
    umask(077);
    make(argv[1]);
    sync_all(argv[1]);
    return 0;
}
