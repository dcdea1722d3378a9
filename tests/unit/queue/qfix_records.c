#include "queue/qfix.h"

#include "base/fd.h"

#include "tap.h"

#include <fcntl.h>

static const struct {
    const char *name, *letters;
    struct view content;
    enum qfix_records result;
    uint64_t senders, records;
} cases[] = {
    {"envelope", "upFT", VIEW_INIT("u1\0p2\0Fa@b\0Tc@d\0"), QFIX_SOUND, 1, 4},
    {"null sender", "F", VIEW_INIT("F\0"), QFIX_SOUND, 1, 1},
    {"two senders", "F", VIEW_INIT("Fa\0Fb\0"), QFIX_SOUND, 2, 2},
    {"recipients", "TD", VIEW_INIT("Ta\0Db\0"), QFIX_SOUND, 0, 2},
    {"empty", "TD", VIEW_INIT(""), QFIX_SOUND, 0, 0},
    {"another letter", "TD", VIEW_INIT("Ta\0Fb\0"), QFIX_BAD, 0, 1},
    {"empty record", "TD", VIEW_INIT("Ta\0\0"), QFIX_BAD, 0, 1},
    {"one NUL", "F", VIEW_INIT("\0"), QFIX_BAD, 0, 0},
    {"cut in an address", "TD", VIEW_INIT("Ta\0Tb@"), QFIX_BAD, 0, 2},
    {"cut behind a letter", "F", VIEW_INIT("F"), QFIX_BAD, 1, 1},
};

int main(void)
{
    uint64_t senders, records;

    scratch();
    for (size_t i = 0; i < COUNT(cases); i++) {
        make_file("records", cases[i].content);
        int fd = fd_open("records", O_RDONLY, 0);
        ok(qfix_records(fd, cases[i].letters, &senders, &records) == cases[i].result,
           cases[i].name, "result");
        same_number(senders, cases[i].senders, "senders");
        same_number(records, cases[i].records, "records");
        fd_close(&fd);
    }
    int fd = fd_open(".", O_RDONLY, 0);
    ok(qfix_records(fd, "F", &senders, &records) == QFIX_UNREADABLE, "a directory",
       NULL);
    fd_close(&fd);
    return tap_done();
}
