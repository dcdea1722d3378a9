#include "base/fd.h"
#include "queue/info_file.h"
#include "queue/send.h"

#include <errno.h>
#include <sys/stat.h>

enum presence file_look(const char *path, struct stat *st)
{
    if (stat(path, st) == 0)
        return PRESENT;
    if (errno == ENOENT)
        return MISSING;
    log_line("warning: unable to stat %s; will try again later", path);
    return UNKNOWN;
}

bool file_is_ahead(const struct stat *st, int64_t now)
{
    return st->st_mtime > now && st->st_ctime > now;
}

bool info_read(ino_t message, struct bytes *sender, struct stat *st)
{
    int fd = fd_open_read(queue_split_path("info", message).text);
    bool fine = fd != -1 && fstat(fd, st) == 0 && info_file_sender(fd, sender);
    fd_close(&fd);
    return fine;
}
