#include "base/cdb.h"

#include "base/heap.h"
#include "base/writer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
    TABLES = 256,
    PAIR = 8, /* bytes of a pair of numbers */
    HEADER = TABLES * PAIR,
    STEP = 512, /* bytes read at a time */
    SLOTS_AT_ONCE = 16,
    MAX_SLOTS_SEEN = 65536, /* half of a table's slots are empty: runs are short */
    MAX_OTHERS = 1024       /* keys with the same hash as the one looked for */
};

static uint32_t hash_of(struct view key)
{
    uint32_t h = 5381;
    for (size_t i = 0; i < key.len; i++)
        h = (h * 33) ^ (unsigned char)key.data[i];
    return h;
}

static uint32_t unpack(const unsigned char *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
           (uint32_t)at[3] << 24;
}

static void pack(unsigned char *at, uint32_t n)
{
    for (int i = 0; i < 4; i++)
        at[i] = (unsigned char)(n >> (8 * i));
}

/* Reading */

/* Reads between least and len bytes, as many as the file has from there on. The
 * number of bytes, or 0 with errno set. */
static size_t read_some(int fd, uint64_t from, void *into, size_t least, size_t len)
{
    char *at = into;
    size_t got = 0;
    while (got < len) {
        ssize_t n = pread(fd, at + got, len - got, (off_t)(from + got));
        if (n == -1 && errno == EINTR)
            continue;
        if (n == -1)
            return 0;
        if (n == 0)
            break;
        got += (size_t)n;
    }
    if (got >= least)
        return got;
    errno = EPROTO;
    return 0;
}

static bool read_at(int fd, uint64_t from, void *into, size_t len)
{
    return len == 0 || read_some(fd, from, into, len, len) != 0;
}

static enum cdb_result key_matches(int fd, uint64_t from, struct view key)
{
    char part[STEP];
    while (key.len) {
        size_t n = key.len < sizeof part ? key.len : sizeof part;
        if (!read_at(fd, from, part, n))
            return CDB_FAILED;
        if (!view_equal(view_at(part, n), view_before(key, n)))
            return CDB_ABSENT;
        key = view_from(key, n);
        from += n;
    }
    return CDB_FOUND;
}

/* The record at at, if it has this key. Nearly all records come with the first
 * read. */
static enum cdb_result read_record(int fd, uint64_t at, struct view key,
                                   struct bytes *data)
{
    unsigned char head[STEP];
    size_t got = read_some(fd, at, head, PAIR, sizeof head);
    if (got == 0)
        return CDB_FAILED;
    size_t key_len = unpack(head), data_len = unpack(head + 4);
    if (key_len != key.len)
        return CDB_ABSENT;
    if (key_len <= got - PAIR) {
        if (!view_equal(view_at((const char *)head + PAIR, key_len), key))
            return CDB_ABSENT;
    } else {
        enum cdb_result result = key_matches(fd, at + PAIR, key);
        if (result != CDB_FOUND)
            return result;
    }
    if (data_len > CDB_MAX_DATA) {
        errno = EFBIG;
        return CDB_FAILED;
    }
    bytes_clear(data);
    bytes_reserve(data, data_len);
    if (PAIR + key_len + data_len <= got)
        bytes_add(data, view_at((const char *)head + PAIR + key_len, data_len));
    else if (read_at(fd, at + PAIR + key_len, data->data, data_len))
        data->len = data_len;
    else
        return CDB_FAILED;
    return CDB_FOUND;
}

/* A table on its way past the eyes, a block at a time. */
struct search {
    int fd;
    uint64_t table;
    uint32_t slots, slot;
    unsigned char block[SLOTS_AT_ONCE * PAIR];
    size_t used, len; /* of block */
};

static bool next_slot(struct search *s, uint32_t *hash, uint32_t *at)
{
    if (s->used == s->len) {
        size_t left = s->slots - s->slot;
        size_t len = (left < SLOTS_AT_ONCE ? left : SLOTS_AT_ONCE) * PAIR;
        s->used = 0;
        s->len =
            read_some(s->fd, s->table + (uint64_t)s->slot * PAIR, s->block, len, len);
        if (s->len == 0)
            return false;
    }
    *hash = unpack(s->block + s->used);
    *at = unpack(s->block + s->used + 4);
    s->used += PAIR;
    if (++s->slot == s->slots) {
        s->slot = 0;
        s->used = s->len;
    }
    return true;
}

