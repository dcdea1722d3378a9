/* maildir2mbox - move mail from a maildir to an mbox, for readers that know no
 * maildirs.
 *
 * runs as  the owner of the mail
 * reads    MAIL, MAILTMP and MAILDIR of the environment; the maildir
 * writes   MAIL, by way of MAILTMP, which must be on the same file system
 * fd 2     why not
 * exits    0 moved, or there was nothing; 111 failed, and no mail is lost */
#include "base/clock.h"
#include "base/die.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/heap.h"
#include "base/signals.h"
#include "base/writer.h"
#include "mail/maildir_list.h"
#include "mail/mbox.h"
#include "mail/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { COPY_ROOM = 65536, MAX_REASON = 4096 };

static struct {
    const char *mail, *tmp, *dir; /* MAIL, MAILTMP, MAILDIR */
    struct maildir_list list;
    bool has_tmp; /* tmp is ours to remove */
    struct writer out;
    char block[COPY_ROOM];
} state;

/* Ends with errno's text behind the words; the half-written copy goes. */
__attribute__((format(printf, 1, 2))) static _Noreturn void fail(const char *format,
                                                                 ...)
{
    int error = errno;
    char deed[MAX_REASON];
    va_list list;

    va_start(list, format);
    vsnprintf(deed, sizeof deed, format, list);
    va_end(list);
    if (state.has_tmp)
        unlink(state.tmp);
    die_temp("%s: %s", deed, error_text(error));
}

static const char *variable_or_die(const char *name)
{
    const char *value = getenv(name);
    if (!value)
        die_temp("%s not set", name);
    return value;
}

/* Lists the messages anew. False if there are none. */
static bool list_messages(void)
{
    maildir_list_free(&state.list);
    switch (maildir_list_read(&state.list, clock_now())) {
    case MAILDIR_SCANNED:
        break;
    case MAILDIR_NO_NEW:
        fail("unable to scan $MAILDIR/new");
    case MAILDIR_NO_CUR:
        fail("unable to scan $MAILDIR/cur");
    case MAILDIR_UNSCANNED:
        fail("unable to read $MAILDIR/new"); /* these words for both, always */
    }
    return state.list.count > 0;
}

/* The locked mailbox. It stays locked until we end. */
static int lock_mail(void)
{
    int fd, lock_error;
    if (mbox_open_locked(state.mail, 0, &fd, &lock_error) != MBOX_DONE)
        fail("unable to lock %s", state.mail);
    if (lock_error) {
        errno = lock_error;
        fail("unable to lock %s", state.mail);
    }
    return fd;
}

/* Creates or empties the copy, with the owner and mode of the mailbox. It is locked:
 * it will be the mailbox before the messages are gone from the maildir, and another
 * run with the same name for its copy has to wait. */
static void create_tmp(int mail)
{
    struct stat old, new;
    int fd, lock_error;

    if (fstat(mail, &old) == -1)
        fail("unable to read %s", state.mail);
    if (stat(state.tmp, &new) == 0 && file_same(&old, &new)) {
        errno = EEXIST;
        fail("unable to create %s", state.tmp);
    }
    if (mbox_open_locked(state.tmp, 0, &fd, &lock_error) != MBOX_DONE)
        fail("unable to create %s", state.tmp);
    if (fstat(fd, &new) == -1 || ftruncate(fd, 0) == -1)
        fail("unable to create %s", state.tmp);
    state.has_tmp = true;
    if ((old.st_uid != new.st_uid || old.st_gid != new.st_gid) &&
        fchown(fd, old.st_uid, old.st_gid) == -1)
        fail("unable to write to %s", state.tmp);
    if (fchmod(fd, old.st_mode & 07777) == -1)
        fail("unable to write to %s", state.tmp);
    writer_open(&state.out, fd, 0);
}

/* Copies the mailbox as it is. One that was cut in a line gets the line feed that
 * the next From_ line needs in front. */
