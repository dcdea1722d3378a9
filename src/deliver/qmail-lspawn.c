/* qmail-lspawn - start the deliveries to the users of this host.
 *
 * runs as  root, started by qmail-start; its children are users from their first
 *          instruction on. Trusts qmail-send as far as the checks of a command
 *          go, users/cdb, and what qmail-getpw answers
 * fd 0     commands from qmail-send, see mail/delivery.h
 * fd 1     the limit of deliveries at a time, then reports
 * runs     bin/qmail-getpw LOCAL as qmailp where users/cdb has no answer, then
 *          bin/qmail-local as the user, the message on 0
 * exits    0 when qmail-send is gone and all deliveries are done, 100 without
 *          argument, 111 when it cannot begin
 *
 * Root does here: look a name up in users/cdb, take apart six strings, start a
 * program with other ids. Nothing of the message is read. */
#include "base/die.h"
#include "base/fd.h"
#include "base/identity.h"
#include "deliver/lspawn.h"
#include "deliver/spawn.h"
#include "mail/assign.h"

#include <sys/wait.h>
#include <unistd.h>

enum {
    MAX_ANSWER = 131072 /* bytes of qmail-getpw's answer: no program could be given
                           longer strings */
};

static struct {
    char *default_delivery;
    struct identity getpw; /* qmailp and nofiles */
} self;

/* A delivery asks who the user is: users/cdb, then qmail-getpw. Then it runs
 * qmail-local as him. */
struct local_delivery {
    char *local, *domain; /* of the recipient */
    bool asking;          /* qmail-getpw runs */
    struct bytes answer;  /* of users/cdb or of qmail-getpw */
    bool answer_cut;
    struct lspawn_text text;
};

static bool refuse(const struct local_delivery *l, int code, struct bytes *report)
{
    lspawn_report_exit(report, code, &l->text);
    return false;
}

/* The exit codes are the common language for what goes wrong. */
static int exit_code(enum assign_result result)
{
    switch (result) {
    case ASSIGN_FAILED:
        return LOCAL_CDB;
    case ASSIGN_ROOT:
        return LOCAL_ROOT;
    default:
        return LOCAL_BUG;
    }
}

/* Makes two strings of the recipient, where its last '@' is. Every string of a
 * command is followed by a NUL. */
static void split_recipient(struct spawn_delivery *d, struct local_delivery *l)
{
    l->local = d->strings.data + (d->recipient.data - d->strings.data);
    char *at = l->local + view_find_last(d->recipient, '@');
    *at = '\0';
    l->domain = at + 1;
}

static bool run_qmail_local(struct spawn_delivery *d, int message,
                            const struct assign *user, struct bytes *report)
{
    static char program[] = "bin/qmail-local", dashes[] = "--";
    const struct identity who = {.uid = user->uid, .gid = user->gid};
    const struct local_delivery *l = d->state;
    char *sender = d->strings.data + (d->sender.data - d->strings.data);
    char *argv[] = {
        program,    dashes,    user->user, user->home, l->local,
        user->dash, user->ext, l->domain,  sender,     self.default_delivery,
        NULL,
    };
    struct process local = {
        .path = program,
        .argv = argv,
        .dir = CONF_QMAIL,
        .who = &who,
        .failures =
            {
                .fds = LOCAL_SYSTEM,
                .dir = LOCAL_SYSTEM,
                .identity = LOCAL_BUG,
                .exec_temp = LOCAL_EXEC_TEMP,
                /* a program that is missing must not return all mail */
                .exec_perm = LOCAL_EXEC_TEMP,
            },
    };
    return spawn_start(d, &local, message, false, report);
}

static bool run_qmail_getpw(struct spawn_delivery *d, struct bytes *report)
{
    static char program[] = "bin/qmail-getpw";
    struct local_delivery *l = d->state;
    char *argv[] = {program, l->local, NULL};
    struct process getpw = {
        .path = program,
        .argv = argv,
        .dir = CONF_QMAIL,
        .who = &self.getpw,
        .failures =
            {
                .fds = LOCAL_SYSTEM,
                .dir = LOCAL_SYSTEM,
                .identity = LOCAL_BUG,
                .exec_temp = LOCAL_GETPW,
                .exec_perm = LOCAL_GETPW,
            },
    };
    int nothing = fd_open_read("/dev/null"); /* the message is not for qmailp */
    if (nothing == -1)
        return refuse(l, LOCAL_SYSTEM, report);
    l->asking = true;
    return spawn_start(d, &getpw, nothing, true, report);
}

static bool begin(struct spawn_delivery *d, int message, struct bytes *report)
{
    struct local_delivery *l = d->state;
    struct assign user;

    split_recipient(d, l);
    if (*l->local == '\0') {
        fd_close(&message);
        return refuse(l, LOCAL_OK, report); /* @host: thrown away */
    }
    enum assign_result result =
        assign_lookup(CONF_QMAIL "/users/cdb", view_of(l->local), &l->answer, &user);
    if (result == ASSIGN_FOUND)
        return run_qmail_local(d, message, &user, report);
    fd_close(&message); /* opened again when the user is known */
    if (result == ASSIGN_ABSENT)
        return run_qmail_getpw(d, report);
    return refuse(l, exit_code(result), report);
}

static void take(struct spawn_delivery *d, enum spawn_pipe from, struct view output)
{
    struct local_delivery *l = d->state;
    if (from == SPAWN_TEXT) {
        lspawn_take(&l->text, output);
    } else if (output.len > MAX_ANSWER - l->answer.len) {
        l->answer_cut = true;
    } else {
        bytes_add(&l->answer, output);
    }
}

/* qmail-getpw has ended: on with its answer. */
static bool use_answer(struct spawn_delivery *d, struct bytes *report)
{
    struct local_delivery *l = d->state;
    struct assign user;
    const char *why;

    if (!WIFEXITED(d->status))
        return refuse(l, LOCAL_SYSTEM, report);
    if (WEXITSTATUS(d->status) != 0)
        return refuse(l, WEXITSTATUS(d->status), report);
    enum assign_result result =
        l->answer_cut ? ASSIGN_BAD : assign_parse(&l->answer, &user);
    if (result != ASSIGN_FOUND)
        return refuse(l, exit_code(result), report);
    int message = spawn_open_message(d->message.data, spawn_owner(), &why);
    if (message == -1) {
        bytes_add_text(report, why);
        return false;
    }
    return run_qmail_local(d, message, &user, report);
}

static bool ended(struct spawn_delivery *d, struct bytes *report)
{
    struct local_delivery *l = d->state;
    if (l->asking) {
        l->asking = false;
        return use_answer(d, report);
    }
    lspawn_report(report, d->status, &l->text);
    return false;
}

static void forget(struct spawn_delivery *d)
{
    struct local_delivery *l = d->state;
    bytes_free(&l->answer);
    bytes_free(&l->text.kept);
}

int main(int argc, char **argv)
{
    static const struct spawn_role role = {
        .state_size = sizeof(struct local_delivery),
        .begin = begin,
        .take = take,
        .ended = ended,
        .forget = forget,
    };

    if (argc < 2)
        return DIE_PERM;
    self.default_delivery = argv[1];
    spawn_prepare_or_die();
    self.getpw.uid = identity_user_or_die(CONF_USER_PASSWD);
    self.getpw.gid = identity_group_or_die(CONF_GROUP_NOFILES);
    spawn_serve(&role);
    return 0;
}
