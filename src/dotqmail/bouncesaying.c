/* bouncesaying - return the message with a reason, always or if a program says so.
 *
 * runs as  the owner of a .qmail file
 * fd 0     the message, for the program
 * fd 2     the reason
 * exits    100 return it, 0 the program said no, 111 it could not tell */
#include "base/die.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/heap.h"
#include "base/writer.h"
#include "dotqmail/verdict.h"

#include <errno.h>

int main(int argc, char **argv)
{
    struct bytes reason = {0};

    die_name("bouncesaying");
    heap_on_failure(die_of_memory);
    if (argc < 2)
        die_raw(DIE_PERM,
                "bouncesaying: usage: bouncesaying error [ program [ arg ... ] ]\n");
    if (!fd_fill_standard())
        die_temp("unable to open /dev/null: %s", error_text(errno));
    if (argc > 2 && !verdict_or_die(argv + 2))
        return 0;
    bytes_add_text(&reason, argv[1]);
    bytes_add_byte(&reason, '\n');
    write_all(2, bytes_view(&reason)); /* the exit code tells it all the same */
    return DIE_PERM;
}
