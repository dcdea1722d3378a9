#include "base/cdb.h"

#include "base/fd.h"

#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEADER = 2048 };

static int make(const char *path, size_t count)
{
    struct bytes key = {0}, data = {0};
    int fd = fd_open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    struct cdb_maker *m = cdb_make(fd);
    for (size_t i = 0; i < count; i++) {
        bytes_clear(&key);
        bytes_clear(&data);
        bytes_add_format(&key, "key%zu", i);
        bytes_add_format(&data, "data of %zu", i);
        cdb_make_add(m, bytes_view(&key), bytes_view(&data));
    }
    ok(cdb_make_finish(m), path, "written");
    bytes_free(&key);
    bytes_free(&data);
    return fd;
}

static void find_all(int fd, size_t count, const char *name)
{
    struct bytes key = {0}, want = {0}, got = {0};
    bool fine = true;
    for (size_t i = 0; i < count && fine; i++) {
        bytes_clear(&key);
        bytes_clear(&want);
        bytes_add_format(&key, "key%zu", i);
        bytes_add_format(&want, "data of %zu", i);
        fine = cdb_find(fd, bytes_view(&key), &got) == CDB_FOUND &&
               view_equal(bytes_view(&got), bytes_view(&want));
    }
    ok(fine, name, "every key");
    ok(cdb_find(fd, VIEW("key"), &got) == CDB_ABSENT, name, "no key");
    ok(cdb_find(fd, VIEW(""), &got) == CDB_ABSENT, name, "the empty key");
    bytes_free(&key);
    bytes_free(&want);
    bytes_free(&got);
}

static void specials(void)
{
    static const struct {
        struct view key, data;
    } records[] = {
        {VIEW_INIT(""), VIEW_INIT("of nothing")},
        {VIEW_INIT("empty"), VIEW_INIT("")},
        {VIEW_INIT("twice"), VIEW_INIT("first")},
        {VIEW_INIT("twice"), VIEW_INIT("second")},
        {VIEW_INIT("\0"), VIEW_INIT("\0\0")},
    };
    struct bytes key = {0}, got = {0};
    int fd = fd_open("specials", O_RDWR | O_CREAT, 0600);
    struct cdb_maker *m = cdb_make(fd);

    for (size_t i = 0; i < COUNT(records); i++)
        cdb_make_add(m, records[i].key, records[i].data);
    for (int i = 0; i < 5000; i++)
        bytes_add_byte(&key, (char)i);
    cdb_make_add(m, bytes_view(&key), VIEW("long"));
    ok(cdb_make_finish(m), "specials", "written");
    for (size_t i = 0; i < COUNT(records); i++)
        if (i != 3) {
            ok(cdb_find(fd, records[i].key, &got) == CDB_FOUND, "special", "found");
            same(bytes_view(&got), records[i].data, "special");
        }
    ok(cdb_find(fd, bytes_view(&key), &got) == CDB_FOUND, "a long key", NULL);
    key.data[4999] ^= 1;
    ok(cdb_find(fd, bytes_view(&key), &got) == CDB_ABSENT, "another long key", NULL);
    fd_close(&fd);
    bytes_free(&key);
    bytes_free(&got);
}

/* A file made by other hands, byte for byte as the format says: two records in one
 * table, the second slot reached by going round. */
