#include "mail/mbox.h"

#include "tap.h"

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
    unlink(file_name);
    close(file);
    bytes_free(&got);
    return tap_done();
}
