/* tcp-env - run a program with what is known of a TCP connection in its environment.
 *
 * runs as  whoever inetd runs it as; trusts the environment if PROTO is TCP there
 * usage    tcp-env [-rR] [-t seconds] program [argument ...]
 * fd 0     the connection
 * exits    111, silently, if the program cannot be run or fd 0 is no connection;
 *          else it is the program that exits */
#include "accept/tcpenv.h"
#include "base/die.h"
#include "base/fd.h"
#include "base/os.h"
#include "base/reader.h"
#include "base/signals.h"
#include "net/connect.h"
#include "net/dns.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { IDENT_PORT = 113 };

struct ends {
    struct connect_end local, remote;
};

/* value NULL: the variable goes. */
static void set_or_exit(const char *name, const char *value)
{
    if ((value ? setenv(name, value, 1) : unsetenv(name)) == -1)
        _exit(DIE_TEMP);
}

static void set_address_or_exit(const char *ip_name, const char *port_name,
                                const struct connect_end *end)
{
    struct ip_text ip = ip_format(&end->ip);
    struct bytes port = {0};

    bytes_add_number(&port, end->port);
    set_or_exit(ip_name, ip.text);
    set_or_exit(port_name, bytes_cstring(&port));
    bytes_free(&port);
}

/* Looks the name of an address up. */
static void set_host_or_exit(const char *name, const struct ip_address *ip)
{
    struct dns_records names = {0};
    struct bytes host = {0};
    enum dns_result result = dns_names(ip, &names);

    if (result == DNS_FOUND)
        bytes_add(&host, dns_record_name(&names, &names.list[0]));
    else if (result == DNS_TEMPORARY)
        bytes_add_text(&host, "softdnserror");
    bytes_lower(&host);
    set_or_exit(name, host.len ? bytes_cstring(&host) : NULL);
    bytes_free(&host);
    dns_records_free(&names);
}

/* Sends the question, which is small enough for a new connection to take whole. */
static bool send_question(int fd, const struct ends *ends, unsigned limit_s)
{
    struct bytes question = {0};

    bytes_add_format(&question, "%u , %u\r\n", ends->remote.port, ends->local.port);
    bool sent = fd_wait(fd, POLLOUT, (int64_t)limit_s * 1000) &&
                os_write_now(fd, question.data, question.len) == (ssize_t)question.len;
    bytes_free(&question);
    return sent;
}

static enum tcpenv_answer read_answer(int fd, unsigned limit_s,
                                      struct tcpenv_ident *ident)
{
    enum tcpenv_answer answer = TCPENV_MORE;
    char part[512];

    while (answer == TCPENV_MORE) {
        if (!fd_wait(fd, POLLIN, (int64_t)limit_s * 1000))
            return TCPENV_NONE;
        ssize_t n = fd_read(fd, part, sizeof part);
        if (n <= 0)
            return TCPENV_NONE;
        answer = tcpenv_ident_add(ident, view_at(part, (size_t)n));
    }
    return answer;
}

/* Asks the other host which of its users made the connection (RFC 1413), from the
 * address that it was made to. */
static void ask_ident_or_exit(const struct ends *ends, unsigned limit_s)
{
    struct tcpenv_ident ident = {0};
    struct bytes info = {0};
    int fd;

    if (connect_to(&ends->remote.ip, IDENT_PORT, &ends->local.ip, limit_s, &fd) !=
        CONNECT_MADE)
        return;
    if (send_question(fd, ends, limit_s) &&
        read_answer(fd, limit_s, &ident) == TCPENV_INFO) {
        bytes_set(&info, view_at(ident.info, ident.len));
        set_or_exit("TCPREMOTEINFO", bytes_cstring(&info));
    }
    fd_close(&fd);
    bytes_free(&info);
}

static void describe_or_exit(const struct tcpenv_options *options)
{
    struct ends ends;

    if (!connect_ends(0, &ends.local, &ends.remote))
        _exit(DIE_TEMP);
    signals_ignore(SIGPIPE);
    set_or_exit("PROTO", "TCP");
    set_address_or_exit("TCPLOCALIP", "TCPLOCALPORT", &ends.local);
    set_address_or_exit("TCPREMOTEIP", "TCPREMOTEPORT", &ends.remote);
    set_host_or_exit("TCPLOCALHOST", &ends.local.ip);
    set_host_or_exit("TCPREMOTEHOST", &ends.remote.ip);
    set_or_exit("TCPREMOTEINFO", NULL);
    if (options->ask_ident)
        ask_ident_or_exit(&ends, options->limit_s);
}

int main(int argc, char **argv)
{
    struct tcpenv_options options = tcpenv_options_read(argv);
    const char *proto = getenv("PROTO");

    (void)argc;
    if (!options.program[0])
        return DIE_TEMP;
    if (!proto || !view_is(view_of(proto), "TCP"))
        describe_or_exit(&options);
    signals_default(SIGPIPE);
    execvp(options.program[0], options.program);
    return DIE_TEMP;
}