static void by_the_letter(void)
{
    int fd = make("one", 1);
    struct view file = content_of("one");
    /* hash of "key0": 5381, then h = h * 33 ^ byte */
    uint32_t h = 5381;
    for (const char *c = "key0"; *c; c++)
        h = (h * 33) ^ (unsigned char)*c;
    struct bytes want = {0};
    uint32_t end = HEADER + 8 + 4 + 9;
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t at = i <= h % 256 ? end : end + 16, slots = i == h % 256 ? 2 : 0;
        for (int j = 0; j < 4; j++)
            bytes_add_byte(&want, (char)(at >> 8 * j));
        for (int j = 0; j < 4; j++)
            bytes_add_byte(&want, (char)(slots >> 8 * j));
    }
    bytes_add(&want, VIEW("\4\0\0\0\11\0\0\0key0data of 0"));
    for (uint32_t slot = 0; slot < 2; slot++)
        for (int j = 0; j < 8; j++) {
            uint32_t n = j < 4 ? h >> 8 * j : (uint32_t)HEADER >> 8 * (j - 4);
            bytes_add_byte(&want, slot == h / 256 % 2 ? (char)n : '\0');
        }
    same(file, bytes_view(&want), "one record, byte for byte");
    fd_close(&fd);
    bytes_free(&want);
    fd = make("none", 0);
    file = content_of("none");
    bool fine = file.len == HEADER;
    for (size_t i = 0; fine && i < HEADER; i += 8)
        fine = memcmp(file.data + i, "\0\10\0\0\0\0\0\0", 8) == 0;
    ok(fine, "no record, byte for byte", NULL);
    fd_close(&fd);
}

/* What a lookup in a damaged file may come to: anything but a hang, a crash, or
 * data that is not in the file. */
static enum cdb_result look(struct view file, struct bytes *got)
{
    static int fd = -1;
    if (fd == -1)
        fd = fd_open("damaged", O_RDWR | O_CREAT, 0600);
    if (ftruncate(fd, 0) == -1 || pwrite(fd, file.data, file.len, 0) == -1)
        skip_rest("no damaged file");
    errno = 0;
    enum cdb_result result = cdb_find(fd, VIEW("key1"), got);
    if (result == CDB_FAILED && errno != EPROTO && errno != EFBIG)
        result = (enum cdb_result)99;
    return result;
}

static void damage(void)
{
    static const uint32_t values[] = {
        0, 1, 7, 2047, 2048, 4096, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff};
    int fd = make("whole", 3);
    fd_close(&fd);
    struct bytes file = {0}, hurt = {0}, got = {0};
    unsigned results[3] = {0}, wrong = 0;

    bytes_add(&file, content_of("whole"));
    uint32_t h = 5381;
    for (const char *c = "key1"; *c; c++)
        h = (h * 33) ^ (unsigned char)*c;
    size_t pair = h % 256 * 8;
    for (size_t len = 0; len < file.len; len++) {
        enum cdb_result result = look(view_before(bytes_view(&file), len), &got);
        wrong += result == CDB_ABSENT || (unsigned)result > 2 ||
                 (result == CDB_FOUND && !view_is(bytes_view(&got), "data of 1"));
    }
    same_number(wrong, 0, "cut at every byte: the data, or an error");
    wrong = 0;
    for (size_t at = 0; at + 4 <= file.len; at += at < HEADER ? 4 : 1) {
        if (at < HEADER && at != pair && at != pair + 4)
            continue; /* of keys that are not looked for */
        for (size_t i = 0; i < COUNT(values); i++) {
            bytes_set(&hurt, bytes_view(&file));
            for (int j = 0; j < 4; j++)
                hurt.data[at + (size_t)j] = (char)(values[i] >> 8 * j);
            enum cdb_result result = look(bytes_view(&hurt), &got);
            if ((unsigned)result > 2)
                wrong++;
            else
                results[result]++;
            if (result == CDB_FOUND && got.len > hurt.len)
                wrong++;
        }
    }
    same_number(wrong, 0, "every field set to every value");
    ok(results[CDB_FOUND] && results[CDB_ABSENT] && results[CDB_FAILED],
       "damage of each kind", NULL);

    /* a table without an empty slot, all of another key of the same hash */
    bytes_set(&hurt, view_before(bytes_view(&file), HEADER));
    for (int j = 0; j < 8; j++)
        hurt.data[pair + (size_t)j] = "\0\10\0\0\4\0\0\0"[j];
    for (int slot = 0; slot < 4; slot++)
        for (int j = 0; j < 8; j++)
            bytes_add_byte(
                &hurt, (char)(j < 4 ? h >> 8 * j : (unsigned char)"\20\10\0\0"[j - 4]));
    ok(look(bytes_view(&hurt), &got) != CDB_FOUND, "a table without an end", NULL);
    bytes_free(&file);
    bytes_free(&hurt);
    bytes_free(&got);
}

