/* qmail-newu - make users/cdb from users/assign.
 *
 * runs as  root, by hand or from a script; trusts users/assign, an admin's file
 * fd 2     one line if it fails
 * exits    0 with the new users/cdb in place and on stable storage; 111 with the
 *          old one untouched
 *
 * Several runs at a time wait for each other: who holds the lock on the file
 * that is called users/cdb.tmp may write it. users/assign is opened under the
 * lock, so that the last of them reads its newest version. */
#include "base/cdb.h"
#include "base/die.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/heap.h"
#include "base/reader.h"
#include "base/signals.h"
#include "conf.h"
#include "users/newu.h"

#include <signal.h>
#include <unistd.h>

#define ASSIGN "users/assign"
#define TMP "users/cdb.tmp"
#define CDB "users/cdb"

enum {
    MAX_LINE = 16 * 1024 * 1024,
    CDB_MODE = 0644 /* other programs look users up, too */
};

static _Noreturn void give_up(const char *what)
{
    unlink(TMP); /* ours, by the lock */
    die_temp("%s", what);
}

/* Everything in users/assign up to the line that ends it. */
static void add_records_or_die(struct reader *assign, struct cdb_maker *cdb)
{
    struct bytes line = {0}, key = {0}, data = {0};
    struct newu_wildcards wildcards = {0};

    for (;;) {
        enum read_result result = reader_until(assign, '\n', MAX_LINE, &line);
        if (result == READ_FAILED)
            give_up("unable to read " ASSIGN);
        enum newu_line kind = newu_read(bytes_view(&line), &key, &data, &wildcards);
        if (kind == NEWU_END)
            break;
        if (result == READ_TOO_LONG)
            give_up("out of memory");
        if (kind == NEWU_BAD || result == READ_END)
            give_up("bad format in " ASSIGN);
        cdb_make_add(cdb, bytes_view(&key), bytes_view(&data));
    }
    cdb_make_add(cdb, VIEW(""), bytes_view(&wildcards.list));
    bytes_free(&wildcards.list);
    bytes_free(&line);
    bytes_free(&key);
    bytes_free(&data);
}

int main(void)
{
    static struct reader assign;

    die_name("qmail-newu");
    heap_on_failure(die_of_memory);
    signals_ignore(SIGXFSZ); /* a file too large is a failed write */
    if (!fd_fill_standard() || chdir(CONF_QMAIL) == -1)
        die_temp("unable to chdir");

    int tmp = file_open_next(TMP, CDB_MODE);
    if (tmp == -1)
        die_temp("unable to open %s", TMP);
    int in = fd_open_read(ASSIGN);
    if (in == -1)
        give_up("unable to open " ASSIGN);
    reader_open(&assign, in, 0);
    struct cdb_maker *cdb = cdb_make(tmp);
    add_records_or_die(&assign, cdb);
    if (!cdb_make_finish(cdb) || !file_sync(tmp))
        give_up("unable to write " TMP);
    if (!file_publish_rename(TMP, CDB, "users"))
        give_up("unable to move " TMP " to " CDB);
    return 0; /* and with the process goes the lock */
}
