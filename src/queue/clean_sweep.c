#include "queue/clean.h"

#include "mail/queue_dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Both times must be old: not every file system keeps the access time, and a
 * backup may have put it back. */
static bool is_abandoned(int dir, const char *name, int64_t now)
{
    struct stat st;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1 || S_ISDIR(st.st_mode))
        return false;
    int64_t newer = st.st_atime > st.st_mtime ? st.st_atime : st.st_mtime;
    return newer <= now - QUEUE_ABANDONED_S;
}

/* What cannot be read or removed now may be so at the next sweep. */
void clean_sweep(int64_t now)
{
    DIR *pids = opendir("pid");
    if (!pids)
        return;
    int dir = dirfd(pids);
    for (const struct dirent *entry; (entry = readdir(pids));)
        if (is_abandoned(dir, entry->d_name, now))
            unlinkat(dir, entry->d_name, 0);
    closedir(pids);
}
