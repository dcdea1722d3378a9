/* qmail-newmrh - make control/morercpthosts.cdb from control/morercpthosts.
 *
 * runs as  root, by hand or from a script; trusts control/morercpthosts
 * fd 2     one line if it fails
 * exits    0 with the new database in place and on stable storage; 111 with the
 *          old one untouched
 *
 * Several runs at a time wait for each other, and the last of them reads the newest
 * version: control/morercpthosts is opened under the lock. */
#include "admin/newmrh.h"
#include "base/cdb.h"
#include "base/die.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/heap.h"
#include "base/reader.h"
#include "base/signals.h"
#include "conf.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#define SOURCE "control/morercpthosts"
#define TMP "control/morercpthosts.tmp"
#define CDB "control/morercpthosts.cdb"

enum {
    MAX_LINE = 16 * 1024 * 1024,
    CDB_MODE = 0644 /* qmail-smtpd runs as somebody else */
};

static _Noreturn void give_up(const char *what)
{
    int saved = errno;
    unlink(TMP); /* ours, by the lock */
    die_temp("%s: %s", what, error_text(saved));
}

/* bytes_add() and cdb_make_add() come here too, with the file half made. */
static void out_of_memory(void)
{
    errno = ENOMEM;
    give_up("unable to write to " TMP);
}

static void add_records_or_die(struct reader *source, struct cdb_maker *cdb)
{
    struct bytes line = {0};
    enum read_result result;

    do {
        result = reader_until(source, '\n', MAX_LINE, &line);
        errno = result == READ_TOO_LONG ? EFBIG : source->error;
        if (result == READ_TOO_LONG || result == READ_FAILED)
            give_up("unable to read " SOURCE);
        if (newmrh_key(&line))
            cdb_make_add(cdb, bytes_view(&line), VIEW(""));
    } while (result == READ_ITEM);
    bytes_free(&line);
}

int main(void)
{
    static struct reader source;

    die_name("qmail-newmrh");
    heap_on_failure(die_of_memory);
    signals_ignore(SIGXFSZ); /* a file too large is a failed write */
    if (!fd_fill_standard() || chdir(CONF_QMAIL) == -1)
        die_temp("unable to chdir to " CONF_QMAIL ": %s", error_text(errno));

    int tmp = file_open_next(TMP, CDB_MODE);
    if (tmp == -1)
        die_temp("unable to write to " TMP ": %s", error_text(errno));
    heap_on_failure(out_of_memory);
    int in = fd_open_read(SOURCE);
    if (in == -1)
        give_up("unable to read " SOURCE);
    reader_open(&source, in, 0);
    struct cdb_maker *cdb = cdb_make(tmp);
    add_records_or_die(&source, cdb);
    if (!cdb_make_finish(cdb) || !file_sync(tmp))
        give_up("unable to write to " TMP);
    if (!file_publish_rename(TMP, CDB, "control"))
        give_up("unable to move " TMP " to " CDB);
    return 0; /* and with the process goes the lock */
}
