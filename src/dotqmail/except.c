/* except - turn a program's answer round.
 *
 * runs as  the owner of a .qmail file
 * fd 0     the message, for the program
 * exits    100 the program said yes, 0 it said no, 111 it could not tell */
#include "base/die.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/heap.h"
#include "dotqmail/verdict.h"

#include <errno.h>

int main(int argc, char **argv)
{
    die_name("except");
    heap_on_failure(die_of_memory);
    if (argc < 2)
        die_raw(DIE_PERM, "except: usage: except program [ arg ... ]\n");
    if (!fd_fill_standard())
        die_temp("unable to open /dev/null: %s", error_text(errno));
    return verdict_or_die(argv + 1) ? DIE_PERM : 0;
}
