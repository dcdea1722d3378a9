/* Whole sessions without a network: a policy made here, the client's words in a
 * pipe, the replies out of another. */
#include "accept/smtpd.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/signals.h"

#include "fault.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GREETING "220 me.test ESMTP\r\n"
#define BYE "221 me.test\r\n"
#define OK "250 ok\r\n"
#define GO "354 go ahead\r\n"
#define DONE "250 ok TIME qp PID\r\n"
#define SYNTAX "555 syntax error (#5.5.4)\r\n"
#define UNKNOWN "502 unimplemented (#5.5.1)\r\n"
#define MESSAGE "MAIL FROM:<a@b>\r\nRCPT TO:<x@here.test>\r\nDATA\r\n"
#define FIVE(x) x x x x x

static struct smtpd session;
static char *const checker[] = {(char[]){"./checker"}, NULL};

/* Policies */

static void plain(struct smtpd *s)
{
    (void)s;
}

static void listed(struct control_list *list, const char *entry)
{
    table_add(&list->table, view_of(entry), view_of(entry));
}

static void lists(struct smtpd *s)
{
    s->policy.rcpthosts.all = true;
    listed(&s->policy.bad_helos.always, ".bad.test");
    listed(&s->policy.bad_senders.always, "@bad.test");
    listed(&s->policy.bad_senders.norelay, "@here.test");
    listed(&s->policy.bad_recipients.always, "trap@here.test");
}

static void limits(struct smtpd *s)
{
    s->policy.max_bytes = 10;
    s->policy.max_recipients = 2;
    s->policy.max_refused = 2;
}

static void bare_cr(struct smtpd *s)
{
    s->policy.allow_bare_cr = true;
}

static void with_auth(struct smtpd *s)
{
    s->auth.program = (char **)(uintptr_t)checker;
    s->auth.on = s->auth.clear_text_allowed = true;
}

static void auth_without_pipe(struct smtpd *s)
{
    with_auth(s);
    fault_at("pipe2", 1, EMFILE);
}

static void auth_required(struct smtpd *s)
{
    with_auth(s);
    s->auth.required = true;
}

static void auth_over_tls(struct smtpd *s)
{
    with_auth(s);
    s->auth.clear_text_allowed = false;
}

static void tls_required(struct smtpd *s)
{
    s->tls.required = true;
}

static void rcptcheck(struct smtpd *s)
{
    s->policy.rcptcheck = "./rcptcheck";
}

