/* A whole QMTP session from any bytes: messages in both encodings, envelopes.
 *
 * The first byte chooses the policy, the rest is what the client says. The queue
 * program cannot be run, so that every message is decoded and then refused. */
#include "accept/qmtpd.h"

#include "base/fd.h"
#include "base/signals.h"

#include "fuzz.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { POLICY_LIMIT = 1, POLICY_LIST = 2, POLICY_RELAY = 4 };

static struct qmtpd s;

static void choose_policy(unsigned char choice)
{
    s.queue.message_fd = s.queue.envelope_fd = s.queue.text_fd = -1;
    s.policy.rcpthosts.more_fd = -1;
    s.policy.rcpthosts.all = !(choice & POLICY_LIST);
    table_add(&s.policy.rcpthosts.list.table, VIEW(".test"), VIEW(".test"));
    if (choice & POLICY_LIMIT)
        s.policy.max_bytes = 3;
    if (choice & POLICY_RELAY)
        s.policy.suffix = "@fix";
}

static void forget(void)
{
    control_list_free(&s.policy.rcpthosts.list);
    bytes_free(&s.message.sender);
    bytes_free(&s.message.fates);
    bytes_free(&s.recipient);
    fd_close(&s.queue.message_fd);
    fd_close(&s.queue.envelope_fd);
    fd_close(&s.queue.text_fd);
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    memset(&s, 0, sizeof s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char path[] = "/tmp/fuzz.XXXXXX";
    int in = mkstemp(path), out = fd_open("/dev/null", O_WRONLY, 0);

    if (len == 0 || in == -1 || out == -1)
        return 0;
    unlink(path);
    setenv("QMAILQUEUE", "/nonexistent/queue", 1);
    signals_ignore(SIGPIPE);
    choose_policy(data[0]);
    if (write_all(in, view_at((const char *)data + 1, len - 1)) &&
        lseek(in, 0, SEEK_SET) == 0) {
        connection_open(&s.connection, in, out, 0);
        qmtpd_serve(&s);
        alarm(0);
        if (!s.input.over)
            abort();
    }
    forget();
    close(in);
    close(out);
    return 0;
}
