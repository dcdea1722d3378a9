#include "queue/info_file.h"

#include "tap.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static const struct {
    const char *name;
    struct view text;
    const char *sender; /* NULL: it is none */
} cases[] = {
    {"a sender", VIEW_INIT("Fa@b\0"), "a@b"},
    {"the null sender", VIEW_INIT("F\0"), ""},
    {"only the first record counts", VIEW_INIT("Fa\0Fb\0"), "a"},
    {"nothing", VIEW_INIT(""), NULL},
    {"an empty record", VIEW_INIT("\0"), NULL},
    {"without its NUL", VIEW_INIT("Fa@b"), NULL},
    {"another letter", VIEW_INIT("Ta@b\0"), NULL},
};

int main(void)
{
    struct bytes sender = {0};
    char path[] = "/tmp/unit-info-file.XXXXXX";
    int fd = mkstemp(path);

    if (fd == -1) {
        skip_rest("no scratch file");
        return tap_done();
    }
    unlink(path);
    for (size_t i = 0; i < COUNT(cases); i++) {
        bytes_set(&sender, VIEW("before"));
        ok(ftruncate(fd, 0) == 0 &&
               pwrite(fd, cases[i].text.data, cases[i].text.len, 0) ==
                   (ssize_t)cases[i].text.len &&
               lseek(fd, 0, SEEK_SET) == 0,
           "write", cases[i].name);
        bool read = info_file_sender(fd, &sender);
        ok(read == (cases[i].sender != NULL), "read", cases[i].name);
        if (!read)
            same_number((uint64_t)errno, EILSEQ, cases[i].name);
        same(bytes_view(&sender), view_of(cases[i].sender ? cases[i].sender : "before"),
             cases[i].name);
    }
    close(fd);
    ok(!info_file_sender(fd, &sender) && errno == EBADF, "a descriptor that is closed",
       NULL);
    bytes_free(&sender);
    return tap_done();
}
