#include "queue/order.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Readers of the bounce (QSBMF) take an empty line for the end of a paragraph, so
 * there is none inside: a line feed that follows another becomes '/', but for the
 * last byte. */
void note_paragraph(struct bytes *out, struct view address, struct view report)
{
    bytes_add_byte(out, '<');
    size_t at = out->len;
    bytes_add(out, address);
    for (; at < out->len; at++)
        if (out->data[at] == '\n')
            out->data[at] = '_';
    bytes_add_text(out, ">:\n");
    at = out->len;
    bytes_add(out, report);
    if (report.len && report.data[report.len - 1] != '\n')
        bytes_add_byte(out, '\n');
    for (size_t i = out->len - 1; i-- > at;) /* backwards: as they were */
        if (out->data[i] == '\n' && out->data[i - 1] == '\n')
            out->data[i] = '/';
    bytes_add_byte(out, '\n');
}

/* Whether fd holds just text from byte at on. */
static bool holds(int fd, off_t at, struct view text)
{
    char piece[4096];
    while (text.len) {
        size_t len = text.len < sizeof piece ? text.len : sizeof piece;
        ssize_t n = pread(fd, piece, len, at);
        if (n == -1 && errno == EINTR)
            continue;
        if (n <= 0 || memcmp(piece, text.data, (size_t)n) != 0)
            return false;
        text = view_from(text, (size_t)n);
        at += n;
    }
    return true;
}

/* What is missing at the end of a file that a power cut has left in the middle of a
 * paragraph: the next one must begin a line, behind an empty one. */
static struct view missing_end(int fd, off_t size)
{
    if (size >= 2 && holds(fd, size - 2, VIEW("\n\n")))
        return VIEW("");
    return size >= 1 && holds(fd, size - 1, VIEW("\n")) ? VIEW("\n") : VIEW("\n\n");
}

bool note_append(ino_t message, struct view text)
{
    struct stat st;
    struct queue_path path = queue_flat_path("bounce", message);
    int fd = fd_open(path.text, O_RDWR | O_CREAT | O_APPEND, 0600);
    if (fd == -1)
        return false;
    if (fstat(fd, &st) == -1) {
        fd_close(&fd);
        return false;
    }
    /* a file that has paragraphs already may have got its name from one who died before
     * that was stable */
    bool fine = (st.st_size == 0 || write_all(fd, missing_end(fd, st.st_size))) &&
                write_all(fd, text) && file_sync(fd) && dir_sync("bounce");
    if (!fine) {
        int error = errno;
        int cut = ftruncate(fd, st.st_size);
        (void)cut; /* then the paragraph comes twice, which is harmless */
        errno = error;
    }
    fd_close(&fd); /* nothing of it is unsynced: there is no error to come */
    return fine;
}

bool note_is_there(ino_t message, struct view text)
{
    struct stat st;
    int fd = fd_open_read(queue_flat_path("bounce", message).text);
    bool there = fd != -1 && fstat(fd, &st) == 0 && st.st_size >= (off_t)text.len &&
                 holds(fd, st.st_size - (off_t)text.len, text) && file_sync(fd) &&
                 dir_sync("bounce");
    fd_close(&fd);
    return there;
}