static const struct {
    const char *name;
    void (*policy)(struct smtpd *s);
    int exit_code;
    const char *input, *output; /* without the greeting */
} cases[] = {
    {"nothing", plain, 1, "", ""},
    {"quit", plain, 0, "QUIT\r\nNOOP\r\n", BYE},
    {"part of a line", plain, 1, "NOOP\r\nNOOP", OK},
    {"any case, bare LF", plain, 0, "nOOp\nQuit\n", OK BYE},
    {"EHLO", plain, 0, "EHLO x\r\nQUIT\r\n",
     "250-me.test\r\n250-PIPELINING\r\n250-SIZE 0\r\n250 8BITMIME\r\n" BYE},
    {"unknown", plain, 0, "\r\nEXPN\r\n NOOP\r\nNOOP\tx\r\nNOOP\r\r\nQUIT\r\n",
     FIVE(UNKNOWN) BYE},
    {"hidden bytes", plain, 0, "NOOP\rx\r\nNOOP\r\rx\r\nQUIT\r\n",
     "500 syntax error (#5.5.2)\r\n500 syntax error (#5.5.2)\r\n" BYE},
    {"order", plain, 0, "DATA\r\nRCPT TO:<a>\r\nMAIL FROM:<>\r\nDATA\r\nQUIT\r\n",
     "503 MAIL first (#5.5.1)\r\n503 MAIL first (#5.5.1)\r\n" OK
     "503 RCPT first (#5.5.1)\r\n" BYE},
    {"a 555 leaves the transaction", plain, 0,
     "MAIL FROM:<a@b>\r\nMAIL\r\nRCPT TO:<>\r\nRCPT TO:<x>\r\nQUIT\r\n",
     OK SYNTAX SYNTAX OK BYE},
    {"HELO and RSET end it", plain, 0,
     "MAIL FROM:<>\r\nRSET\r\nDATA\r\nMAIL FROM:<>\r\nHELO x\r\nDATA\r\nQUIT\r\n",
     OK "250 flushed\r\n503 MAIL first (#5.5.1)\r\n" OK
        "250 me.test\r\n503 MAIL first (#5.5.1)\r\n" BYE},
    {"rcpthosts", plain, 0,
     "MAIL FROM:<>\r\nRCPT TO:<x@far.test>\r\nRCPT TO:<x@[127.0.0.1]>\r\nQUIT\r\n",
     OK "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)\r\n" OK
         BYE},
    {"message", plain, 0, MESSAGE "text\r\n.\r\nDATA\r\nQUIT\r\n",
     OK OK GO DONE "503 MAIL first (#5.5.1)\r\n" BYE},
    {"two messages", plain, 0, MESSAGE ".\r\n" MESSAGE ".\r\nQUIT\r\n",
     OK OK GO DONE OK OK GO DONE BYE},
    {"gone in DATA", plain, 1, MESSAGE "text\r\n.\r", OK OK GO},
    {"bare LF", plain, 1, MESSAGE "te\nxt\r\n.\r\nQUIT\r\n",
     OK OK GO "451 See https://cr.yp.to/docs/smtplf.html.\r\n"},
    {"bare CR", plain, 0, MESSAGE "te\rxt\r\n.\r\nQUIT\r\n",
     OK OK GO "554 bare CR in message, see RFC 5321 section 2.3.8 (#5.6.0)\r\n" BYE},
    {"bare CR allowed", bare_cr, 0, MESSAGE "te\rxt\r\n.\r\nQUIT\r\n",
     OK OK GO DONE BYE},
    {"nineteen errors", plain, 0,
     FIVE("A\r\n") FIVE("B\r\n") FIVE("C\r\n") "D\r\nE\r\nF\r\nG\r\nQUIT\r\n",
     FIVE(UNKNOWN) FIVE(UNKNOWN) FIVE(UNKNOWN) UNKNOWN UNKNOWN UNKNOWN UNKNOWN BYE},
    {"twenty errors", plain, 1,
     FIVE("A\r\n") FIVE("B\r\n") FIVE("C\r\n") FIVE("MAIL\r\n") "QUIT\r\n",
     FIVE(UNKNOWN) FIVE(UNKNOWN) FIVE(UNKNOWN)
         FIVE(SYNTAX) "421 too many errors (#4.7.0)\r\n"},

    {"HELO list", lists, 0,
     "HELO x.bad.test\r\nMAIL FROM:<>\r\nRCPT TO:<x>\r\nQUIT\r\n",
     "250 me.test\r\n" OK
     "553 sorry, your HELO host name has been denied (#5.7.1)\r\n" BYE},
    {"sender list", lists, 0, "MAIL FROM:<a@bad.test>\r\nRCPT TO:<x>\r\nQUIT\r\n",
     OK "553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)\r\n" BYE},
    {"sender list without relay", lists, 0,
     "MAIL FROM:<a@here.test>\r\nRCPT TO:<x>\r\nQUIT\r\n",
     OK "553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)\r\n" BYE},
    {"recipient list", lists, 0, "MAIL FROM:<>\r\nRCPT TO:<TRAP@here.test>\r\nQUIT\r\n",
     OK "553 sorry, your envelope recipient has been denied (#5.7.1)\r\n" BYE},

    {"size limit in EHLO", limits, 0, "EHLO x\r\nQUIT\r\n",
     "250-me.test\r\n250-PIPELINING\r\n250-SIZE 10\r\n250 8BITMIME\r\n" BYE},
    {"size claimed", limits, 0,
     "MAIL FROM:<> SIZE=10\r\nMAIL FROM:<> SIZE=11\r\nDATA\r\n"
     "MAIL FROM:<> SIZE=1 SIZE=18446744073709551616\r\nMAIL FROM:<> SIZE=1x\r\n"
     "MAIL FROM:<> SIZE=000000000000000000001\r\nQUIT\r\n",
     OK "552 sorry, that message size exceeds my databytes limit (#5.3.4)\r\n"
        "503 MAIL first (#5.5.1)\r\n"
        "552 sorry, that message size exceeds my databytes limit (#5.3.4)\r\n" SYNTAX
            SYNTAX BYE},
    {"size at the limit", limits, 0, MESSAGE "123456789\r\n.\r\nQUIT\r\n",
     OK OK GO DONE BYE},
    {"size over the limit", limits, 0, MESSAGE "1234567890\r\n.\r\nQUIT\r\n",
     OK OK GO
     "552 sorry, that message size exceeds my databytes limit (#5.3.4)\r\n" BYE},
    {"recipients", limits, 0,
     "MAIL FROM:<>\r\nRCPT TO:<a>\r\nRCPT TO:<b>\r\nRCPT TO:<c>\r\n"
     "MAIL FROM:<>\r\nRCPT TO:<d>\r\nQUIT\r\n",
     OK OK OK "452 max rcpt limit exceeded (#4.5.3)\r\n" OK OK BYE},
    {"refused recipients", limits, 1,
     "MAIL FROM:<>\r\nRCPT TO:<a@x>\r\nRCPT TO:<b@x>\r\nRCPT TO:<c>\r\nQUIT\r\n",
     OK "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)\r\n"
        "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)\r\n"
        "421 too many invalid addresses, goodbye (#4.3.0)\r\n"},

    {"AUTH off", plain, 0, "AUTH PLAIN AGpvZQBzZWNyZXQ=\r\nQUIT\r\n",
     "503 auth not available (#5.3.3)\r\n" BYE},
    {"AUTH PLAIN", with_auth, 0,
     "AUTH PLAIN AGpvZQBzZWNyZXQ=\r\nAUTH PLAIN\r\nMAIL FROM:<>\r\n"
     "RCPT TO:<x@far.test>\r\nQUIT\r\n",
     "235 ok, go ahead (#2.0.0)\r\n503 you're already authenticated (#5.5.0)\r\n" OK OK
         BYE},
    {"AUTH LOGIN", with_auth, 0, "auth login\r\nam9l\r\nc2VjcmV0\r\nQUIT\r\n",
     "334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n235 ok, go ahead (#2.0.0)\r\n" BYE},
    {"AUTH cancelled", with_auth, 0,
     "AUTH PLAIN\r\n*\r\nAUTH LOGIN am9l\r\n*\r\nQUIT\r\n",
     "334 \r\n501 auth exchange canceled (#5.0.0)\r\n"
     "334 UGFzc3dvcmQ6\r\n501 auth exchange canceled (#5.0.0)\r\n" BYE},
    {"AUTH malformed", with_auth, 0,
     "AUTH PLAIN x\r\nAUTH PLAIN =\r\nAUTH PLAIN AGpvZQ==\r\nAUTH LOGIN =\r\nQUIT\r\n",
     "501 malformed auth input (#5.5.4)\r\n501 malformed auth input (#5.5.4)\r\n"
     "501 malformed auth input (#5.5.4)\r\n501 malformed auth input (#5.5.4)\r\n" BYE},
    {"AUTH of other kinds", with_auth, 0, "AUTH\r\nAUTH CRAM-MD5\r\nQUIT\r\n",
     "504 auth type unimplemented (#5.5.1)\r\n504 auth type unimplemented "
     "(#5.5.1)\r\n" BYE},
    {"AUTH program in trouble", with_auth, 0, "AUTH PLAIN AHRlbXAAeA==\r\nQUIT\r\n",
     "454 oops, problem with child and I can't auth (#4.3.0)\r\n" BYE},
    {"AUTH in a transaction", with_auth, 0, "MAIL FROM:<>\r\nAUTH PLAIN\r\nQUIT\r\n",
     OK "503 no auth during mail transaction (#5.5.0)\r\n" BYE},
    {"AUTH in clear text", auth_over_tls, 0, "AUTH PLAIN\r\nQUIT\r\n",
     "538 auth not available without TLS (#5.3.3)\r\n" BYE},
    {"AUTH required", auth_required, 0, "MAIL FROM:<>\r\nDATA\r\nQUIT\r\n",
     "530 Authorization required (#5.7.1)\r\n503 MAIL first (#5.5.1)\r\n" BYE},
    {"TLS required", tls_required, 0,
     "MAIL FROM:<>\r\nSTARTTLS\r\nSTARTTLS x\r\nQUIT\r\n",
     "530 must issue a STARTTLS command first (#5.7.0)\r\n" UNKNOWN
     "501 syntax error (no parameters allowed) (#5.5.4)\r\n" BYE},

    {"RCPTCHECK", rcptcheck, 1,
     "HELO h\r\nMAIL FROM:<a@b>\r\nRCPT TO:<good>\r\nRCPT TO:<bad>\r\nRCPT TO:<own>\r\n"
     "RCPT TO:<odd>\r\nRCPT TO:<killed>\r\nRCPT TO:<end>\r\nQUIT\r\n",
     "250 me.test\r\n" OK OK "550 sorry, no mailbox here by that name. (#5.1.1)\r\n"
     "450 later ?\r\n451 unable to verify recipient (#4.3.0)\r\n"
     "451 unable to verify recipient (#4.3.0)\r\n"
     "421 you have exceeded your messaging limits (#4.3.0)\r\n"},
};

