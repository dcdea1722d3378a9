#include "deliver/remote.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/heap.h"
#include "base/sandbox.h"
#include "base/signals.h"
#include "conf.h"
#include "mail/tcpto.h"
#include "net/connect.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static const char queue_dir[] = "queue"; /* from HOME */

/* What the control files say. */
static struct settings {
    struct bytes helo;
    struct control_list routes, outgoing, tls_policies;
    struct bytes tls_client;
    uint64_t timeout_s, connect_timeout_s;
} settings = {.timeout_s = 1200, .connect_timeout_s = 60};

static struct bytes recipient_reports; /* those made so far */

/* Writes the reports and ends. Nobody is left to tell if that fails. */
static _Noreturn void finish(struct view message_report)
{
    if (write_all(1, bytes_view(&recipient_reports)))
        write_all(1, message_report);
    _exit(0);
}

static _Noreturn void finish_with(enum remote_text text, struct view about)
{
    struct bytes report = {0};
    remote_report(&report, text, about);
    finish(bytes_view(&report));
}

/* Without memory: no report can be put together, so this one is ready. One that was
 * being put together is dropped. */
static void out_of_memory(void)
{
    struct view whole = bytes_view(&recipient_reports);
    size_t end = view_find_last(whole, '\0');
    bytes_cut(&recipient_reports, end < whole.len ? end + 1 : 0);
    finish(VIEW("ZOut of memory. (#4.3.0)\n\0"));
}

static void settings_read_or_finish(void)
{
    enum control_result me = control_line("me", &settings.helo);
    enum control_result helo = control_line("helohost", &settings.helo);
    if (me == CONTROL_FAILED || helo == CONTROL_FAILED ||
        (me == CONTROL_ABSENT && helo == CONTROL_ABSENT) ||
        control_read_map("smtproutes", &settings.routes) == CONTROL_FAILED ||
        control_read_list("outgoingip", &settings.outgoing) == CONTROL_FAILED ||
        control_line("tlsclient", &settings.tls_client) == CONTROL_FAILED ||
        control_read_map("tlspolicy", &settings.tls_policies) == CONTROL_FAILED ||
        control_number("timeoutremote", &settings.timeout_s) == CONTROL_FAILED ||
        control_number("timeoutconnect", &settings.connect_timeout_s) == CONTROL_FAILED)
        finish_with(REMOTE_NO_CONTROL, VIEW(""));
    if (settings.timeout_s == 0)
        settings.timeout_s = 1;
}

/* The path of the program for TLS, NULL for none. */
static char *tls_client(void)
{
    struct bytes *path = &settings.tls_client;
    return path->len && bytes_cstring(path) ? path->data : NULL;
}

/* Who does all this again where the small resolver will not do. */
static struct {
    const char *path; /* NULL: this resolver has the last word */
    char **argv;
    bool is_due; /* something could not be told */
} other;

/* Whether this resolver may be asked. A small one asks all servers at once and believes
 * the quickest, where their order says who is to be believed. */
static bool may_ask(void)
{
    enum { MAX = 65536 };
    static enum { UNKNOWN, YES, NO } may;
    struct bytes text = {0};

    if (!other.path)
        return true;
    if (may == UNKNOWN)
        may = file_read("/etc/resolv.conf", MAX, &text) == FILE_FAILED ||
                      dns_has_several_servers(bytes_view(&text))
                  ? NO
                  : YES;
    bytes_free(&text);
    return may == YES;
}

static enum dns_result ask_mx(struct view name, struct dns_records *records)
{
    enum dns_result result = may_ask() ? dns_ask(name, DNS_MX, records) : DNS_TEMPORARY;
    other.is_due |= result == DNS_TEMPORARY;
    return result;
}

static enum dns_result ask_addresses(struct view name, struct dns_records *records)
{
    enum dns_result result = may_ask() ? dns_addresses(name, records) : DNS_TEMPORARY;
    other.is_due |= result == DNS_TEMPORARY;
    return result;
}

static enum remote_found find_targets(const struct remote_route *route,
                                      struct remote_targets *targets)
{
    static const struct remote_dns dns = {ask_mx, ask_addresses};
    enum remote_found found = remote_addresses_find(&dns, route, targets);
    if (other.path && other.is_due)
        execv(other.path, other.argv);
    return found;
}

/* The addresses to try, at least one. */
static void find_targets_or_finish(const struct remote_route *route,
                                   struct remote_targets *targets)
{
    static const enum remote_text texts[] = {
        [REMOTE_FOUND_NO_HOST] = REMOTE_NO_HOST,
        [REMOTE_FOUND_NO_ADDRESS] = REMOTE_NO_ADDRESS,
        [REMOTE_FOUND_NULL_MX] = REMOTE_NULL_MX,
        [REMOTE_FOUND_TEMPORARY] = REMOTE_DNS_TEMPORARY,
    };
    struct ip_own own = {0};
    if (!route->relayed && !ip_own_read(&own))
        finish_with(REMOTE_NO_SYSTEM, VIEW(""));
    enum remote_found found = find_targets(route, targets);
    if (found != REMOTE_FOUND)
        finish_with(texts[found], route->host);
    if (!route->relayed)
        remote_addresses_cut(targets, &own);
    if (targets->count == 0)
        finish_with(REMOTE_IS_US, VIEW(""));
    ip_own_free(&own);
}

