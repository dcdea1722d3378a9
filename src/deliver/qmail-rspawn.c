/* qmail-rspawn - start the deliveries to other hosts.
 *
 * runs as  qmailr, started by qmail-start; trusts qmail-send as far as the checks
 *          of a command go, and what qmail-remote prints not at all
 * fd 0     commands from qmail-send, see mail/delivery.h
 * fd 1     the limit of deliveries at a time, then reports
 * runs     $QMAILREMOTE, or qmail-remote: HOST SENDER RECIPIENT..., the message on 0;
 *          one RECIPIENT unless control/remoterecipients allows more
 * reads    control/remoterecipients
 * exits    0 when qmail-send is gone and all deliveries are done, 111 when it
 *          cannot begin */
#include "base/die.h"
#include "base/fd.h"
#include "base/heap.h"
#include "deliver/rspawn.h"
#include "deliver/spawn.h"
#include "mail/address.h"
#include "mail/control.h"
#include "mail/tcpto.h"

#include <stdlib.h>
#include <unistd.h>

/* The strings of a command, which a program may write to. */
static char *string(const struct spawn_delivery *d, struct view v)
{
    char *strings = d->strings.data;
    return strings + (v.data - strings); /* each ends with a NUL there */
}

/* The program and its arguments, to be freed; NULL: there is no memory. */
static char **arguments(const struct spawn_delivery *d)
{
    static char usual[] = "qmail-remote";
    enum { FIXED = 3, END = 1 };
    struct view local, host;
    char *program = getenv("QMAILREMOTE");
    char **argv = heap_try(FIXED + 1 + d->others_count + END, sizeof *argv);
    size_t n = 0;

    if (!argv)
        return NULL;
    address_split(d->recipient, &local, &host);
    argv[n++] = program ? program : usual;
    argv[n++] = string(d, host);
    argv[n++] = string(d, d->sender);
    for (const struct spawn_delivery *each = d; each; each = each->others)
        argv[n++] = string(each, each->recipient);
    argv[n] = NULL;
    return argv;
}

static bool begin(struct spawn_delivery *d, int message, struct bytes *report)
{
    char **argv = arguments(d);
    if (!argv || (d->others && !rspawn_expect(d->state, d->others_count + 1))) {
        heap_free(argv);
        fd_close(&message);
        bytes_add_text(report, "Zqmail-spawn out of memory. (#4.3.0)\n");
        return false;
    }
    struct process remote = {
        .argv = argv,
        /* a program that cannot be run must not return all mail */
        .failures = {.fds = DIE_TEMP, .exec_temp = DIE_TEMP, .exec_perm = DIE_TEMP},
    };
    bool started = spawn_start(d, &remote, message, false, report);
    heap_free(argv);
    return started;
}

static void take(struct spawn_delivery *d, enum spawn_pipe from, struct view output)
{
    (void)from;
    rspawn_take(d->state, output);
}

static bool ended(struct spawn_delivery *d, struct bytes *report)
{
    rspawn_report(report, d->status, d->state, 0);
    return false;
}

static void ended_other(const struct spawn_delivery *d, size_t number,
                        struct bytes *report)
{
    rspawn_report(report, d->status, d->state, number);
}

static void forget(struct spawn_delivery *d)
{
    rspawn_free(d->state);
}

/* HOME is entered for that, before the queue is. */
static void read_controls_or_die(struct spawn_role *role)
{
    if (chdir(CONF_QMAIL) == -1 ||
        control_number("remoterecipients", &role->most) == CONTROL_FAILED)
        _exit(DIE_TEMP);
}

int main(void)
{
    struct spawn_role role = {
        .state_size = sizeof(struct rspawn_output),
        .begin = begin,
        .take = take,
        .ended = ended,
        .forget = forget,
        .most = 1,
        .ended_other = ended_other,
    };

    read_controls_or_die(&role);
    spawn_prepare_or_die();
    /* a restart forgets who did not answer; a table that stays does little harm */
    tcpto_clear(".", IP_V4);
    tcpto_clear(".", IP_V6);
    spawn_serve(&role);
    return 0;
}
