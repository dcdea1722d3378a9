/* qmail-tcpok - forget which addresses did not answer of late.
 *
 * runs as  root, or qmailr with group qmail
 * exits    0 silently, 111 when it cannot clear the table */
#include "base/die.h"
#include "base/error.h"
#include "conf.h"
#include "mail/tcpto.h"

#include <errno.h>
#include <unistd.h>

static void clear(enum ip_family family, const char *name)
{
    static const char *const deeds[] = {[TCPTO_NOT_OPENED] = "write",
                                        [TCPTO_NOT_LOCKED] = "lock",
                                        [TCPTO_NOT_READ] = "clear",
                                        [TCPTO_NOT_CLEARED] = "clear"};
    enum tcpto_result result = tcpto_clear("..", family);
    if (result == TCPTO_DONE)
        return;
    if (family == IP_V6 && errno == ENOENT)
        return; /* nobody remembers IPv6 addresses in this queue */
    die_temp("unable to %s " CONF_QMAIL "/queue/lock/%s: %s", deeds[result], name,
             error_text(errno));
}

int main(void)
{
    die_name("qmail-tcpok");
    if (chdir(CONF_QMAIL) == -1)
        die_temp("unable to chdir to " CONF_QMAIL ": %s", error_text(errno));
    if (chdir("queue/lock") == -1)
        die_temp("unable to chdir to " CONF_QMAIL "/queue/lock: %s", error_text(errno));
    clear(IP_V4, "tcpto");
    clear(IP_V6, "tcpto6");
    return 0;
}
