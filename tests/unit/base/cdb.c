#include "base/cdb.h"

#include "fault.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { RECORDS = 5000, HEADER = 2048 };

static void empty(int fd)
{
    ok(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0, "emptied", NULL);
}

/* Many records, of all lengths around those that are read at once. */
static void test_many(int fd)
{
    struct bytes data = {0}, filler = {0};
    char key[32];
    bool all = true;

    struct cdb_maker *m = cdb_make(fd);
    for (int i = 0; i < RECORDS; i++) {
        snprintf(key, sizeof key, "key %d", i);
        bytes_cut(&filler, i % 1000 == 0 ? 0 : filler.len);
        cdb_make_add(m, view_of(key), bytes_view(&filler));
        bytes_add_byte(&filler, (char)i);
    }
    cdb_make_add(m, VIEW("key 7"), VIEW("never found"));
    ok(cdb_make_finish(m), "many records", "written");
    for (int i = 0; i < RECORDS; i++) {
        snprintf(key, sizeof key, "key %d", i);
        all = all && cdb_find(fd, view_of(key), &data) == CDB_FOUND &&
              data.len == (size_t)i % 1000;
    }
    ok(all, "many records", "found");
    ok(cdb_find(fd, VIEW("key 7"), &data) == CDB_FOUND && data.len == 7,
       "the first of equal keys", NULL);
    ok(cdb_find(fd, VIEW("key"), &data) == CDB_ABSENT, "absent", NULL);
    ok(cdb_find(fd, VIEW(""), &data) == CDB_ABSENT, "empty key absent", NULL);
    bytes_free(&data);
    bytes_free(&filler);
}

static void test_sizes(int fd)
{
    struct bytes key = {0}, large = {0}, data = {0};
    for (int i = 0; i < 2000; i++)
        bytes_add_byte(&key, (char)i);
    bytes_reserve(&large, CDB_MAX_DATA + 1);
    memset(large.data, 'x', CDB_MAX_DATA + 1);
    large.len = CDB_MAX_DATA;

    struct cdb_maker *m = cdb_make(fd);
    cdb_make_add(m, bytes_view(&key), VIEW("long key"));
    cdb_make_add(m, VIEW("largest"), bytes_view(&large));
    large.len++;
    cdb_make_add(m, VIEW("too large"), bytes_view(&large));
    ok(cdb_make_finish(m), "sizes", "written");
    ok(cdb_find(fd, bytes_view(&key), &data) == CDB_FOUND, "long key", "found");
    same(bytes_view(&data), VIEW("long key"), "long key");
    key.data[1999]++;
    ok(cdb_find(fd, bytes_view(&key), &data) == CDB_ABSENT, "other long key", NULL);
    ok(cdb_find(fd, VIEW("largest"), &data) == CDB_FOUND && data.len == CDB_MAX_DATA,
       "largest data", NULL);
    ok(cdb_find(fd, VIEW("too large"), &data) == CDB_FAILED && errno == EFBIG,
       "too large data", NULL);
    bytes_free(&key);
    bytes_free(&large);
    bytes_free(&data);
}

/* Every length that a cut file may have: an answer, or CDB_FAILED, and an end. */
static void test_cut(int fd)
{
    struct bytes data = {0};
    struct cdb_maker *m = cdb_make(fd);
    for (int i = 0; i < 20; i++)
        cdb_make_add(m, VIEW("a"), VIEW("data"));
    ok(cdb_make_finish(m), "cut", "written");
    off_t size = lseek(fd, 0, SEEK_END);
    bool failed = true;
    while (size-- > 0) {
        if (ftruncate(fd, size) == -1)
            break;
        failed = failed && (size >= HEADER + 20 * 13 ||
                            cdb_find(fd, VIEW("a"), &data) == CDB_FAILED);
    }
    ok(failed, "cut", "fails");
    bytes_free(&data);
}

/* A file full of ones: tables that claim to be huge, beyond the end. And a table
 * that is full, without end, of the hash looked for. */
