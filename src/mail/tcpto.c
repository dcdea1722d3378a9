#include "mail/tcpto.h"

#include "base/fd.h"
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Where the parts of a record are. */
struct form {
    const char *path;
    size_t size, record_len, address_len, count_at, when_at;
};

static const struct form form_v4 = {QUEUE_DIR_TCPTO, QUEUE_TCPTO_SIZE, 16, 4, 4, 8};
static const struct form form_v6 = {
    QUEUE_DIR_TCPTO6, QUEUE_TCPTO6_SIZE, 32, 16, 16, 24};

static const struct form *form_of(enum ip_family family)
{
    return family == IP_V4 ? &form_v4 : &form_v6;
}

const char *tcpto_path(enum ip_family family)
{
    return form_of(family)->path;
}

/* The table's file, open and locked, or -1 with *result and errno set. */
static int open_locked(const char *queue, enum ip_family family, int flags,
                       enum tcpto_result *result)
{
    char path[256];
    int n = snprintf(path, sizeof path, "%s/%s", queue, tcpto_path(family));
    *result = TCPTO_NOT_OPENED;
    if (n < 0 || (size_t)n >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = fd_open(path, flags | O_NONBLOCK, 0);
    if (fd == -1)
        return -1;
    *result = TCPTO_NOT_LOCKED;
    while (!os_lock(fd, true)) {
        if (errno == EINTR)
            continue;
        fd_close(&fd);
        return -1;
    }
    *result = TCPTO_DONE;
    return fd;
}

enum tcpto_result tcpto_open(struct tcpto_table *t, const char *queue,
                             enum ip_family family)
{
    const struct form *f = form_of(family);
    enum tcpto_result result;
    *t = (struct tcpto_table){.family = family};
    t->fd = open_locked(queue, family, O_RDWR, &result);
    if (t->fd == -1)
        return result;
    while (t->len < f->size) {
        ssize_t n = read(t->fd, t->data + t->len, f->size - t->len);
        if (n == 0)
            break;
        if (n > 0)
            t->len += (size_t)n;
        else if (errno != EINTR) {
            fd_close(&t->fd);
            return TCPTO_NOT_READ;
        }
    }
    t->len -= t->len % f->record_len;
    return TCPTO_DONE;
}

void tcpto_close(struct tcpto_table *t)
{
    fd_close(&t->fd);
}

bool tcpto_record(const struct tcpto_table *t, size_t i, struct tcpto_record *record)
{
    const struct form *f = form_of(t->family);
    if (i >= t->len / f->record_len)
        return false;
    const unsigned char *data = t->data + i * f->record_len;
    *record = (struct tcpto_record){.ip.family = t->family, .count = data[f->count_at]};
    memcpy(record->ip.bytes, data, f->address_len);
    for (size_t byte = 4; byte--;)
        record->when = record->when << 8 | data[f->when_at + byte];
    return true;
}

/* Puts record in place number i, here and in the file. */
static void put_record(struct tcpto_table *t, size_t i,
                       const struct tcpto_record *record)
{
    const struct form *f = form_of(t->family);
    unsigned char *data = t->data + i * f->record_len;
    memset(data, 0, f->record_len);
    memcpy(data, record->ip.bytes, f->address_len);
    data[f->count_at] = (unsigned char)record->count;
    for (unsigned byte = 0; byte < 4; byte++)
        data[f->when_at + byte] = (unsigned char)(record->when >> 8 * byte);
    if (t->fd != -1) {
        /* losing this costs one attempt at most */
        ssize_t n = pwrite(t->fd, data, f->record_len, (off_t)(i * f->record_len));
        (void)n;
    }
}

uint32_t tcpto_age(const struct tcpto_record *record, int64_t now)
{
    return (uint32_t)now - record->when;
}

/* Finds the record of ip. */
static bool find(const struct tcpto_table *t, const struct ip_address *ip, size_t *i,
                 struct tcpto_record *record)
{
    for (*i = 0; tcpto_record(t, *i, record); ++*i)
        if (ip_equal(&record->ip, ip))
            return true;
    return false;
}

enum tcpto_state tcpto_state(const struct tcpto_table *t, const struct ip_address *ip,
                             int64_t now, pid_t pid)
{
    struct tcpto_record record;
    size_t i;
    if (!find(t, ip, &i, &record))
        return TCPTO_UNLISTED;
    uint32_t rest_s = (60 + (uint32_t)(pid % 32)) * 64;
    if (record.count >= TCPTO_SKIP_COUNT && tcpto_age(&record, now) < rest_s)
        return TCPTO_SKIP;
    return TCPTO_LISTED;
}

/* The place for an address that is not in the table: the first record that is free,
 * or the one that has been silent longest, where each further timeout counts as 1024
 * seconds. False where the table has no records. */
static bool find_place(const struct tcpto_table *t, int64_t now, size_t *place)
{
    struct tcpto_record record;
    int64_t best = 0;
    bool found = false;
    for (size_t i = 0; tcpto_record(t, i, &record); i++) {
        if (record.count == 0) {
            *place = i;
            return true;
        }
        int64_t weight = (int64_t)record.count * 1024 - tcpto_age(&record, now);
        if (!found || weight < best) {
            best = weight;
            *place = i;
            found = true;
        }
    }
    return found;
}

void tcpto_count(struct tcpto_table *t, const struct ip_address *ip, int64_t now)
{
    struct tcpto_record record;
    size_t i;
    if (find(t, ip, &i, &record)) {
        if (record.count && tcpto_age(&record, now) < TCPTO_SAME_TIMEOUT_S)
            return;
        if (record.count < TCPTO_MAX_COUNT)
            record.count++;
        else
            record.count = TCPTO_MAX_COUNT;
    } else {
        if (!find_place(t, now, &i))
            return;
        record = (struct tcpto_record){.ip = *ip, .count = 1};
    }
    record.when = (uint32_t)now;
    put_record(t, i, &record);
}

void tcpto_answered(struct tcpto_table *t, const struct ip_address *ip)
{
    struct tcpto_record record;
    size_t i;
    if (!find(t, ip, &i, &record) || record.count == 0)
        return;
    record.count = 0;
    put_record(t, i, &record);
}

enum tcpto_result tcpto_clear(const char *queue, enum ip_family family)
{
    static const char zeros[QUEUE_TCPTO6_SIZE];
    enum tcpto_result result;
    int fd = open_locked(queue, family, O_WRONLY, &result);
    if (fd == -1)
        return result;
    size_t size = form_of(family)->size;
    ssize_t n = pwrite(fd, zeros, size, 0);
    if (n >= 0 && (size_t)n < size)
        errno = ENOSPC;
    fd_close(&fd);
    return n >= 0 && (size_t)n == size ? TCPTO_DONE : TCPTO_NOT_CLEARED;
}
