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

enum mailbox mailbox_answer(account_asked *ask, const char **why)
{
    static struct mailbox_places places = {.assign = "users/cdb"};
    const char *recipient = getenv("RECIPIENT");

    die_name("qmail-rcptcheck");
    heap_on_failure(die_of_memory);
    if (!fd_fill_standard())
        _exit(DIE_TEMP);
    if (!recipient)
        die_temp("RECIPIENT is not set");
    if (chdir(CONF_QMAIL) == -1)
        die_temp("unable to switch to %s", CONF_QMAIL);
    read_rules_or_die(&places.rules);
    places.ask = ask;
    return mailbox_find(&places, view_of(recipient), why);
}

void mailbox_exit(enum mailbox answer, const char *why)
{
    if (answer == MAILBOX_UNSURE)
        die_temp("%s", why);
    _exit(answer == MAILBOX_THERE ? 0 : DIE_PERM);
}
