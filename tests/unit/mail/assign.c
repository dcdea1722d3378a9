#include "mail/assign.h"

#include "base/cdb.h"
#include "tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    struct view key, data;
} records[] = {
    {VIEW_INIT("!joe\0"), VIEW_INIT("joe\0"
                                    "1\0"
                                    "2\0/home/joe\0\0")},
    {VIEW_INIT("!joe\0"), VIEW_INIT("second\0"
                                    "1\0"
                                    "2\0/\0\0")},
    {VIEW_INIT("!joe-"), VIEW_INIT("joe\0"
                                   "1\0"
                                   "2\0/home/joe\0-\0")},
    {VIEW_INIT("!joe-list-"), VIEW_INIT("list\0"
                                        "3\0"
                                        "4\0/home/list\0-\0pre-")},
    {VIEW_INIT("!x."), VIEW_INIT("dot\0"
                                 "5\0"
                                 "6\0/dot\0-\0")},
    {VIEW_INIT("!notail"), VIEW_INIT("never\0"
                                     "5\0"
                                     "6\0/\0-\0")},
    {VIEW_INIT("!a@b\0"), VIEW_INIT("at\0"
                                    "7\0"
                                    "8\0/at\0\0")},
    {VIEW_INIT("!r\0"), VIEW_INIT("r\0"
                                  "0\0"
                                  "0\0/r\0\0")},
    {VIEW_INIT("!short\0"), VIEW_INIT("r\0"
                                      "1\0"
                                      "1\0/r\0")},
    {VIEW_INIT(""), VIEW_INIT("-.")},
};

static const struct {
    const char *local;
    enum assign_result result;
    const char *want; /* user uid gid home dash ext */
} lookups[] = {
    {"joe", ASSIGN_FOUND, "joe 1 2 /home/joe  "},
    {"JOE", ASSIGN_FOUND, "joe 1 2 /home/joe  "},
    {"joe-", ASSIGN_FOUND, "joe 1 2 /home/joe - "},
    {"Joe-Some.Thing", ASSIGN_FOUND, "joe 1 2 /home/joe - Some.Thing"},
    {"joe-list", ASSIGN_FOUND, "joe 1 2 /home/joe - list"},
    {"joe-LIST-A-b", ASSIGN_FOUND, "list 3 4 /home/list - pre-A-b"},
    {"x.y", ASSIGN_FOUND, "dot 5 6 /dot - y"},
    {"x", ASSIGN_ABSENT, ""},
    {"joex", ASSIGN_ABSENT, ""},
    {"notail-a", ASSIGN_ABSENT, ""}, /* l is no wildcard byte */
    {"a@b", ASSIGN_FOUND, "at 7 8 /at  "},
    {"", ASSIGN_ABSENT, ""},
    {"r", ASSIGN_ROOT, ""},
    {"short", ASSIGN_BAD, ""},
};

static const struct {
    const char *name;
    struct view entry;
    enum assign_result result;
} entries[] = {
    {"as in users/cdb",
     VIEW_INIT("u\0"
               "1\0"
               "2\0/h\0-\0e"),
     ASSIGN_FOUND},
    {"as by qmail-getpw",
     VIEW_INIT("u\0"
               "1\0"
               "2\0/h\0-\0e\0"),
     ASSIGN_FOUND},
    {"large ids",
     VIEW_INIT("u\0"
               "4294967294\0"
               "4294967294\0/h\0-\0e"),
     ASSIGN_FOUND},
    {"gid 0",
     VIEW_INIT("u\0"
               "1\0"
               "0\0/h\0-\0e"),
     ASSIGN_FOUND},
    {"leading zero",
     VIEW_INIT("u\0"
               "01\0"
               "2\0/h\0-\0e"),
     ASSIGN_FOUND},
    {"relative home",
     VIEW_INIT("u\0"
               "1\0"
               "2\0h\0-\0e"),
     ASSIGN_FOUND},
    {"uid for none",
     VIEW_INIT("u\0"
               "4294967295\0"
               "2\0/h\0-\0e"),
     ASSIGN_BAD},
    {"uid that would wrap",
     VIEW_INIT("u\0"
               "4294967296\0"
               "2\0/h\0-\0e"),
     ASSIGN_BAD},
    {"uid with a tail",
     VIEW_INIT("u\0"
               "1x\0"
               "2\0/h\0-\0e"),
     ASSIGN_BAD},
    {"gid that would wrap",
     VIEW_INIT("u\0"
               "1\0"
               "4294967296\0/h\0-\0e"),
     ASSIGN_BAD},
    {"gid of 30 digits",
     VIEW_INIT("u\0"
               "1\0"
               "100000000000000000000000000000\0/h\0-\0e"),
     ASSIGN_BAD},
    {"gid with a tail",
     VIEW_INIT("u\0"
               "1\0"
               "2 \0/h\0-\0e"),
     ASSIGN_BAD},
    {"gid without digits",
     VIEW_INIT("u\0"
               "1\0"
               "abc\0/h\0-\0e"),
     ASSIGN_BAD},
    {"empty gid",
     VIEW_INIT("u\0"
               "1\0"
               "\0/h\0-\0e"),
     ASSIGN_BAD},
    {"sign before the gid",
     VIEW_INIT("u\0"
               "1\0"
               "-2\0/h\0-\0e"),
     ASSIGN_BAD},
    {"uid 0",
     VIEW_INIT("u\0"
               "0\0"
               "2\0/h\0-\0e"),
     ASSIGN_ROOT},
    {"uid 000",
     VIEW_INIT("u\0"
               "000\0"
               "2\0/h\0-\0e"),
     ASSIGN_ROOT},
    {"uid without digits",
     VIEW_INIT("u\0"
               "abc\0"
               "2\0/h\0-\0e"),
     ASSIGN_ROOT},
    {"empty uid",
     VIEW_INIT("u\0"
               "\0"
               "2\0/h\0-\0e"),
     ASSIGN_ROOT},
    {"five fields",
     VIEW_INIT("u\0"
               "1\0"
               "2\0/h\0-"),
     ASSIGN_BAD},
    {"one field", VIEW_INIT("u"), ASSIGN_BAD},
    {"nothing", VIEW_INIT(""), ASSIGN_BAD},
};