static void note_record(void *arg, struct view key, struct view data)
{
    struct bytes *seen = arg;
    bytes_add(seen, key);
    bytes_add_byte(seen, '=');
    bytes_add(seen, data);
    bytes_add_byte(seen, ';');
}

/* Looking a whole file over: no damage escapes, but that to a byte of some data or
 * to numbers that nobody reads. */
static void look_over(void)
{
    int fd = make("all", 3);
    fd_close(&fd);
    struct bytes file = {0}, seen = {0};
    unsigned unseen = 0, sound = 0;

    bytes_add(&file, content_of("all"));
    ok(cdb_each(bytes_view(&file), note_record, &seen), "a sound file", NULL);
    same(bytes_view(&seen), VIEW("key0=data of 0;key1=data of 1;key2=data of 2;"),
         "its records in order");
    for (size_t len = 0; len < file.len; len++)
        unseen += cdb_each(view_before(bytes_view(&file), len), note_record, &seen);
    same_number(unseen, 0, "cut at every byte");
    for (size_t at = HEADER; at < file.len; at++) {
        file.data[at] = (char)(file.data[at] ^ 0x55);
        if (cdb_each(bytes_view(&file), note_record, &seen))
            sound++;
        file.data[at] = (char)(file.data[at] ^ 0x55);
    }
    /* 9 bytes of data in each record, and the hashes of three empty slots */
    same_number(sound, 3 * 9 + 3 * 4, "every byte changed");
    bytes_free(&file);
    bytes_free(&seen);
    fd = make("empty", 0);
    fd_close(&fd);
    ok(cdb_each(content_of("empty"), note_record, &seen) && seen.len == 0, "no record",
       NULL);
}

static void trouble(void)
{
    struct bytes got = {0};
    int fds[2];

    ok(cdb_find(999, VIEW("x"), &got) == CDB_FAILED && errno == EBADF, "closed", NULL);
    ok(fd_pipe(fds) && cdb_find(fds[0], VIEW("x"), &got) == CDB_FAILED, "pipe", NULL);
    struct cdb_maker *m = cdb_make(fds[1]);
    cdb_make_add(m, VIEW("a"), VIEW("b"));
    ok(!cdb_make_finish(m) && errno == ESPIPE, "made on a pipe", NULL);
    int full = fd_open("/dev/full", O_RDWR, 0);
    m = cdb_make(full);
    cdb_make_add(m, VIEW("a"), VIEW("b"));
    ok(!cdb_make_finish(m) && errno == ENOSPC, "made on a full disk", NULL);
    int null = fd_open("/dev/null", O_RDWR, 0);
    m = cdb_make(null);
    /* never touched: the sizes alone are too much */
    cdb_make_add(m, VIEW("a"), view_at("", (size_t)UINT32_MAX + 1));
    ok(!cdb_make_finish(m) && errno == EFBIG, "data of 4 GiB", NULL);
    m = cdb_make(null);
    cdb_make_add(m, view_at("", SIZE_MAX), VIEW(""));
    ok(!cdb_make_finish(m) && errno == EFBIG, "a key of all memory", NULL);
    m = cdb_make(null);
    cdb_make_add(m, VIEW("a"), view_at("", UINT32_MAX - 100));
    ok(!cdb_make_finish(m) && errno == EFBIG, "a file of 4 GiB", NULL);
    fd_close(&full);
    fd_close(&null);
    fd_close(&fds[0]);
    fd_close(&fds[1]);
    bytes_free(&got);
}

int main(void)
{
    static const size_t counts[] = {0, 1, 2, 256, 5000};

    scratch();
    for (size_t i = 0; i < COUNT(counts); i++) {
        char name[32];
        snprintf(name, sizeof name, "%zu records", counts[i]);
        int fd = make(name, counts[i]);
        find_all(fd, counts[i], name);
        fd_close(&fd);
    }
    specials();
    by_the_letter();
    damage();
    look_over();
    trouble();
    return tap_done();
}
