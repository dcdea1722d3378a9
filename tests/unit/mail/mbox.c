#include "mail/mbox.h"

#include "base/os.h"

#include "fault.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *name, *message, *want;
} cases[] = {
    {"empty message", "", "\n"},
    {"one line", "a\n", "a\n\n"},
    {"no last line feed", "a", "a\n\n"},
    {"From_ line", "From x\n", ">From x\n\n"},
    {"quoted once", ">From x\n", ">>From x\n\n"},
    {"quoted often", ">>>>From x\n", ">>>>>From x\n\n"},
    {"From_ alone, cut", "From ", ">From \n\n"},
    {"not quite", "From\nFro\nFr\nF\n>\n>F", "From\nFro\nFr\nF\n>\n>F\n\n"},
    {"another case", "from x\nFROM x\n", "from x\nFROM x\n\n"},
    {"indented", " From x\n> From x\n", " From x\n> From x\n\n"},
    {"inside a line", "xFrom y\nx>From y\n", "xFrom y\nx>From y\n\n"},
    {"F twice", "FFrom x\nFrFrom x\n", "FFrom x\nFrFrom x\n\n"},
    {"> after F", "F>From x\n", "F>From x\n\n"},
    {"one after the other", "From a\nFrom b\n\nFrom c",
     ">From a\n>From b\n\n>From c\n\n"},
    {"CR", "\rFrom a\r\nFrom b\r\n", "\rFrom a\r\n>From b\r\n\n"},
    {"only line feeds", "\n\n\n", "\n\n\n\n"},
    {"only >", ">>>", ">>>\n\n"},
};

static char file_name[] = "/tmp/unit-mbox.XXXXXX";
static int file;
static struct bytes got;

static void read_back(void)
{
    struct stat st;
    fstat(file, &st);
    bytes_clear(&got);
    bytes_reserve(&got, (size_t)st.st_size + 1);
    ssize_t n = pread(file, got.data, (size_t)st.st_size, 0);
    got.len = n > 0 ? (size_t)n : 0;
}

/* Quotes message in blocks of first and then of each bytes. */
static struct view quoted(struct view message, size_t first, size_t each)
{
    static struct writer out;
    struct mbox_quoting q = {0};

    if (ftruncate(file, 0) == -1 || lseek(file, 0, SEEK_SET) == -1)
        skip_rest("no scratch file");
    writer_open(&out, file, 0);
    for (size_t len = first; message.len; len = each) {
        if (len > message.len)
            len = message.len;
        mbox_quote(&q, view_before(message, len), &out);
        message = view_from(message, len);
    }
    mbox_quote_end(&q, &out);
    writer_finish(&out, WRITER_FLUSH);
    read_back();
    return bytes_view(&got);
}

/* A mailbox that holds before gets a message; then it must hold want. */
static void append(const char *name, const char *before, const char *want)
{
    int message = open("/dev/null", O_RDONLY);
    if (ftruncate(file, 0) == -1 || lseek(file, 0, SEEK_SET) == -1 ||
        !write_all(file, view_of(before)))
        skip_rest("no scratch file");
    same_number(mbox_append(file_name, VIEW("From a\n"), message), MBOX_DONE, name);
    read_back();
    same(bytes_view(&got), view_of(want), name);
    close(message);
}

static const char before_text[] = "From b\n\nhal";
static const char after_text[] = "From b\n\nhal\nFrom a\nSubject: x\n\nx\n\n";

/* The mailbox as it was, and a message. */
static int prepare(void)
{
    char name[] = "/tmp/unit-message.XXXXXX";
    int message = mkstemp(name);
    unlink(name);
    if (message == -1 || ftruncate(file, 0) == -1 || lseek(file, 0, SEEK_SET) == -1 ||
        !write_all(file, view_of(before_text)) ||
        !write_all(message, VIEW("Subject: x\n\nx\n")) ||
        lseek(message, 0, SEEK_SET) == -1)
        skip_rest("no scratch file");
    return message;
}

/* Each call of an append fails in turn: the mailbox has the message, or is what it
 * was. When the last close(2) fails, it has it though the answer is no. */
static void each_call_fails(void)
{
    static const int errors[] = {EIO, EINTR, EACCES};
    for (size_t i = 0; i < COUNT(errors); i++)
        for (int n = 1;; n++) {
            int message = prepare();
            fault_at(NULL, n, errors[i]);
            enum mbox_result result = mbox_append(file_name, VIEW("From a\n"), message);
            bool done = !fault_end();
            close(message);
            read_back();
            bool whole = view_is(bytes_view(&got), after_text);
            bool untouched = view_is(bytes_view(&got), before_text);
            bool not_known = view_is(view_of(fault_name()), "close") ||
                             view_is(view_of(fault_name()), "open");
            ok(result == MBOX_DONE ? whole || not_known : untouched || not_known,
               "a call fails", fault_name());
            if (done)
                break;
        }
}