/* The programs that sessions start */

static const char sink[] = "#!/bin/sh\ncat > message; cat <&1 > envelope\n";
static const char check_program[] = "#!/bin/sh\ncase $(tr '\\0' '|' <&3) in "
                                    "'joe|secret||') exit 0;; temp*) exit 111;; esac\n"
                                    "exit 1\n";
static const char rcptcheck_program[] =
    "#!/bin/sh\n[ \"$SENDER,$HELO,$USE_FD4\" = a@b,h,1 ] || exit 1\n"
    "case $RECIPIENT in good) exit 112;; bad) exit 100;; end) exit 113;; killed) kill "
    "-9 $$;;\n"
    "own) printf '450 later \\033\\nmore' >&4; exit 100;; odd) echo '250 x' >&4; exit "
    "3;; esac\n";

static void put(const char *path, const char *text)
{
    int fd = fd_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    if (fd == -1 || !write_all(fd, view_of(text)))
        skip_rest("cannot write below the temporary directory");
    close(fd);
}

/* Digits of time and process id become words. */
static void hide_numbers(struct bytes *text)
{
    static const char *const words[] = {"250 ok ", "TIME", " qp ", "PID"};
    struct bytes hidden = {0};
    struct view rest = bytes_view(text);

    while (rest.len) {
        if (view_starts(rest, VIEW("250 ok ")))
            for (size_t i = 0; i < COUNT(words); i += 2) {
                rest = view_from(rest, strlen(words[i]));
                bytes_add_text(&hidden, words[i]);
                bytes_add_text(&hidden, words[i + 1]);
                while (rest.len && byte_is_digit(rest.data[0]))
                    rest = view_from(rest, 1);
            }
        bytes_add_byte(&hidden, rest.data[0]);
        rest = view_from(rest, 1);
    }
    bytes_free(text);
    *text = hidden;
}

