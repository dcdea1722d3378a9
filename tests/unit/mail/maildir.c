#include "mail/maildir.h"

#include "tap.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *name, *host, *want;
} hosts[] = {
    {"plain", "mail.example", "mail.example"},
    {"slash and colon", "a/b:c", "a\\057b\\072c"},
    {"empty", "", ""},
};

static char dir[] = "/tmp/unit-maildir.XXXXXX";

static const char *below(const char *part)
{
    static char path[sizeof dir + 8];
    snprintf(path, sizeof path, "%s/%s", dir, part);
    return path;
}

/* Removes the files of a part of the maildir, the part too. The number of files. */
static uint64_t empty(const char *part)
{
    uint64_t count = 0;
    DIR *d = opendir(below(part));
    const struct dirent *entry;
    while (d && (entry = readdir(d)))
        if (entry->d_name[0] != '.') {
            unlinkat(dirfd(d), entry->d_name, 0);
            count++;
        }
    if (d)
        closedir(d);
    rmdir(below(part));
    return count;
}

int main(void)
{
    struct bytes got = {0};
    for (size_t i = 0; i < COUNT(hosts); i++) {
        bytes_clear(&got);
        maildir_add_host(&got, view_of(hosts[i].host));
        same(bytes_view(&got), view_of(hosts[i].want), hosts[i].name);
    }
    bytes_free(&got);

    int message = open("/dev/null", O_RDONLY), unreadable = open("/", O_RDONLY);
    if (!mkdtemp(dir)) {
        skip_rest("no scratch directory");
        return tap_done();
    }
    same_number(maildir_deliver("/nonexistent", VIEW("A"), message, NULL),
                MAILDIR_NO_DIRECTORY, "no directory");
    same_number(maildir_deliver(dir, VIEW("A"), message, NULL), MAILDIR_TROUBLE,
                "no tmp");
    mkdir(below("tmp"), 0700);
    same_number(maildir_deliver(dir, VIEW("A"), message, NULL), MAILDIR_TROUBLE,
                "no new");
    mkdir(below("new"), 0700);
    same_number(maildir_deliver(dir, VIEW("A"), unreadable, NULL), MAILDIR_UNREADABLE,
                "a message that cannot be read");
    same_number(maildir_deliver(dir, VIEW("A"), message, NULL), MAILDIR_DONE,
                "delivered");
    same_number(maildir_deliver(dir, VIEW("A"), message, NULL), MAILDIR_DONE,
                "once more");
    same_number(empty("new"), 2, "files in new");
    same_number(empty("tmp"), 0, "files left in tmp");
    rmdir(dir);
    close(message);
    close(unreadable);
    return tap_done();
}
