/* predate - run a program with a Date field in local time before its input.
 *
 * runs as  the caller
 * fd 0     a message
 * starts   the program it is given, found by PATH
 * exits    as that program; 100 usage, 111 the program cannot be run */
#include "accept/feed.h"
#include "base/clock.h"
#include "base/die.h"
#include "base/heap.h"
#include "mail/date.h"

#include <signal.h>

int main(int argc, char **argv)
{
    struct bytes field = {0};

    die_name("predate");
    heap_on_failure(die_of_memory);
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2)
        die_raw(DIE_PERM, "predate: usage: predate child\n");

    bytes_add_text(&field, "Date: ");
    date_add_local(&field, clock_now());
    bytes_add_byte(&field, '\n');
    return feed_or_die("predate", argv + 1, bytes_view(&field));
}