static void copy_mail(void)
{
    char last = '\n';
    ssize_t n;

    int fd = fd_open_read(state.mail);
    if (fd == -1)
        fail("unable to read %s", state.mail);
    while ((n = fd_read(fd, state.block, sizeof state.block)) > 0) {
        writer_add(&state.out, view_at(state.block, (size_t)n));
        last = state.block[n - 1];
    }
    if (n == -1)
        fail("unable to read %s", state.mail);
    if (last != '\n')
        writer_add_byte(&state.out, '\n');
    fd_close(&fd);
}

/* Reads until the block is full or the file ends: the number of bytes, or -1. */
static ssize_t fill_block(int fd)
{
    size_t len = 0;
    while (len < sizeof state.block) {
        ssize_t n = fd_read(fd, state.block + len, sizeof state.block - len);
        if (n == -1)
            return -1;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    return (ssize_t)len;
}

/* Writes the From_ line of a message that begins with start. A Return-Path line is
 * far shorter than a block. */
static void add_from_line(struct view start, int64_t mtime)
{
    struct bytes line = {0};
    struct view sender;
    size_t end = view_find(start, '\n');

    if (end == sizeof state.block ||
        !trace_take_return_path(view_before(start, end), &sender))
        sender = VIEW("XXX");
    trace_add_from(&line, sender, mtime);
    writer_add(&state.out, bytes_view(&line));
    bytes_free(&line);
}

static void copy_message(const struct maildir_entry *message)
{
    struct mbox_quoting quoting = {0};

    int fd = fd_open_read(message->path);
    if (fd == -1)
        fail("unable to read $MAILDIR/%s", message->path);
    ssize_t n = fill_block(fd);
    if (n >= 0)
        add_from_line(view_at(state.block, (size_t)n), message->mtime);
    while (n > 0) {
        mbox_quote(&quoting, view_at(state.block, (size_t)n), &state.out);
        n = fill_block(fd);
    }
    if (n == -1)
        fail("unable to read $MAILDIR/%s", message->path);
    mbox_quote_end(&quoting, &state.out);
    fd_close(&fd);
}

/* Makes the copy the mailbox, so that a power cut finds the one or the other. */
static void publish(void)
{
    /* the lock is the open file's, and stays with the duplicate */
    if (fcntl(state.out.fd, F_DUPFD_CLOEXEC, 3) == -1 ||
        !writer_finish(&state.out, WRITER_SYNC | WRITER_CLOSE))
        fail("unable to write to %s", state.tmp);
    if (rename(state.tmp, state.mail) == -1)
        fail("unable to move %s to %s", state.tmp, state.mail);
    state.has_tmp = false;
    if (!file_sync_name(state.mail))
        fail("unable to move %s to %s", state.tmp, state.mail);
}

static void remove_messages(void)
{
    for (size_t i = 0; i < state.list.count; i++) {
        const char *path = state.list.entries[i].path;
        struct bytes line = {0};
        if (file_remove(path))
            continue;
        const char *why = error_text(errno);
        bytes_add_format(&line,
                         "maildir2mbox: warning: $MAILDIR/%s will be delivered twice; "
                         "unable to unlink: %s\n",
                         path, why);
        write_all(2, bytes_view(&line)); /* a warning is all it is */
        bytes_free(&line);
    }
}

int main(void)
{
    die_name("maildir2mbox");
    heap_on_failure(die_of_memory);
    if (!fd_fill_standard())
        fail("unable to open /dev/null");
    umask(077);
    signals_survive(SIGXFSZ);
    state.mail = variable_or_die("MAIL");
    state.tmp = variable_or_die("MAILTMP");
    state.dir = variable_or_die("MAILDIR");

    if (chdir(state.dir) == -1)
        fail("unable to chdir to %s", state.dir);
    maildir_clean_tmp(clock_now());
    if (!list_messages())
        return 0;
    int mail = lock_mail();
    if (!list_messages()) /* whoever held the lock has moved them */
        return 0;
    create_tmp(mail);
    copy_mail();
    for (size_t i = 0; i < state.list.count; i++)
        copy_message(&state.list.entries[i]);
    publish();
    remove_messages();
    return 0;
}