static void test_lookups(const char *path)
{
    for (size_t i = 0; i < COUNT(lookups); i++) {
        struct bytes entry = {0}, got = {0};
        struct assign a;
        enum assign_result result =
            assign_lookup(path, view_of(lookups[i].local), &entry, &a);
        same_number(result, lookups[i].result, lookups[i].local);
        if (result == ASSIGN_FOUND)
            bytes_add_format(&got, "%s %u %u %s %s %s", a.user, (unsigned)a.uid,
                             (unsigned)a.gid, a.home, a.dash, a.ext);
        same(bytes_view(&got), view_of(lookups[i].want), lookups[i].local);
        bytes_free(&entry);
        bytes_free(&got);
    }
}

static void test_catch_all(int fd)
{
    struct bytes entry = {0};
    struct cdb_maker *m = cdb_make(fd);
    cdb_make_add(m, VIEW("!"),
                 VIEW("all\0"
                      "1\0"
                      "2\0/\0-\0"));
    cdb_make_add(m, VIEW(""), VIEW(""));
    ok(cdb_make_finish(m), "catch-all", "written");
    ok(assign_find(fd, VIEW("Any-Body"), &entry) == ASSIGN_FOUND, "catch-all", "found");
    same(bytes_view(&entry),
         VIEW("all\0"
              "1\0"
              "2\0/\0-\0Any-Body"),
         "catch-all");

    /* longer than a wildcard is looked for: the catch-all is, all the same */
    struct bytes local = {0};
    for (int i = 0; i < 3 * ASSIGN_MAX_PREFIX; i++)
        bytes_add_byte(&local, '-');
    ok(assign_find(fd, bytes_view(&local), &entry) == ASSIGN_FOUND, "long", "found");
    same_number(entry.len,
                VIEW("all\0"
                     "1\0"
                     "2\0/\0-\0")
                        .len +
                    local.len,
                "long");
    bytes_free(&local);
    bytes_free(&entry);
}

int main(void)
{
    char path[] = "/tmp/assign.XXXXXX";
    struct bytes entry = {0};
    struct assign a;
    int fd = mkstemp(path);

    ok(assign_lookup("/nonexistent/cdb", VIEW("a"), &entry, &a) == ASSIGN_ABSENT,
       "no file", NULL);
    ok(assign_lookup("/", VIEW("a"), &entry, &a) == ASSIGN_FAILED, "a directory", NULL);
    ok(assign_lookup(path, VIEW("a"), &entry, &a) == ASSIGN_FAILED, "empty file", NULL);

    struct cdb_maker *m = cdb_make(fd);
    for (size_t i = 0; i < COUNT(records); i++)
        cdb_make_add(m, records[i].key, records[i].data);
    ok(cdb_make_finish(m), "database written", NULL);
    test_lookups(path);

    ok(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0, "emptied", NULL);
    test_catch_all(fd);

    ok(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0, "emptied", NULL);
    m = cdb_make(fd);
    cdb_make_add(m, records[0].key, records[0].data);
    ok(cdb_make_finish(m), "database without the empty key", NULL);
    ok(assign_find(fd, VIEW("joe"), &entry) == ASSIGN_FAILED, "no empty key", NULL);
    close(fd);
    unlink(path);
    ok(symlink("/nonexistent/cdb", path) == 0, "dangling link", "made");
    ok(assign_lookup(path, VIEW("a"), &entry, &a) == ASSIGN_FAILED, "dangling link",
       NULL);
    unlink(path);

    for (size_t i = 0; i < COUNT(entries); i++) {
        bytes_set(&entry, entries[i].entry);
        same_number(assign_parse(&entry, &a), entries[i].result, entries[i].name);
    }
    bytes_free(&entry);
    return tap_done();
}
