/* qmail-rspawn - start the deliveries to other hosts.
 *
 * runs as  qmailr, started by qmail-start; trusts qmail-send as far as the checks
 *          of a command go, and what qmail-remote prints not at all
 * fd 0     commands from qmail-send, see mail/delivery.h
 * fd 1     the limit of deliveries at a time, then reports
 * runs     $QMAILREMOTE, or qmail-remote: HOST SENDER RECIPIENT, the message on 0
 * exits    0 when qmail-send is gone and all deliveries are done, 111 when it
 *          cannot begin */
#include "base/die.h"
#include "deliver/rspawn.h"
#include "deliver/spawn.h"
#include "mail/address.h"
#include "mail/tcpto.h"

#include <stdlib.h>

static bool begin(struct spawn_delivery *d, int message, struct bytes *report)
{
    static char usual[] = "qmail-remote";
    struct view local, host;
    char *program = getenv("QMAILREMOTE");

    address_split(d->recipient, &local, &host);
    char *strings = d->strings.data;
    char *argv[] = {
        program ? program : usual,
        strings + (host.data - strings), /* all of them end with a NUL there */
        strings + (d->sender.data - strings),
        strings + (d->recipient.data - strings),
        NULL,
    };
    struct process remote = {
        .argv = argv,
        /* a program that cannot be run must not return all mail */
        .failures = {.fds = DIE_TEMP, .exec_temp = DIE_TEMP, .exec_perm = DIE_TEMP},
    };
    return spawn_start(d, &remote, message, false, report);
}

static void take(struct spawn_delivery *d, enum spawn_pipe from, struct view output)
{
    (void)from;
    rspawn_take(d->state, output);
}

static bool ended(struct spawn_delivery *d, struct bytes *report)
{
    rspawn_report(report, d->status, d->state);
    return false;
}

static void forget(struct spawn_delivery *d)
{
    rspawn_free(d->state);
}

int main(void)
{
    static const struct spawn_role role = {
        .state_size = sizeof(struct rspawn_output),
        .begin = begin,
        .take = take,
        .ended = ended,
        .forget = forget,
    };

    spawn_prepare_or_die();
    /* a restart forgets who did not answer; a table that stays does little harm */
    tcpto_clear(".", IP_V4);
    tcpto_clear(".", IP_V6);
    spawn_serve(&role);
    return 0;
}