static void steps_fail(void)
{
    static const struct {
        const char *call;
        int nth, error;
        enum mbox_result want;
    } steps[] = {
        {"open", 1, EMFILE, MBOX_NOT_OPEN},
        {"flock", 1, EINTR, MBOX_DONE},
        {"flock", 1, ENOLCK, MBOX_DONE}, /* no locks here: without one */
        {"fstat", 1, EIO, MBOX_NOT_OPEN},
        {"stat", 1, ENOENT, MBOX_DONE}, /* moved away meanwhile: once more */
        {"stat", 1, EIO, MBOX_NOT_OPEN},
        {"fstat", 2, EIO, MBOX_NOT_OPEN},
        {"open", 2, EACCES, MBOX_DONE}, /* not ours to read */
        {"open", 2, EMFILE, MBOX_NOT_OPEN},
        {"pread", 1, EIO, MBOX_NOT_WRITTEN},
        {"read", 1, EIO, MBOX_UNREADABLE},
        {"write", 1, ENOSPC, MBOX_NOT_WRITTEN},
        {"fsync", 1, EIO, MBOX_NOT_WRITTEN},
    };
    for (size_t i = 0; i < COUNT(steps); i++) {
        int message = prepare();
        fault_at(steps[i].call, steps[i].nth, steps[i].error);
        same_number(mbox_append(file_name, VIEW("From a\n"), message), steps[i].want,
                    steps[i].call);
        ok(fault_end(), "failed", steps[i].call);
        close(message);
    }
    int message = prepare();
    fault_at("fsync", 1, EIO);
    ok(ftruncate(file, 0) == 0 &&
           mbox_append(file_name, VIEW("From a\n"), message) == MBOX_NOT_WRITTEN,
       "the name of a new mailbox", "cannot be made stable");
    fault_end();
    read_back();
    same_number(got.len, 0, "the name of a new mailbox: nothing is in it");
    close(message);
}

/* Another process has the lock. */
static void locked(void *arg)
{
    int fd, lock_error;
    (void)arg;
    _exit(mbox_open_locked(file_name, 1, &fd, &lock_error) == MBOX_LOCKED ? 0 : 1);
}

static void not_locked(void *arg)
{
    int fd, lock_error;
    (void)arg;
    _exit(mbox_open_locked(file_name, 0, &fd, &lock_error) == MBOX_DONE ? 0 : 1);
}

/* A device cannot be synced, so that it never says that it has the mail. */
static void to_no_file(void)
{
    int message = prepare();
    errno = 0;
    ok(mbox_append("/dev/null", VIEW("From a\n"), message) == MBOX_NOT_WRITTEN &&
           errno == EINVAL,
       "to a device", NULL);
    close(message);
}

int main(void)
{
    file = mkstemp(file_name);
    if (file == -1) {
        skip_rest("no scratch file");
        return tap_done();
    }
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct view message = view_of(cases[i].message), want = view_of(cases[i].want);
        bool right = true;
        for (size_t first = 1; first <= message.len; first++)
            for (size_t each = 1; each <= message.len; each++)
                right = right && view_equal(quoted(message, first, each), want);
        ok(right, cases[i].name, "in all pieces");
        same(quoted(message, message.len + 1, 1), want, cases[i].name);
    }
    append("into an empty mailbox", "", "From a\n\n");
    append("after another message", "From b\n\n", "From b\n\nFrom a\n\n");
    append("after one that was cut", "From b\nhal", "From b\nhal\nFrom a\n\n");

    int directory = open("/", O_RDONLY);
    if (ftruncate(file, 0) == -1 || pwrite(file, "From b\nhal", 10, 0) != 10)
        skip_rest("no scratch file");
    same_number(mbox_append(file_name, VIEW("From a\n"), directory), MBOX_UNREADABLE,
                "a message that cannot be read");
    read_back();
    same(bytes_view(&got), VIEW("From b\nhal"), "the mailbox is as it was");
    close(directory);

    same_number(mbox_append("/nonexistent/box", VIEW(""), 0), MBOX_NOT_OPEN,
                "no directory");
    each_call_fails();
    steps_fail();
    to_no_file();
    same_number((uint64_t)run_apart(not_locked, NULL, NULL), 0, "a lock");
    ok(os_lock(file, true), "locked", NULL);
    same_number((uint64_t)run_apart(locked, NULL, NULL), 0, "the lock of another");
    unlink(file_name);
    close(file);
    bytes_free(&got);
    return tap_done();
}
