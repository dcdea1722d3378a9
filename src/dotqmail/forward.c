/* forward - send the message on to other addresses.
 *
 * runs as  the owner of a .qmail file
 * fd 0     the message, from where it is; a pipe will do
 * fd 2     the number of the new message, or why there is none
 * reads    NEWSENDER and DTLINE of the environment
 * exits    0 queued, 100 failed for good, 111 try again */
#include "base/die.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/heap.h"
#include "base/signals.h"
#include "dotqmail/redirect.h"

#include <errno.h>
#include <signal.h>

int main(int argc, char **argv)
{
    (void)argc;
    die_name("forward");
    heap_on_failure(die_of_memory);
    if (!fd_fill_standard())
        die_temp("unable to open /dev/null: %s", error_text(errno));
    signals_ignore(SIGPIPE);

    struct redirect r = {.sender = redirect_variable_or_die("NEWSENDER"),
                         .delivered_to = redirect_variable_or_die("DTLINE"),
                         .recipients = argv + 1};
    redirect_or_die("forward", &r);
    return 0;
}
