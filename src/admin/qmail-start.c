/* qmail-start - start qmail-send and its partners, and become qmail-send.
 *
 * runs as  root, from a boot script or a supervisor; trusts its arguments
 * argv     DEFAULTDELIVERY (./Mailbox), then a LOGGER and its arguments
 * fd 1     the log, or the LOGGER's output
 * runs     qmail-lspawn as root, qmail-rspawn as qmailr, qmail-clean as qmailq,
 *          LOGGER as qmaill, each found by PATH, all children of qmail-send
 * exits    111 when it cannot begin; else it is qmail-send, as qmails
 *
 * Root does nothing here but make pipes and start programs with other ids. */
#include "base/bytes.h"
#include "base/die.h"
#include "base/fd.h"
#include "base/identity.h"
#include "base/os.h"
#include "base/process.h"
#include "conf.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* qmail-send's descriptors. It writes commands and requests, and reads reports
 * and answers. */
enum {
    SEND_LOG,
    SEND_TO_LSPAWN,
    SEND_FROM_LSPAWN,
    SEND_TO_RSPAWN,
    SEND_FROM_RSPAWN,
    SEND_TO_CLEAN,
    SEND_FROM_CLEAN,
    SEND_FDS
};

static const struct process_failures failures = {
    .fds = DIE_TEMP,
    .dir = DIE_TEMP,
    .identity = DIE_TEMP,
    .exec_temp = DIE_TEMP,
    .exec_perm = DIE_TEMP,
};

/* The pipes by qmail-send's descriptors: [0] is read from, [1] written to. */
static int pipes[SEND_FDS][2];

static void make_pipes_or_die(bool for_log)
{
    for (int i = for_log ? SEND_LOG : SEND_LOG + 1; i < SEND_FDS; i++)
        if (!fd_pipe(pipes[i]))
            _exit(DIE_TEMP);
}

/* Starts a program that reads in, writes out and complains where we would. */
static void start_or_die(char *const *argv, const struct identity *who, int in, int out)
{
    const struct process partner = {
        .argv = argv,
        .who = who,
        .fds = {{.have = in, .want = 0},
                {.have = out, .want = 1},
                {.have = 2, .want = 2}},
        .fd_count = 3,
        .failures = failures,
    };
    pid_t pid = fork(); /* a new process may look up groups, a borrowed one not */
    if (pid == -1)
        _exit(DIE_TEMP);
    if (pid == 0)
        _exit(process_become(&partner));
}

static _Noreturn void become_send(const struct identity *who, bool with_logger)
{
    static char name[] = "qmail-send";
    char *argv[] = {name, NULL};
    struct process send = {.argv = argv, .who = who, .failures = failures};

    for (int i = 0; i < SEND_FDS; i++) {
        bool reads =
            i == SEND_FROM_LSPAWN || i == SEND_FROM_RSPAWN || i == SEND_FROM_CLEAN;
        send.fds[i] = (struct process_fd){.have = pipes[i][reads ? 0 : 1], .want = i};
    }
    if (!with_logger)
        send.fds[SEND_LOG].have = 1;
    send.fd_count = SEND_FDS;
    _exit(process_become(&send));
}

/* 0 and 1 must be there; 2 may be missing, and all others are not for us. */
static void settle_descriptors_or_die(void)
{
    if (fcntl(0, F_GETFD) == -1 || fcntl(1, F_GETFD) == -1 || !fd_fill_standard())
        _exit(DIE_TEMP);
    os_close_from(3);
}

int main(int argc, char **argv)
{
    static char lspawn[] = "qmail-lspawn", rspawn[] = "qmail-rspawn",
                clean[] = "qmail-clean", mailbox[] = "./Mailbox";
    bool with_logger = argc > 2;

    settle_descriptors_or_die();
    if (chdir("/") == -1)
        _exit(DIE_TEMP);
    umask(077);

    const gid_t qmail = identity_group_or_die(CONF_GROUP_QMAIL);
    const gid_t nofiles = identity_group_or_die(CONF_GROUP_NOFILES);
    const struct identity as_we_are = {.uid = getuid(), .gid = qmail},
                          as_qmailr = {.uid = identity_user_or_die(CONF_USER_REMOTE),
                                       .gid = qmail,
                                       .groups_of = CONF_USER_REMOTE},
                          as_qmailq = {.uid = identity_user_or_die(CONF_USER_QUEUE),
                                       .gid = qmail},
                          as_qmaill = {.uid = identity_user_or_die(CONF_USER_LOG),
                                       .gid = nofiles},
                          as_qmails = {.uid = identity_user_or_die(CONF_USER_SEND),
                                       .gid = qmail};

    make_pipes_or_die(with_logger);
    if (with_logger)
        start_or_die(argv + 2, &as_qmaill, pipes[SEND_LOG][0], 1);
    start_or_die((char *[]){lspawn, argc > 1 ? argv[1] : mailbox, NULL}, &as_we_are,
                 pipes[SEND_TO_LSPAWN][0], pipes[SEND_FROM_LSPAWN][1]);
    start_or_die((char *[]){rspawn, NULL}, &as_qmailr, pipes[SEND_TO_RSPAWN][0],
                 pipes[SEND_FROM_RSPAWN][1]);
    start_or_die((char *[]){clean, NULL}, &as_qmailq, pipes[SEND_TO_CLEAN][0],
                 pipes[SEND_FROM_CLEAN][1]);
    become_send(&as_qmails, with_logger);
}