static void free_session(void)
{
    struct control_list *all[] = {
        &session.policy.bad_helos.always,    &session.policy.bad_senders.always,
        &session.policy.bad_senders.norelay, &session.policy.bad_recipients.always,
        &session.policy.rcpthosts.list,
    };
    struct bytes *strings[] = {&session.policy.greeting,
                               &session.policy.literal_host,
                               &session.line,
                               &session.helo,
                               &session.sender,
                               &session.recipients,
                               &session.address};
    for (size_t i = 0; i < COUNT(all); i++)
        control_list_free(all[i]);
    for (size_t i = 0; i < COUNT(strings); i++)
        bytes_free(strings[i]);
    ip_own_free(&session.policy.own);
}

/* Runs a session; output is all it says behind the greeting. */
static int run(void (*policy)(struct smtpd *s), const char *input, struct bytes *output)
{
    int in[2], out[2];

    if (!fd_pipe(in) || !fd_pipe(out) || !write_all(in[1], view_of(input)))
        skip_rest("no pipes");
    fd_close(&in[1]);
    memset(&session, 0, sizeof session);
    unsetenv("RELAYCLIENT");
    bytes_set(&session.policy.greeting, VIEW("me.test"));
    bytes_set(&session.policy.literal_host, VIEW("here.test"));
    session.policy.replace_literals = true;
    session.policy.rcpthosts.more_fd = -1;
    ip_own_read(&session.policy.own);
    listed(&session.policy.rcpthosts.list, "here.test");
    connection_open(&session.connection, in[0], out[1], 10);
    policy(&session);
    int code = smtpd_serve(&session);
    fd_close(&session.queue.message_fd);
    fd_close(&session.queue.envelope_fd);
    fd_close(&session.queue.text_fd);
    fd_close(&in[0]);
    fd_close(&out[1]);
    file_read_fd(out[0], 1 << 20, output);
    fd_close(&out[0]);
    hide_numbers(output);
    free_session();
    return code;
}

