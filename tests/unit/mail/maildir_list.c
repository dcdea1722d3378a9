#include "mail/maildir_list.h"

#include "fault.h"
#include "tap.h"

#include "base/fd.h"
#include "base/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOW = 2000000000, DAY_AND_A_HALF = 129600 };

static const struct {
    const char *path;
    int64_t mtime;
} files[] = {
    {"new/c", 100},
    {"cur/b", 100},
    {"new/a", 100},
    {"cur/z", 7},
    {"new/.hidden", 50},
    {"new/young", NOW},
    {"cur/older", NOW - 1},
    {"cur/future", NOW + 5},
    {"tmp/old", NOW - DAY_AND_A_HALF - 1},
    {"tmp/not", NOW - DAY_AND_A_HALF},
    {"tmp/.old", 0},
};

static void put(const char *path, int64_t when)
{
    struct timespec times[2] = {{.tv_sec = when}, {.tv_sec = when}};
    int fd = fd_open(path, O_WRONLY | O_CREAT, 0600);
    if (fd == -1 || !write_all(fd, VIEW("four")) || futimens(fd, times) == -1)
        skip_rest("no scratch file");
    fd_close(&fd);
}

int main(void)
{
    char dir[] = "/tmp/unit-list.XXXXXX";
    struct maildir_list list = {0};
    struct bytes got = {0};

    if (!mkdtemp(dir) || chdir(dir) == -1) {
        skip_rest("no scratch directory");
        return tap_done();
    }
    maildir_clean_tmp(NOW); /* no tmp is no trouble */
    same_number(maildir_list_read(&list, NOW), MAILDIR_NO_NEW, "no new");
    mkdir("new", 0700);
    same_number(maildir_list_read(&list, NOW), MAILDIR_NO_CUR, "no cur");
    mkdir("cur", 0700);
    mkdir("tmp", 0700);
    same_number(maildir_list_read(&list, NOW), MAILDIR_SCANNED, "empty");
    same_number(list.count, 0, "empty");

    for (size_t i = 0; i < COUNT(files); i++)
        put(files[i].path, files[i].mtime);
    mkdir("new/directory", 0700);
    same_number(maildir_list_read(&list, NOW), MAILDIR_SCANNED, "with messages");
    for (size_t i = 0; i < list.count; i++) {
        bytes_add_text(&got, list.entries[i].path);
        bytes_add_byte(&got, ' ');
        same_number((uint64_t)list.entries[i].size, 4, list.entries[i].path);
    }
    same(bytes_view(&got), VIEW("cur/z new/a cur/b new/c cur/older "),
         "by age, then by name");
    maildir_list_free(&list);
    same_number(list.count, 0, "freed");
    same_number(maildir_list_read(&list, 0), MAILDIR_SCANNED, "the clock set back");
    same_number(list.count, 3, "what came before that, and more than an hour ahead");
    maildir_list_free(&list);
    fault_at("readdir", 1, EIO);
    same_number(maildir_list_read(&list, NOW), MAILDIR_UNSCANNED, "not to be read");
    ok(fault_end(), "not to be read", "failed");

    maildir_clean_tmp(NOW);
    ok(access("tmp/old", F_OK) == -1, "an abandoned file is removed", NULL);
    ok(access("tmp/not", F_OK) == 0, "a younger one is not", NULL);
    ok(access("tmp/.old", F_OK) == 0, "nor one that begins with a dot", NULL);

    for (size_t i = 0; i < COUNT(files); i++)
        unlink(files[i].path);
    const char *const dirs[] = {"new/directory", "new", "cur", "tmp", dir};
    for (size_t i = 0; i < COUNT(dirs); i++)
        rmdir(dirs[i]);
    bytes_free(&got);
    return tap_done();
}
