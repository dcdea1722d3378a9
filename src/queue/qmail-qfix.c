/* qmail-qfix - check the queue and repair it, while qmail-send does not run.
 *
 * runs as  root; trusts nothing below queue/, which belongs to qmailq and qmails
 * reads    names, owners, times and records below queue/
 * writes   with -r: names, owners, modes; what is missing. Removes nothing but empty
 *          split directories
 * fd 1     a line for each finding, a sum
 * exits    0 sound, 1 could be repaired, 2 something is left for a human,
 *          100 usage, 111 cannot work */
#include "base/die.h"
#include "base/fd.h"
#include "base/heap.h"
#include "base/signals.h"
#include "conf.h"
#include "queue/qfix.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void read_arguments(int argc, char **argv)
{
    qfix_repairs = argc == 2 && strcmp(argv[1], "-r") == 0;
    if (argc > 1 && !qfix_repairs)
        die_raw(DIE_PERM, "qmail-qfix: usage: qmail-qfix [ -r ]\n");
}

static void look_at_messages(void)
{
    qfix_names();
    qfix_split();
    qfix_scan();
    qfix_without_message();
    if (qfix_renumber())
        qfix_scan();
    qfix_extra();
    qfix_without_sender();
    qfix_owners();
    qfix_contents();
}

int main(int argc, char **argv)
{
    die_name("qmail-qfix");
    heap_on_failure(die_of_memory);
    if (!fd_fill_standard())
        return DIE_TEMP;
    read_arguments(argc, argv);
    if (geteuid() != 0)
        die_temp("must be run as root");
    signals_ignore(SIGIO); /* os_may_be_open_elsewhere() */
    signals_survive(SIGXFSZ);
    umask(077);
    qfix_enter(CONF_QMAIL);
    if (qfix_repairs)
        qfix_lock();
    bool usable = qfix_layout();
    if (qfix_repairs)
        qfix_lock(); /* which may have been missing */
    if (usable) {
        qfix_open_kinds();
        look_at_messages();
    }
    return qfix_end(qfix.messages.count);
}
