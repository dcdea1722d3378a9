/* qmail-qread - list the messages in the queue that have been preprocessed.
 *
 * runs as  root, or qmails with group qmail
 * reads    queue/info, mess, bounce, local, remote, which may change meanwhile
 * fd 1     the listing and, by custom, what goes wrong; with -j one JSON object a
 *          line, and what goes wrong on descriptor 2
 * exits    0, 111 when the queue cannot be read */
#include "base/error.h"
#include "base/fd.h"
#include "base/heap.h"
#include "base/reader.h"
#include "base/writer.h"
#include "conf.h"
#include "mail/queue_dir.h"
#include "mail/queue_exit.h"
#include "queue/info_file.h"
#include "queue/qread.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_TEMP = 111, STEP = 65536 /* bytes of one write */ };

static enum qread_form form = QREAD_TEXT;
static struct bytes out;

/* Descriptor 1 is for the listing alone where a program reads it. */
static int trouble_fd(void)
{
    return form == QREAD_TEXT ? 1 : 2;
}

static void flush(size_t keep)
{
    if (out.len <= keep)
        return;
    struct view ready = view_before(bytes_view(&out), out.len - keep);
    char last = out.data[out.len - 1];
    if (!write_all(1, ready))
        _exit(EXIT_TEMP);
    bytes_clear(&out);
    if (keep)
        bytes_add_byte(&out, last);
}

static _Noreturn void fail(struct view text)
{
    flush(0);
    bool told = write_all(trouble_fd(), text);
    (void)told; /* nothing else can be done about it */
    _exit(EXIT_TEMP);
}

static void out_of_memory(void)
{
    fail(VIEW("fatal: out of memory\n"));
}

static _Noreturn void fail_at(const char *deed, const char *path)
{
    struct bytes text = {0};
    const char *reason = error_text(errno);

    bytes_add_format(&text, "fatal: unable to %s%s: %s\n", deed, path, reason);
    fail(bytes_view(&text));
}

static void warn(ino_t message, int error)
{
    struct bytes text = {0};

    bytes_add_format(&text, "warning: trouble with #%ju: %s\n", (uintmax_t)message,
                     error_text(error));
    if (form == QREAD_TEXT)
        bytes_add(&out, bytes_view(&text));
    else if (!write_all(trouble_fd(), bytes_view(&text)))
        _exit(EXIT_TEMP);
    bytes_free(&text);
}

static int open_file(struct queue_path path)
{
    return fd_open(path.text, O_RDONLY | O_NONBLOCK | O_NOFOLLOW, 0);
}

static bool is_gone(struct queue_path path)
{
    struct stat st;
    return stat(path.text, &st) == -1 && errno == ENOENT;
}

/* Whether a message has been delivered before its files had to be on the disk, and only
 * its rests are here. */
static bool is_over(ino_t number)
{
    struct stat st;
    return is_gone(queue_flat_path("todo", number)) &&
           stat(queue_split_path("info", number).text, &st) == 0 &&
           queue_is_unsynced(st.st_mode);
}

/* Reads the sender and the birth from the info file. False with errno set. */
static bool read_info(struct qread_message *m, struct bytes *sender)
{
    struct stat st;
    int fd = open_file(queue_split_path("info", m->number));

    if (fd == -1)
        return false;
    bool fine = fstat(fd, &st) == 0 && info_file_sender(fd, sender);
    fd_close(&fd);
    if (!fine) {
        if (errno == EILSEQ)
            errno = EBADMSG; /* the text of which is fixed */
        return false;
    }
    m->birth = st.st_mtime;
    m->sender = bytes_view(sender);
    return true;
}

static void list_channel(const char *channel, ino_t message)
{
    static struct reader r;
    static struct bytes record;
    enum read_result result;
    int fd = open_file(queue_split_path(channel, message));

    if (fd == -1) {
        if (errno != ENOENT)
            warn(message, errno);
        return;
    }
    reader_open(&r, fd, 0);
    while ((result = reader_until(&r, '\0', QUEUE_MAX_RECORD, &record)) == READ_ITEM) {
        qread_add_record(&out, form, channel, bytes_view(&record));
        if (out.len >= STEP)
            flush(1);
    }
    if (result == READ_FAILED)
        out_of_memory();
    if (result == READ_TOO_LONG)
        warn(message, EMSGSIZE);
    fd_close(&fd);
}

static void list_message(ino_t number)
{
    static struct bytes sender;
    struct qread_message m = {.number = number};
    struct queue_path mess = queue_split_path("mess", number);
    struct stat st;

    if (stat(mess.text, &st) == -1) {
        int reason = errno;
        /* it has just ended */
        if (reason == ENOENT && is_gone(queue_split_path("info", number)))
            return;
        warn(number, reason);
        return;
    }
    m.size = (uint64_t)st.st_size;
    if (is_over(number))
        return;
    if (!read_info(&m, &sender)) {
        int reason = errno;
        if (reason != ENOENT || !is_gone(mess))
            warn(number, reason);
        return;
    }
    m.bouncing = stat(queue_flat_path("bounce", number).text, &st) == 0;
    qread_add_message(&out, form, &m);
    list_channel("local", number);
    list_channel("remote", number);
    qread_end_message(&out, form);
}

static void list_directory(unsigned split)
{
    struct queue_path path = queue_split_dir("info", split);
    const struct dirent *entry;
    DIR *dir = opendir(path.text);

    if (!dir)
        fail_at("opendir ", path.text);
    while (errno = 0, (entry = readdir(dir))) {
        ino_t message;
        if (!queue_number(view_of(entry->d_name), &message))
            continue;
        list_message(message);
        flush(0);
    }
    if (errno)
        fail_at("opendir ", path.text);
    closedir(dir);
}

int main(int argc, char **argv)
{
    heap_on_failure(out_of_memory);
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "-j") == 0)
            form = QREAD_JSON;
    if (!fd_fill_standard() || queue_enter(CONF_QMAIL) != QUEUE_OK)
        fail_at("chdir", "");
    for (unsigned split = 0; split < CONF_SPLIT; split++)
        list_directory(split);
    return 0;
}
