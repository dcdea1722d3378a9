/* A whole SMTP session from any bytes: commands, addresses, AUTH, DATA.
 *
 * The first byte chooses the policy, the rest is what the client says. The queue
 * program cannot be run, so that every message is decoded and then refused. */
#include "accept/smtpd.h"

#include "base/fd.h"
#include "base/signals.h"

#include "fuzz.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { POLICY_LIMITS = 1, POLICY_LISTS = 2, POLICY_AUTH = 4, POLICY_BARE_CR = 8 };

static struct smtpd s;
static char *const checker[] = {(char[]){"/nonexistent/checker"}, NULL};

static void listed(struct control_list *list, const char *entry)
{
    table_add(&list->table, view_of(entry), view_of(entry));
}

static void choose_policy(unsigned char choice)
{
    bytes_set(&s.policy.greeting, VIEW("me.test"));
    bytes_set(&s.policy.literal_host, VIEW("me.test"));
    s.policy.replace_literals = true;
    s.policy.rcpthosts.more_fd = -1;
    s.policy.rcpthosts.all = !(choice & POLICY_LISTS);
    listed(&s.policy.rcpthosts.list, ".test");
    if (choice & POLICY_LISTS) {
        listed(&s.policy.bad_senders.always, "@.bad");
        listed(&s.policy.bad_recipients.norelay, "a@b.test");
        listed(&s.policy.bad_helos.always, ".bad");
    }
    if (choice & POLICY_LIMITS)
        s.policy.max_bytes = s.policy.max_recipients = s.policy.max_refused = 3;
    s.policy.allow_bare_cr = choice & POLICY_BARE_CR;
    s.auth.program = (char **)(uintptr_t)checker;
    s.auth.on = s.auth.clear_text_allowed = choice & POLICY_AUTH;
}

static void forget(void)
{
    struct control_list *lists[] = {
        &s.policy.rcpthosts.list, &s.policy.bad_senders.always,
        &s.policy.bad_recipients.norelay, &s.policy.bad_helos.always};
    struct bytes *strings[] = {
        &s.policy.greeting, &s.policy.literal_host, &s.line,   &s.helo,
        &s.sender,          &s.recipients,          &s.address};
    for (size_t i = 0; i < COUNT(lists); i++)
        control_list_free(lists[i]);
    for (size_t i = 0; i < COUNT(strings); i++)
        bytes_free(strings[i]);
    fd_close(&s.queue.message_fd);
    fd_close(&s.queue.envelope_fd);
    fd_close(&s.queue.text_fd);
    memset(&s, 0, sizeof s);
    s.queue.message_fd = s.queue.envelope_fd = s.queue.text_fd = -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char path[] = "/tmp/fuzz.XXXXXX";
    int in = mkstemp(path), out = fd_open("/dev/null", O_WRONLY, 0);

    if (len == 0 || in == -1 || out == -1)
        return 0;
    unlink(path);
    setenv("QMAILQUEUE", "/nonexistent/queue", 1);
    unsetenv("RELAYCLIENT");
    signals_ignore(SIGPIPE);
    forget();
    choose_policy(data[0]);
    if (write_all(in, view_at((const char *)data + 1, len - 1)) &&
        lseek(in, 0, SEEK_SET) == 0) {
        connection_open(&s.connection, in, out, 0);
        smtpd_serve(&s);
    }
    forget();
    close(in);
    close(out);
    return 0;
}