/* Connects, unless the timeout table says that ip is not to be tried, and tells the
 * table. */
static bool reach(const struct ip_address *ip, unsigned port,
                  const struct remote_binding *binding, int *fd)
{
    static struct tcpto_table table;
    enum tcpto_state state = TCPTO_UNLISTED;
    if (tcpto_open(&table, queue_dir, ip->family) == TCPTO_DONE) {
        state = tcpto_state(&table, ip, clock_now(), getpid());
        tcpto_close(&table);
    }
    if (state == TCPTO_SKIP)
        return false;
    enum connect_result result =
        connect_to(ip, port, ip->family == IP_V4 ? &binding->v4 : &binding->v6,
                   (unsigned)settings.connect_timeout_s, fd);
    if (result == CONNECT_NO_SOCKET)
        finish_with(REMOTE_NO_SYSTEM, VIEW(""));
    if (result == CONNECT_NOT_BOUND)
        finish_with(REMOTE_NOT_BOUND, VIEW(""));
    if ((result == CONNECT_TIMED_OUT || state == TCPTO_LISTED) &&
        tcpto_open(&table, queue_dir, ip->family) == TCPTO_DONE) {
        if (result == CONNECT_TIMED_OUT)
            tcpto_count(&table, ip, clock_now());
        else
            tcpto_answered(&table, ip);
        tcpto_close(&table);
    }
    return result == CONNECT_MADE;
}

/* Talks to the address of target, in clear text if TLS fails there and may. */
static enum remote_outcome
try_target(const struct remote_job *job, const struct remote_targets *targets, size_t i,
           unsigned port, const struct remote_binding *binding, struct bytes *verdict)
{
    const struct remote_target *target = &targets->list[i];
    struct view names = bytes_view(&targets->names);
    struct ip_text ip = ip_format(&target->ip);
    struct remote_peer peer = {
        .ip = view_of(ip.text),
        .host = view_before(view_from(names, target->name_at), target->name_len)};
    for (;;) {
        if (!reach(&target->ip, port, binding, &peer.fd))
            return REMOTE_TRY_NEXT;
        enum remote_outcome outcome =
            remote_dialog(job, &peer, &recipient_reports, verdict);
        fd_close(&peer.fd);
        if (outcome != REMOTE_TRY_IN_CLEAR)
            return outcome;
        peer.in_clear = true;
    }
}

/* Tries one address after the other until one gives a verdict. */
static _Noreturn void deliver(const struct remote_job *job,
                              const struct remote_targets *targets, unsigned port,
                              const struct remote_binding *binding)
{
    struct bytes verdict = {0};
    remote_report(&verdict, REMOTE_NO_CONNECTION, VIEW(""));
    for (size_t i = 0; i < targets->count; i++)
        if (try_target(job, targets, i, port, binding, &verdict) == REMOTE_DONE)
            break;
    finish(bytes_view(&verdict));
}

void remote_run(int argc, char **argv, const char *other_path)
{
    enum { HOST = 1, SENDER = 2, RECIPIENTS = 3 };
    struct remote_route route;
    struct remote_binding binding;
    struct remote_targets targets = {0};
    struct bytes sender = {0};
    enum relay_tls_policy tls_policy;

    signals_ignore(SIGPIPE);
    signals_survive(SIGXFSZ); /* the table of timeouts may be too large a file */
    heap_on_failure(out_of_memory);
    if (!fd_fill_standard())
        finish_with(REMOTE_NO_SYSTEM, VIEW(""));
    if (argc <= RECIPIENTS)
        finish_with(REMOTE_USAGE, VIEW(""));
    if (chdir(CONF_QMAIL) == -1)
        finish_with(REMOTE_NO_HOME, VIEW(""));
    settings_read_or_finish();
    sandbox_enter(SANDBOX_FILES | SANDBOX_NETWORK | SANDBOX_PROGRAMS);

    struct view host = view_of(argv[HOST]);
    if (!remote_route_find(&settings.routes.table, host, &route) ||
        !remote_binding_find(&settings.outgoing, host, &binding) ||
        !remote_tls_policy_find(&settings.tls_policies.table, host, &tls_policy))
        finish_with(REMOTE_NO_CONTROL, VIEW(""));
    if (remote_has_line_break(view_of(argv[SENDER])))
        finish_with(REMOTE_SENDER_BREAK, VIEW(""));
    remote_address(&sender, view_of(argv[SENDER]));
    other.path = other_path;
    other.argv = argv;
    find_targets_or_finish(&route, &targets);

    struct remote_job job = {.helo = bytes_view(&settings.helo),
                             .sender = bytes_view(&sender),
                             .recipients = argv + RECIPIENTS,
                             .recipient_count = (size_t)(argc - RECIPIENTS),
                             .message = 0,
                             .timeout_s = (unsigned)settings.timeout_s,
                             .domain = host,
                             .tls_client = tls_client(),
                             .tls_policy = tls_policy};
    deliver(&job, &targets, route.port, &binding);
}
