/* cdb - constant databases: written once, then read by anybody.
 *
 * The 32-bit format of users/cdb, morercpthosts.cdb and tcprules: 256 pairs
 * (position, slots) of hash tables, the records (key length, data length, key,
 * data), the tables (hash, position). Numbers are little-endian. A file may be
 * damaged or hostile: nothing outside it is read, and a search takes bounded
 * memory and a bounded number of steps, so a daemon may look things up itself. */
#ifndef BASE_CDB_H
#define BASE_CDB_H

#include "base/bytes.h"

enum {
    CDB_MAX_DATA = 1048576 /* bytes of a record's data that cdb_find() takes */
};

enum cdb_result {
    CDB_FOUND,
    CDB_ABSENT,
    CDB_FAILED /* read error, or the file is damaged (errno EPROTO), or the
                  record's data is too long (errno EFBIG) */
};

/* Looks key up in the open file fd; data is replaced by what belongs to the
 * first record of that key. */
enum cdb_result cdb_find(int fd, struct view key, struct bytes *data);

/* Looks over a database that was read whole: calls each(arg, key, data) for every
 * record, in their order. False where the file is damaged: something lies outside it,
 * or a record cannot be found by its key. */
bool cdb_each(struct view file,
              void (*each)(void *arg, struct view key, struct view data), void *arg);

/* A database being written. */
struct cdb_maker;

/* Begins one on fd, an empty file, which stays the caller's. */
struct cdb_maker *cdb_make(int fd);

/* Adds a record. Errors, also a size beyond the format, are told at the end. */
void cdb_make_add(struct cdb_maker *m, struct view key, struct view data);

/* Writes the tables and releases m. False with errno set: write errors, EFBIG
 * for 4 GiB and more. Does not sync. */
bool cdb_make_finish(struct cdb_maker *m);

#endif
