#include "deliver/remote.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/process.h"
#include "mail/domain.h"
#include "mail/relay.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    MAX_STATUS = 1000,
    HELPER_STATUS = 4, /* descriptors of the helper */
    HELPER_TCP_READ = 6,
    HELPER_TCP_WRITE = 7
};

bool remote_tls_policy_find(const struct table *policies, struct view host,
                            enum relay_tls_policy *policy)
{
    struct view name;
    *policy = RELAY_TLS_MAY;
    return !domain_find_or_default(policies, host, &name) ||
           relay_tls_policy(name, policy);
}

void remote_tls_status_read(struct remote_tls_status *status, struct view line)
{
    *status = (struct remote_tls_status){0};
    if (!view_starts(line, VIEW("K "))) {
        bool known = view_starts(line, VIEW("Z ")) || view_starts(line, VIEW("D "));
        status->reason = known && line.len > 2 ? view_from(line, 2)
                                               : VIEW("the TLS helper gave no reason");
        return;
    }
    status->up = true;
    status->session = view_from(line, 2);
    struct view rest = status->session;
    for (int words = 3; words--;) /* protocol, cipher, bits */
        view_cut(&rest, ' ');
    struct view word = view_cut(&rest, ' ');
    status->verified = view_is(word, "verified");
    status->reason = rest.len ? rest : VIEW("the TLS helper gave no reason");
}

static bool set_variable(const char *name, struct view value)
{
    struct bytes copy = {0};
    bytes_add(&copy, value);
    const char *text = bytes_cstring(&copy);
    bool good = text && setenv(name, text, 1) == 0;
    bytes_free(&copy);
    return good;
}

static bool set_environment(const struct remote_tls_helper *helper)
{
    struct bytes timeout = {0};
    bytes_add_number(&timeout, helper->timeout_s);
    bool good = set_variable("TLSHOST", helper->host) &&
                set_variable("TLSDOMAIN", helper->domain) &&
                set_variable("TLSIP", helper->ip) &&
                set_variable("TLSPOLICY", view_of(relay_tls_names[helper->policy])) &&
                set_variable("TLSTIMEOUT", bytes_view(&timeout));
    bytes_free(&timeout);
    return good;
}

static bool make_pair(int pair[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
        return false;
    return fd_close_on_exec(pair[0], true) && fd_close_on_exec(pair[1], true) &&
           fd_nonblocking(pair[0]);
}

static bool start_process(char *path, int text, int status, int tcp)
{
    char *const argv[] = {path, NULL};
    const struct process helper = {
        .path = path,
        .argv = argv,
        .fds = {{text, 0},
                {text, 1},
                {status, HELPER_STATUS},
                {tcp, HELPER_TCP_READ},
                {tcp, HELPER_TCP_WRITE}},
        .fd_count = 5,
        .default_sigpipe = true,
        .failures = {111, 111, 111, 111, 111}, /* no status: nobody asks for the code */
    };
    return process_start(&helper) != -1;
}

/* Reads the status line, without its LF; a line that is not whole, too long or too
 * late is none. It may quote the peer's certificate: what is no text becomes '?'. */
static void read_status(int fd, unsigned timeout_s, struct bytes *line)
{
    int64_t end_ms = clock_steady_ms() + (int64_t)timeout_s * 1000;
    bytes_clear(line);
    while (line->len <= MAX_STATUS) {
        char c;
        int64_t left_ms = end_ms - clock_steady_ms();
        if (left_ms <= 0 || !fd_wait(fd, POLLIN, left_ms) || read(fd, &c, 1) != 1)
            break;
        if (c == '\n')
            return;
        bytes_add_byte(line, c < 32 || c > 126 ? '?' : c);
    }
    bytes_clear(line);
}

enum remote_tls_started remote_tls_start(const struct remote_tls_helper *helper, int fd,
                                         struct bytes *line)
{
    int pair[2] = {-1, -1}, status[2] = {-1, -1};
    enum remote_tls_started result = REMOTE_TLS_NO_SYSTEM;

    if (!make_pair(pair) || !fd_pipe(status) || !set_environment(helper))
        goto out;
    /* the helper need not know that we used it without waiting */
    if (!fd_blocking(fd) || !start_process(helper->path, pair[1], status[1], fd))
        goto out;
    fd_close(&pair[1]);
    fd_close(&status[1]);
    if (dup2(pair[0], fd) == -1 || !fd_close_on_exec(fd, true))
        goto out;
    read_status(status[0], helper->timeout_s, line);
    result = REMOTE_TLS_STARTED;
out:
    fd_close(&pair[0]);
    fd_close(&pair[1]);
    fd_close(&status[0]);
    fd_close(&status[1]);
    return result;
}
