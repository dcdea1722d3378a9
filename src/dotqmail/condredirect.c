/* condredirect - send the message on to another address, if a program says so.
 *
 * runs as  the owner of a .qmail file
 * fd 0     the message, seekable; the program reads it first
 * fd 2     the number of the new message, or why there is none
 * reads    SENDER and DTLINE of the environment
 * exits    0 the program said no, 99 queued: no further instruction is wanted,
 *          100 failed for good, 111 try again */
#include "base/die.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/heap.h"
#include "base/signals.h"
#include "dotqmail/redirect.h"
#include "dotqmail/verdict.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

enum { NO_MORE_INSTRUCTIONS = 99 };

int main(int argc, char **argv)
{
    die_name("condredirect");
    heap_on_failure(die_of_memory);
    if (argc < 3)
        die_raw(DIE_PERM,
                "condredirect: usage: condredirect newaddress program [ arg ... ]\n");
    if (!fd_fill_standard())
        die_temp("unable to open /dev/null: %s", error_text(errno));
    if (!verdict_or_die(argv + 2))
        return 0;

    signals_ignore(SIGPIPE);
    if (lseek(0, 0, SEEK_SET) == -1)
        die_temp("unable to rewind: %s", error_text(errno));
    char *const recipients[] = {argv[1], NULL};
    struct redirect r = {.sender = redirect_variable_or_die("SENDER"),
                         .delivered_to = redirect_variable_or_die("DTLINE"),
                         .recipients = recipients};
    redirect_or_die("condredirect", &r);
    return NO_MORE_INSTRUCTIONS;
}