enum cdb_result cdb_find(int fd, struct view key, struct bytes *data)
{
    uint32_t hash = hash_of(key);
    unsigned char pair[PAIR];
    int others = 0;

    if (!read_at(fd, (uint64_t)(hash % TABLES) * PAIR, pair, sizeof pair))
        return CDB_FAILED;
    struct search search = {.fd = fd, .table = unpack(pair), .slots = unpack(pair + 4)};
    if (search.slots == 0)
        return CDB_ABSENT;
    search.slot = hash / TABLES % search.slots;
    for (uint32_t seen = 0; seen < search.slots; seen++) {
        uint32_t slot_hash, at;
        if (!next_slot(&search, &slot_hash, &at))
            return CDB_FAILED;
        if (at == 0)
            return CDB_ABSENT;
        if (slot_hash == hash) {
            enum cdb_result result = read_record(fd, at, key, data);
            if (result != CDB_ABSENT)
                return result;
            others++;
        }
        if (seen > MAX_SLOTS_SEEN || others > MAX_OTHERS) {
            errno = EPROTO; /* no writer fills a table like that */
            return CDB_FAILED;
        }
    }
    return CDB_ABSENT;
}

/* Looking a whole file over */

static uint32_t number_at(struct view file, uint64_t at)
{
    return unpack((const unsigned char *)file.data + at);
}

/* The record at at, which ends before end. */
static bool take_record(struct view file, uint64_t at, uint64_t end, struct view *key,
                        struct view *data)
{
    if (at < HEADER || at + PAIR > end)
        return false;
    uint64_t key_len = number_at(file, at), data_len = number_at(file, at + 4);
    if (at + PAIR + key_len + data_len > end)
        return false;
    *key = view_at(file.data + at + PAIR, key_len);
    *data = view_at(key->data + key_len, data_len);
    return true;
}

/* Table number i: its slots lead to records before end whose keys belong there.
 * *found counts them. */
static bool table_is_sound(struct view file, uint32_t i, uint64_t end, uint64_t *found)
{
    uint64_t table = number_at(file, i * PAIR), slots = number_at(file, i * PAIR + 4);
    struct view key, data;
    if (slots && table + slots * PAIR > file.len)
        return false;
    for (uint64_t slot = 0; slot < slots; slot++) {
        uint32_t hash = number_at(file, table + slot * PAIR);
        uint32_t at = number_at(file, table + slot * PAIR + 4);
        if (at == 0)
            continue;
        if (hash % TABLES != i || !take_record(file, at, end, &key, &data) ||
            hash_of(key) != hash)
            return false;
        ++*found;
    }
    return true;
}

/* As cdb_find() goes: whether it finds a record of that key. The tables are sound. */
static bool can_be_found(struct view file, uint64_t end, struct view key)
{
    uint32_t hash = hash_of(key);
    uint64_t head = (uint64_t)(hash % TABLES) * PAIR, table = number_at(file, head);
    uint64_t slots = number_at(file, head + 4);
    struct view other, data;
    int others = 0;

    for (uint64_t seen = 0; seen < slots; seen++) {
        uint64_t slot = table + (hash / TABLES + seen) % slots * PAIR;
        uint32_t at = number_at(file, slot + 4);
        if (at == 0)
            return false;
        if (number_at(file, slot) == hash) {
            if (!take_record(file, at, end, &other, &data))
                return false;
            if (view_equal(other, key))
                return true;
            others++;
        }
        if (seen > MAX_SLOTS_SEEN || others > MAX_OTHERS)
            return false;
    }
    return false;
}

bool cdb_each(struct view file,
              void (*each)(void *arg, struct view key, struct view data), void *arg)
{
    uint64_t end = UINT64_MAX, found = 0, count = 0;
    struct view key, data;

    if (file.len < HEADER)
        return false;
    for (uint32_t i = 0; i < TABLES; i++) /* the records end where a table begins */
        if (number_at(file, i * PAIR + 4) && number_at(file, i * PAIR) < end)
            end = number_at(file, i * PAIR);
    if (end == UINT64_MAX)
        end = HEADER;
    if (end > file.len)
        return false;
    for (uint64_t at = HEADER; at < end; count++) {
        if (!take_record(file, at, end, &key, &data))
            return false;
        at += PAIR + key.len + data.len;
        each(arg, key, data);
    }
    for (uint32_t i = 0; i < TABLES; i++)
        if (!table_is_sound(file, i, end, &found))
            return false;
    for (uint64_t at = HEADER; at < end; at += PAIR + key.len + data.len)
        if (!take_record(file, at, end, &key, &data) || !can_be_found(file, end, key))
            return false;
    return found == count;
}