static void test_hostile(int fd)
{
    unsigned char ones[HEADER];
    struct bytes data = {0}, file = {0};
    memset(ones, 255, sizeof ones);
    ok(write(fd, ones, sizeof ones) == (ssize_t)sizeof ones, "hostile", "written");
    ok(cdb_find(fd, VIEW("a"), &data) == CDB_FAILED, "tables beyond the end", NULL);

    empty(fd);
    enum { SLOTS = 200000 };
    for (int i = 0; i < 256; i++)
        bytes_add(&file, VIEW("\0\10\0\0\100\15\3\0")); /* 2048, 200000 slots */
    for (int i = 0; i < SLOTS; i++)
        bytes_add(&file, VIEW("\1\1\1\1\1\0\0\0"));
    ok(write(fd, file.data, file.len) == (ssize_t)file.len, "hostile", "written");
    ok(cdb_find(fd, VIEW("a"), &data) == CDB_FAILED && errno == EPROTO,
       "a table without an empty slot", NULL);
    bytes_free(&data);
    bytes_free(&file);
}

static void add_large(struct cdb_maker *m, char first, size_t at, char other)
{
    static char key[1200];
    memset(key, 'k', sizeof key);
    key[0] = first;
    key[at] = other;
    cdb_make_add(m, view_at(key, sizeof key), VIEW("data"));
}

/* Keys longer than what is read at a time, alike in the beginning; and each read of
 * a search fails in turn. */
static void test_faults(int fd)
{
    struct bytes data = {0};
    char key[1200];
    memset(key, 'k', sizeof key);
    struct view looked_for = view_at(key, sizeof key);

    struct cdb_maker *m = cdb_make(fd);
    add_large(m, 'k', 1199, 'k');
    ok(cdb_make_finish(m), "faults", "written");
    for (int n = 1; fault_at("pread", n, EINTR),
             ok(cdb_find(fd, looked_for, &data) == CDB_FOUND, "interrupted", NULL),
             fault_end();
         n++)
        ;
    for (int n = 1;; n++) {
        fault_at("pread", n, EIO);
        enum cdb_result result = cdb_find(fd, looked_for, &data);
        if (!fault_end())
            break;
        ok(result == CDB_FAILED, "a read fails", NULL);
    }
    empty(fd);
    /* the same hash as the key's, by a slot made by hand: the record is another's */
    m = cdb_make(fd);
    add_large(m, 'k', 1199, 'k');
    ok(cdb_make_finish(m), "faults", "written");
    ok(pwrite(fd, "x", 1, HEADER + 8 + 1199) == 1, "faults", "the key's end changed");
    ok(cdb_find(fd, looked_for, &data) == CDB_ABSENT, "another key", "of one hash");
    bytes_free(&data);
}

static void test_unfinished(int fd)
{
    static const char *const calls[] = {"write", "lseek"};
    for (size_t i = 0; i < COUNT(calls); i++) {
        empty(fd);
        struct cdb_maker *m = cdb_make(fd);
        cdb_make_add(m, VIEW("a"), VIEW("data"));
        fault_at(calls[i], 1, ENOSPC);
        ok(!cdb_make_finish(m) && errno == ENOSPC && fault_end(), "not finished",
           calls[i]);
    }
    empty(fd);
    struct cdb_maker *m = cdb_make(fd);
    cdb_make_add(m, VIEW("a"), VIEW("data"));
    fault_at("write", 2, ENOSPC);
    ok(!cdb_make_finish(m) && errno == ENOSPC && fault_end(), "not finished", "header");
}

/* Records that fit, and tables that do not: 4 GB are the most. Nothing is written in
 * earnest. */
static void test_large(void)
{
    enum { SECOND = 8 + 1, SLOTS = 16 };
    size_t first = UINT32_MAX - SLOTS - SECOND - HEADER - 8 - 1;
    int zeros = open("/dev/zero", O_RDONLY), nowhere = open("/dev/null", O_WRONLY);
    void *data = mmap(NULL, first, PROT_READ, MAP_PRIVATE, zeros, 0);
    if (data == MAP_FAILED) {
        ok(true, "# SKIP no room for 4 GB", NULL);
    } else {
        struct cdb_maker *m = cdb_make(nowhere);
        cdb_make_add(m, VIEW("a"), view_at(data, first));
        cdb_make_add(m, VIEW("b"), VIEW(""));
        ok(!cdb_make_finish(m) && errno == EFBIG, "too large", "with its tables");
        munmap(data, first);
    }
    close(zeros);
    close(nowhere);
}

int main(void)
{
    char path[] = "/tmp/cdb.XXXXXX";
    int fd = mkstemp(path);
    unlink(path);
    test_many(fd);
    empty(fd);
    test_sizes(fd);
    empty(fd);
    test_cut(fd);
    empty(fd);
    test_hostile(fd);
    empty(fd);
    test_faults(fd);
    test_unfinished(fd);
    test_large();
    close(fd);
    return tap_done();
}
