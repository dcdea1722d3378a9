/* datemail - send mail that has a Date field in local time.
 *
 * runs as  the caller; becomes bin/predate, by exec, which runs bin/sendmail
 * fd 0     the message, which it leaves alone
 * exits    111 predate cannot be run; else as sendmail */
#include "base/die.h"
#include "base/error.h"
#include "base/heap.h"
#include "conf.h"

#include <errno.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    static char predate[] = CONF_QMAIL "/bin/predate",
                sendmail[] = CONF_QMAIL "/bin/sendmail";
    char **arguments = heap_array((size_t)argc + 3, sizeof *arguments);
    size_t count = 0;

    die_name("datemail");
    arguments[count++] = predate;
    arguments[count++] = sendmail;
    for (int i = 1; i < argc; i++)
        arguments[count++] = argv[i];
    arguments[count] = NULL;
    execv(predate, arguments);
    die_temp("unable to run %s: %s", predate, error_text(errno));
}