/* The longest command line and one byte more, CR included; and so for AUTH. */
static void test_line_limits(struct bytes *output)
{
    static const struct {
        const char *command;
        size_t len;
        const char *reply;
    } lines[] = {
        {"NOOP ", SMTPD_MAX_LINE, OK},
        {"NOOP ", SMTPD_MAX_LINE + 1, "500 line too long (#5.5.2)\r\n"},
        {"AUTH ", SMTPD_MAX_AUTH_LINE, "503 auth not available (#5.3.3)\r\n"},
        {"AUTH ", SMTPD_MAX_AUTH_LINE + 1, "500 line too long (#5.5.2)\r\n"},
    };
    struct bytes input = {0}, want = {0};

    for (size_t i = 0; i < COUNT(lines); i++) {
        bytes_set(&input, view_of(lines[i].command));
        while (input.len < lines[i].len - 1)
            bytes_add_byte(&input, 'x');
        bytes_add_text(&input, "\r\nQUIT\r\n");
        bytes_set(&want, VIEW(GREETING));
        bytes_add_text(&want, lines[i].reply);
        bytes_add_text(&want, BYE);
        run(plain, bytes_cstring(&input), output);
        same(bytes_view(output), bytes_view(&want), "line limit");
    }
    bytes_free(&input);
    bytes_free(&want);
}

static void test_message(void)
{
    struct bytes content = {0};

    ok(file_read("envelope", 1000, &content) == FILE_READ, "envelope", NULL);
    same(bytes_view(&content), VIEW("Fa@b\0Tx@here.test\0\0"), "envelope");
    ok(file_read("message", 1000, &content) == FILE_READ, "message", NULL);
    ok(view_starts(bytes_view(&content), VIEW("Received: from ")), "message", "field");
    ok(view_ends(bytes_view(&content), VIEW(" -0000\n123456789\n")), "message", "text");
    bytes_free(&content);
}

int main(void)
{
    char dir[] = "/tmp/smtpd.XXXXXX";
    struct bytes output = {0}, want = {0};

    if (!mkdtemp(dir) || chdir(dir) == -1)
        skip_rest("no temporary directory");
    put("sink", sink);
    put("checker", check_program);
    put("rcptcheck", rcptcheck_program);
    setenv("QMAILQUEUE", "./sink", 1);
    signals_ignore(SIGPIPE);
    for (size_t i = 0; i < COUNT(cases); i++) {
        bytes_set(&want, VIEW(GREETING));
        bytes_add_text(&want, cases[i].output);
        int code = run(cases[i].policy, cases[i].input, &output);
        same(bytes_view(&output), bytes_view(&want), cases[i].name);
        same_number((uint64_t)code, (uint64_t)cases[i].exit_code, cases[i].name);
        if (strcmp(cases[i].name, "size at the limit") == 0)
            test_message();
    }
    test_line_limits(&output);
    run(auth_without_pipe, "AUTH PLAIN AGpvZQBzZWNyZXQ=\r\nQUIT\r\n", &output);
    ok(fault_end(), "AUTH without a pipe", NULL);
    same(
        bytes_view(&output),
        VIEW(GREETING "454 oops, problem with child and I can't auth (#4.3.0)\r\n" BYE),
        "AUTH without a pipe");
    bytes_free(&output);
    bytes_free(&want);

    static const char *const files[] = {"sink", "checker", "rcptcheck", "message",
                                        "envelope"};
    for (size_t i = 0; i < COUNT(files); i++)
        unlink(files[i]);
    if (chdir("/") == 0)
        rmdir(dir);
    return tap_done();
}
