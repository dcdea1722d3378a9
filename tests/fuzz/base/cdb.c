/* Records that are written are found, whatever their bytes. A database that is damaged,
 * or any bytes in its place, is never read beyond its end; what is found in it lies
 * within it, and one that passes for sound gives all that it holds. */
#include "base/cdb.h"

#include "fuzz.h"
#include "must.h"

#include <unistd.h>

enum { KEYS = 32, MAX_INPUT = 4096 };

static int file = -1;
static struct view keys[KEYS], values[KEYS];
static size_t count;

static void open_file(void)
{
    if (file == -1)
        file = nameless_file();
    must(lseek(file, 0, SEEK_SET) == 0);
}

/* Takes key and data from the input, lengths in front. */
static void write_records(struct view *in)
{
    struct cdb_maker *m = cdb_make(file);
    size_t wanted = take_number(in) % (KEYS + 1);
    for (count = 0; count < wanted; count++) {
        size_t key_len = take_number(in) % 8, data_len = take_number(in);
        keys[count] = take_piece(in, key_len);
        values[count] = take_piece(in, data_len);
        cdb_make_add(m, keys[count], values[count]);
    }
    must(cdb_make_finish(m));
}

static struct view first_value(struct view key)
{
    size_t i = 0;
    while (i < count && !view_equal(keys[i], key))
        i++;
    return i < count ? values[i] : VIEW("");
}

static void check_written(void)
{
    static struct bytes data;
    for (size_t i = 0; i < count; i++) {
        must(cdb_find(file, keys[i], &data) == CDB_FOUND);
        must(view_equal(bytes_view(&data), first_value(keys[i])));
    }
    must(cdb_find(file, VIEW("not a key of 8"), &data) == CDB_ABSENT);
}

/* Each record of a sound file, in turn. */
static struct view whole;
static size_t seen;

static void see(void *arg, struct view key, struct view data)
{
    const char *end = whole.data + whole.len;
    must(arg == &seen && key.data >= whole.data && data.data == key.data + key.len &&
         data.data + data.len <= end);
    seen++;
}

/* In a sound file the first record of a key is what a search finds. */
static void see_and_search(void *arg, struct view key, struct view data)
{
    static struct bytes found;
    see(arg, key, data);
    must(cdb_find(file, key, &found) == CDB_FOUND);
}

static void check_any(struct view in)
{
    static struct bytes data;
    struct view rest = in;

    whole = in;
    seen = 0;
    bool sound = cdb_each(in, see, &seen);
    size_t all = seen;
    if (sound) {
        seen = 0;
        must(cdb_each(in, see_and_search, &seen) && seen == all);
    }
    for (size_t i = 0; i < count; i++)
        if (cdb_find(file, keys[i], &data) == CDB_FOUND)
            must(data.len <= in.len);
    if (cdb_find(file, take_piece(&rest, 3), &data) == CDB_FOUND)
        must(data.len <= in.len);
}

static void read_all(struct bytes *all)
{
    off_t len = lseek(file, 0, SEEK_END);
    bytes_clear(all);
    bytes_reserve(all, (size_t)len + 1);
    must(pread(file, all->data, (size_t)len, 0) == len);
    all->len = (size_t)len;
}

/* Places and new values of bytes, and perhaps an earlier end. */
static void damage(struct view in, struct bytes *all)
{
    static const size_t header = 2048;
    while (in.len > 3 && all->len) {
        size_t at = take_number(&in) << 8 | take_number(&in);
        unsigned value = take_number(&in);
        if (at & 1 << 15) /* behind the header, where most is */
            at = header + at % 1024;
        all->data[at % all->len] = (char)value;
    }
    if (in.len == 3)
        bytes_cut(all, (take_number(&in) << 8 | take_number(&in)) % (all->len + 1));
}

static void check_damaged(struct view in)
{
    static struct bytes all;
    read_all(&all);
    must(cdb_each(bytes_view(&all), see_and_search, (whole = bytes_view(&all), &seen)));
    damage(in, &all);
    must(ftruncate(file, (off_t)all.len) == 0);
    must(pwrite(file, all.data, all.len, 0) == (ssize_t)all.len);
    check_any(bytes_view(&all));
}

/* The first byte chooses: records to be written and then damaged, or a file as it
 * stands here. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view in = input_of(data, len);
    if (len > MAX_INPUT)
        return 0;
    open_file();
    count = 0;
    if (take_number(&in) % 8) {
        must(ftruncate(file, 0) == 0);
        write_records(&in);
        check_written();
        check_damaged(in);
    } else {
        must(ftruncate(file, (off_t)in.len) == 0);
        must(pwrite(file, in.data, in.len, 0) == (ssize_t)in.len);
        check_any(in);
    }
    return 0;
}
