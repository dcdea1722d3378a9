/* qmail-rcptcheck - tell qmail-smtpd whether a recipient has a mailbox here.
 *
 * runs as  qmaild, as RCPTCHECK of qmail-smtpd and others; or anybody
 * reads    RECIPIENT, control/, users/cdb, the accounts, names in home directories
 * fd 2     what is the matter, if it exits 111
 * exits    0 a mailbox, or not ours to judge; 100 none; 111 no telling for now */
#include "accept/mailbox.h"
#include "base/die.h"
#include "base/fd.h"
#include "base/heap.h"
#include "conf.h"

#include <stdlib.h>
#include <unistd.h>

static void read_rules_or_die(struct route_rules *rules)
{
    struct bytes me = {0};
    enum control_result result = control_line("me", &me);

    if (result == CONTROL_FAILED ||
        !route_rules_read(rules, result == CONTROL_READ ? &me : NULL))
        die_temp("unable to read controls");
    bytes_free(&me);
}

int main(void)
{
    static struct mailbox_places places = {.assign = "users/cdb",
                                           .ask = account_ask_system};
    const char *recipient = getenv("RECIPIENT"), *why;

    die_name("qmail-rcptcheck");
    heap_on_failure(die_of_memory);
    if (!fd_fill_standard())
        return DIE_TEMP;
    if (!recipient)
        die_temp("RECIPIENT is not set");
    if (chdir(CONF_QMAIL) == -1)
        die_temp("unable to switch to %s", CONF_QMAIL);
    read_rules_or_die(&places.rules);

    switch (mailbox_find(&places, view_of(recipient), &why)) {
    case MAILBOX_THERE:
        return 0;
    case MAILBOX_NONE:
        return DIE_PERM;
    case MAILBOX_UNSURE:
        break;
    }
    die_temp("%s", why);
}
