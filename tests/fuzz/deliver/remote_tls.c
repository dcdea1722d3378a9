/* Any bytes as the status line of the TLS helper, and as what a server says before and
 * behind it: what the policy forbids is not done. Without TLS, or without a
 * certificate where one is wanted, no message leaves; and what was said in clear text
 * counts for nothing afterwards. */
#include "deliver/remote.h"

#include "base/fd.h"
#include "base/process.h"

#include "fuzz.h"
#include "must.h"
#include "played.h"

#include <fcntl.h>

enum { MAX_STATUS = 60, STATUS_FD = 4, AHEAD = 64 };

static struct view status; /* what the helper says, with its line feed if it has one */
static bool helper_ran;

/* The helper. */
pid_t process_start(const struct process *p)
{
    must(!helper_ran && view_is(view_of(p->path), "tls"));
    helper_ran = true;
    for (size_t i = 0; i < p->fd_count; i++)
        if (p->fds[i].want == STATUS_FD)
            must(write_all(p->fds[i].have, status));
    return 77;
}

static int message(void)
{
    static const char text[] = "Subject: s\n\n\377\n";
    static int fd = -1;
    if (fd == -1) {
        fd = nameless_file();
        must(write_all(fd, view_of(text)));
    }
    must(lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

struct result {
    enum remote_outcome outcome;
    struct bytes recipients, verdict, sent;
    bool helped;
};

static void talk(enum relay_tls_policy policy, struct view in, bool ahead, size_t step,
                 struct result *r)
{
    char *recipients[] = {(char[]){"a@b.test"}};
    int null = fd_open("/dev/null", O_RDWR, 0);

    /* a true descriptor of that number, for what is done to it besides */
    must(dup2(null, PLAYED) == PLAYED && fd_close_on_exec(PLAYED, true));
    fd_close(&null);
    bytes_clear(&r->recipients);
    bytes_clear(&r->verdict);
    bytes_clear(&r->sent);
    helper_ran = false;
    played[0] =
        (struct played){.in = in, .step = step, .by_line = !ahead, .out = &r->sent};
    struct remote_peer peer = {
        .fd = PLAYED, .ip = VIEW("192.0.2.1"), .host = VIEW("mx.test")};
    struct remote_job job = {.helo = VIEW("me.test"),
                             .sender = VIEW("s@me.test"),
                             .recipients = recipients,
                             .recipient_count = 1,
                             .message = message(),
                             .timeout_s = 60,
                             .domain = VIEW("b.test"),
                             .tls_client = (char[]){"tls"},
                             .tls_policy = policy};
    r->outcome = remote_dialog(&job, &peer, &r->recipients, &r->verdict);
    r->helped = helper_ran;
}

static bool contains(struct view v, struct view part)
{
    for (; v.len >= part.len; v = view_from(v, 1))
        if (view_starts(v, part))
            return true;
    return false;
}

/* The status line as a whole; empty where it does not end. */
static struct view status_line(void)
{
    struct view rest = status;
    return view_has(rest, '\n') ? view_cut(&rest, '\n') : VIEW("");
}

static bool is_verified(struct view line)
{
    for (int i = 0; i < 4; i++)
        view_cut(&line, ' ');
    return view_is(view_cut(&line, ' '), "verified");
}

static void check(enum relay_tls_policy policy, const struct result *r)
{
    struct view sent = bytes_view(&r->sent), line = status_line();
    bool up = r->helped && view_starts(line, VIEW("K "));
    bool started = contains(sent, VIEW("STARTTLS\r\n"));
    bool mail = contains(sent, VIEW("MAIL FROM:<"));

    must(r->verdict.len &&
         view_find(bytes_view(&r->verdict), '\0') + 1 == r->verdict.len);
    must(started || !r->helped);
    must(!started || policy != RELAY_TLS_NONE);
    must(!mail || up || policy <= RELAY_TLS_MAY);
    must(!mail || policy != RELAY_TLS_VERIFY || is_verified(line));
    must(r->outcome != REMOTE_TRY_IN_CLEAR ||
         (policy == RELAY_TLS_MAY && r->helped && !up && !mail));
    if (!up && r->helped)
        must(!mail && r->recipients.len == 0);
    if (r->verdict.data[0] == 'K')
        must(mail && contains(bytes_view(&r->verdict), VIEW("\nTLS: ")) >= up);
}

/* The first byte chooses the policy and whether the server is read ahead, the second
 * says how long the pieces are; a line is the helper's, the rest the server's. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct result whole, pieces;
    struct view in = input_of(data, len);
    unsigned choice = take_number(&in);
    size_t step = take_step(&in);
    enum relay_tls_policy policy = (enum relay_tls_policy)(choice % 4);

    size_t end = view_find(in, '\n') + 1;
    status = take_piece(&in, end < MAX_STATUS ? end : MAX_STATUS);
    talk(policy, in, choice & AHEAD, 0, &whole);
    check(policy, &whole);
    talk(policy, in, false, step, &pieces);
    check(policy, &pieces);
    if (!(choice & AHEAD))
        must(
            whole.outcome == pieces.outcome && whole.helped == pieces.helped &&
            view_equal(bytes_view(&whole.recipients), bytes_view(&pieces.recipients)) &&
            view_equal(bytes_view(&whole.verdict), bytes_view(&pieces.verdict)) &&
            view_equal(bytes_view(&whole.sent), bytes_view(&pieces.sent)));
    return 0;
}
