#include "mail/envelope.h"

#include "base/fd.h"
#include "base/writer.h"

#include "tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define VIEW_INIT(literal)           \
    {                                \
        literal, sizeof(literal) - 1 \
    }

/* What a file of these bytes is read as: "u=1002 F=a@b ", with '?' for '=' where
 * the letter is unknown, and the result that ended it. */
static const struct {
    const char *name;
    struct view file, want;
    enum envelope_result result;
} cases[] = {
    {"plain", VIEW_INIT("u1002\0p25614\0Fa@b\0Tc@d\0Te@f\0"),
     VIEW_INIT("u=1002 p=25614 F=a@b T=c@d T=e@f "), ENVELOPE_END},
    {"empty file", VIEW_INIT(""), VIEW_INIT(""), ENVELOPE_END},
    {"null sender", VIEW_INIT("u0\0p1\0F\0"), VIEW_INIT("u=0 p=1 F= "), ENVELOPE_END},
    {"no final NUL", VIEW_INIT("Fa@b\0Tc@d"), VIEW_INIT("F=a@b "), ENVELOPE_TRUNCATED},
    {"a letter at the end", VIEW_INIT("F\0T"), VIEW_INIT("F= "), ENVELOPE_TRUNCATED},
    {"all kinds of bytes", VIEW_INIT("F\377\n @\0T\"\\\r\0"),
     VIEW_INIT("F=\377\n @ T=\"\\\r "), ENVELOPE_END},
    {"unknown letter", VIEW_INIT("Fa\0Xb\0Tc\0"), VIEW_INIT("F=a X?b T=c "),
     ENVELOPE_END},
    {"a mark of local/N", VIEW_INIT("Da\0"), VIEW_INIT("D?a "), ENVELOPE_END},
    {"no letter", VIEW_INIT("Fa\0\0Tb\0"), VIEW_INIT("F=a 0? T=b "), ENVELOPE_END},
};

static struct reader in;
static struct bytes room;

static enum envelope_result read_all(int fd, struct bytes *seen)
{
    struct envelope_record record;
    enum envelope_result result;

    bytes_clear(seen);
    reader_open(&in, fd, 0);
    while ((result = envelope_next(&in, &room, &record)) == ENVELOPE_RECORD ||
           result == ENVELOPE_UNKNOWN) {
        bytes_add_byte(seen, record.letter ? record.letter : '0');
        bytes_add_byte(seen, result == ENVELOPE_RECORD ? '=' : '?');
        bytes_add(seen, record.value);
        bytes_add_byte(seen, ' ');
    }
    return result;
}

/* A file that is gone when it is closed. */
static int file_with(struct view bytes)
{
    char name[] = "/tmp/envelope.XXXXXX";
    int fd = mkstemp(name);
    if (fd == -1 || unlink(name) == -1 || !write_all(fd, bytes) ||
        lseek(fd, 0, SEEK_SET) == -1)
        skip_rest("no temporary file");
    return fd;
}

static void long_record(size_t len, const char *name, enum envelope_result want)
{
    struct bytes file = {0}, seen = {0};
    bytes_add_byte(&file, 'T');
    while (file.len < len)
        bytes_add_byte(&file, 'a');
    bytes_add_byte(&file, '\0');
    int fd = file_with(bytes_view(&file));
    ok(read_all(fd, &seen) == want, name, "result");
    same_number(seen.len, want == ENVELOPE_END ? len + 2 : 0, name);
    fd_close(&fd);
    bytes_free(&file);
    bytes_free(&seen);
}

int main(void)
{
    struct bytes seen = {0};

    for (size_t i = 0; i < COUNT(cases); i++) {
        int fd = file_with(cases[i].file);
        ok(read_all(fd, &seen) == cases[i].result, cases[i].name, "result");
        same(bytes_view(&seen), cases[i].want, cases[i].name);
        fd_close(&fd);
    }
    long_record(READER_ROOM, "as long as the reader's buffer", ENVELOPE_END);
    long_record(ENVELOPE_MAX_RECORD, "longest record", ENVELOPE_END);
    long_record(ENVELOPE_MAX_RECORD + 1, "longer than that", ENVELOPE_TOO_LONG);
    int directory = fd_open("/", O_RDONLY, 0);
    ok(read_all(directory, &seen) == ENVELOPE_FAILED, "read error", NULL);
    fd_close(&directory);
    bytes_free(&seen);
    bytes_free(&room);
    return tap_done();
}