/* Writing */

struct place {
    uint32_t hash, at;
};

struct cdb_maker {
    struct writer out;
    uint64_t at; /* where the next byte goes */
    struct place *places;
    size_t count, room;
    uint32_t in_table[TABLES];
};

static void add_pair(struct cdb_maker *m, uint32_t a, uint32_t b)
{
    unsigned char pair[PAIR];
    pack(pair, a);
    pack(pair + 4, b);
    writer_add(&m->out, view_at((const char *)pair, sizeof pair));
    m->at += sizeof pair;
}

struct cdb_maker *cdb_make(int fd)
{
    struct cdb_maker *m = heap_array(1, sizeof *m);
    memset(m, 0, sizeof *m);
    writer_open(&m->out, fd, 0);
    for (int i = 0; i < TABLES; i++)
        add_pair(m, 0, 0); /* the true ones are written last */
    return m;
}

void cdb_make_add(struct cdb_maker *m, struct view key, struct view data)
{
    uint64_t record = PAIR + (uint64_t)key.len + (uint64_t)data.len;
    if (key.len > UINT32_MAX || data.len > UINT32_MAX ||
        m->at + record > UINT32_MAX - PAIR * 2) {
        if (!m->out.error)
            m->out.error = EFBIG;
        return;
    }
    if (m->count == m->room) {
        m->room = m->room ? m->room * 2 : 256;
        m->places = heap_resize(m->places, m->room, sizeof *m->places);
    }
    struct place place = {.hash = hash_of(key), .at = (uint32_t)m->at};
    m->places[m->count++] = place;
    m->in_table[place.hash % TABLES]++;
    add_pair(m, (uint32_t)key.len, (uint32_t)data.len);
    writer_add(&m->out, key);
    writer_add(&m->out, data);
    m->at += key.len + data.len;
}

/* Puts the places in the order of their tables, keeping the order in which they
 * came within each: a lookup must find the first of equal keys. */
static struct place *sort_places(const struct cdb_maker *m, size_t starts[TABLES + 1])
{
    struct place *sorted = heap_array(m->count, sizeof *sorted);
    size_t next[TABLES];

    starts[0] = 0;
    for (int i = 0; i < TABLES; i++) {
        next[i] = starts[i];
        starts[i + 1] = starts[i] + m->in_table[i];
    }
    for (size_t i = 0; i < m->count; i++)
        sorted[next[m->places[i].hash % TABLES]++] = m->places[i];
    return sorted;
}

static void write_table(struct cdb_maker *m, const struct place *places, size_t count)
{
    size_t slots = count * 2;
    struct place *table = heap_array(slots, sizeof *table);
    memset(table, 0, slots * sizeof *table);
    for (size_t i = 0; i < count; i++) {
        size_t slot = places[i].hash / TABLES % slots;
        while (table[slot].at)
            slot = slot + 1 == slots ? 0 : slot + 1;
        table[slot] = places[i];
    }
    for (size_t i = 0; i < slots; i++)
        add_pair(m, table[i].hash, table[i].at);
    heap_free(table);
}

bool cdb_make_finish(struct cdb_maker *m)
{
    unsigned char header[HEADER];
    size_t starts[TABLES + 1];

    if (m->at + (uint64_t)m->count * 2 * PAIR > UINT32_MAX && !m->out.error)
        m->out.error = EFBIG;
    struct place *sorted = sort_places(m, starts);
    for (int i = 0; i < TABLES; i++) {
        size_t count = starts[i + 1] - starts[i];
        pack(header + i * PAIR, (uint32_t)m->at);
        pack(header + i * PAIR + 4, (uint32_t)(count * 2));
        if (count && !m->out.error)
            write_table(m, sorted + starts[i], count);
    }
    int error = writer_flush(&m->out) ? 0 : errno;
    if (!error && lseek(m->out.fd, 0, SEEK_SET) == -1)
        error = errno;
    if (!error && !write_all(m->out.fd, view_at((const char *)header, sizeof header)))
        error = errno;
    heap_free(sorted);
    heap_free(m->places);
    heap_free(m);
    errno = error;
    return error == 0;
}
