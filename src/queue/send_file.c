#include "base/fd.h"
#include "base/reader.h"
#include "mail/queue_dir.h"
#include "queue/send.h"

#include <errno.h>
#include <sys/stat.h>

static struct {
    struct reader reader;
    struct bytes record;
} state;

enum presence file_look(const char *path, struct stat *st)
{
    if (stat(path, st) == 0)
        return PRESENT;
    if (errno == ENOENT)
        return MISSING;
    log_line("warning: unable to stat %s; will try again later", path);
    return UNKNOWN;
}

bool info_read(ino_t message, struct bytes *sender, struct stat *st)
{
    int fd = fd_open_read(queue_split_path("info", message).text);
    bool fine = fd != -1 && fstat(fd, st) == 0;

    if (fine) {
        reader_open(&state.reader, fd, 0);
        fine = reader_until(&state.reader, '\0', SEND_MAX_RECORD, &state.record) ==
                   READ_ITEM &&
               state.record.len && state.record.data[0] == 'F';
    }
    if (fine)
        bytes_set(sender, view_from(bytes_view(&state.record), 1));
    fd_close(&fd);
    return fine;
}
