#include "accept/smtpd.h"

#include "base/base64.h"
#include "base/fd.h"
#include "base/process.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum {
    FD_SECRET = 3,
    EXIT_TROUBLE = 111,
    MAX_SECRET = 509, /* name and password: with three NULs they are 512 bytes */
    MAX_FAILURES = 3,
    FAILURE_PAUSE_S = 5
};

enum verdict { VERDICT_RIGHT, VERDICT_WRONG, VERDICT_TROUBLE };

/* Beginning */

/* qmail-smtpd HOST PROGRAM ..., as older run scripts have it. */
static bool has_host_argument(char **arguments)
{
    return arguments[0] && arguments[1] && arguments[2] && strchr(arguments[0], '.') &&
           !strchr(arguments[0], '/') && arguments[1][0] != '-';
}

void smtpd_auth_begin(struct smtpd *s, char **arguments)
{
    struct smtpd_auth *a = &s->auth;
    const char *wish = getenv("SMTPAUTH");
    const char *force = getenv("FORCETLS");

    unsetenv("SMTPAUTHUSER");
    unsetenv("SMTPAUTHMETHOD");
    if (has_host_argument(arguments)) {
        arguments++;
        if (!wish)
            wish = "";
    }
    a->program = arguments[0] ? arguments : NULL;
    a->required = wish && wish[0] == '!';
    a->on = a->program && wish && strcmp(wish, "-") != 0 && strcmp(wish, "0") != 0;
    a->clear_text_allowed = force && strcmp(force, "0") == 0;
}

static bool is_safe(const struct smtpd *s)
{
    return s->tls_active || s->auth.clear_text_allowed;
}

bool smtpd_auth_offered(const struct smtpd *s)
{
    return s->auth.on && is_safe(s);
}

/* The dialogue. Every string here may hold a password and is wiped at its end. */

struct secret {
    struct bytes plain; /* one decoded answer */
    struct bytes pair;  /* name NUL password NUL NUL */
    size_t name_len;
};

static const char malformed[] = "501 malformed auth input (#5.5.4)";

/* Decodes an answer, or an initial response, in which "=" is the empty string. */
static bool decode(struct smtpd *s, struct view text, struct secret *secret)
{
    if (view_is(text, "*")) {
        smtpd_reply(s, "501 auth exchange canceled (#5.0.0)");
        return false;
    }
    if (base64_decode(text, &secret->plain))
        return true;
    smtpd_reply(s, malformed);
    return false;
}

/* Asks a question and decodes the answer. */
static bool ask(struct smtpd *s, const char *question, struct secret *secret)
{
    smtpd_reply(s, question);
    switch (smtpd_read_line(s)) {
    case SMTPD_LINE_READ:
        return decode(s, smtpd_line(s), secret);
    case SMTPD_LINE_TOO_LONG:
        smtpd_reply(s, "500 line too long (#5.5.2)");
        return false;
    case SMTPD_LINE_GONE:
        break;
    }
    return false;
}

static bool decode_initial(struct smtpd *s, struct view initial, struct secret *secret)
{
    if (view_is(initial, "="))
        initial.len = 0;
    return decode(s, initial, secret);
}

static void set_pair(struct secret *secret, struct view name, struct view password)
{
    bytes_reserve(&secret->pair, name.len + password.len + 3);
    bytes_add(&secret->pair, name);
    bytes_add_byte(&secret->pair, '\0');
    bytes_add(&secret->pair, password);
    bytes_add(&secret->pair, VIEW("\0\0"));
    secret->name_len = name.len;
}

/* authzid NUL name NUL password (RFC 4616); the authzid is not looked at. */
static bool plain(struct smtpd *s, struct view initial, struct secret *secret)
{
    bool got =
        initial.len ? decode_initial(s, initial, secret) : ask(s, "334 ", secret);
    if (!got)
        return false;
    struct view password = bytes_view(&secret->plain);
    view_cut(&password, '\0');
    struct view name = view_cut(&password, '\0');
    if (name.len == 0 || password.len == 0 || view_has(password, '\0')) {
        smtpd_reply(s, malformed);
        return false;
    }
    set_pair(secret, name, password);
    return true;
}

static bool is_login_answer(struct view v)
{
    return v.len && !view_has(v, '\0');
}

static bool login(struct smtpd *s, struct view initial, struct secret *secret)
{
    bool got = initial.len ? decode_initial(s, initial, secret)
                           : ask(s, "334 VXNlcm5hbWU6", secret);
    if (!got)
        return false;
    if (!is_login_answer(bytes_view(&secret->plain))) {
        smtpd_reply(s, malformed);
        return false;
    }
    struct bytes name = {0};
    bytes_set(&name, bytes_view(&secret->plain));
    got = ask(s, "334 UGFzc3dvcmQ6", secret);
    if (got && is_login_answer(bytes_view(&secret->plain))) {
        set_pair(secret, bytes_view(&name), bytes_view(&secret->plain));
    } else if (got) {
        smtpd_reply(s, malformed);
        got = false;
    }
    bytes_free(&name);
    return got;
}

/* The check */

static enum verdict judge(int status)
{
    if (!WIFEXITED(status) || WEXITSTATUS(status) == EXIT_TROUBLE)
        return VERDICT_TROUBLE;
    return WEXITSTATUS(status) == 0 ? VERDICT_RIGHT : VERDICT_WRONG;
}

static enum verdict check(const struct smtpd *s, const struct secret *secret)
{
    int null_fd = -1, ends[2] = {-1, -1}, status;
    pid_t pid = -1;

    if (secret->pair.len > MAX_SECRET + 3)
        return VERDICT_WRONG;
    null_fd = fd_open("/dev/null", O_RDWR, 0);
    /* a pipe takes so few bytes before anybody reads them */
    if (null_fd != -1 && fd_pipe(ends) &&
        write_all(ends[1], bytes_view(&secret->pair))) {
        struct process p = {
            .argv = s->auth.program,
            .fds = {{null_fd, 0}, {null_fd, 1}, {ends[0], FD_SECRET}},
            .fd_count = 3,
            .default_sigpipe = true,
            .failures = {EXIT_TROUBLE, EXIT_TROUBLE, EXIT_TROUBLE, EXIT_TROUBLE,
                         EXIT_TROUBLE},
        };
        fd_close(&ends[1]);
        pid = process_start(&p);
    }
    fd_close(&ends[0]);
    fd_close(&ends[1]);
    fd_close(&null_fd);
    if (pid == -1 || !process_wait(pid, &status))
        return VERDICT_TROUBLE;
    return judge(status);
}

/* From now on the client is one of ours, for us and for the programs we start. */
static bool trust(struct smtpd *s, const struct secret *secret, const char *method)
{
    const char *name = secret->pair.data; /* ended by its NUL */

    if (setenv("TCPREMOTEINFO", name, 1) == -1 ||
        setenv("SMTPAUTHUSER", name, 1) == -1 ||
        setenv("SMTPAUTHMETHOD", method, 1) == -1 || setenv("RELAYCLIENT", "", 0) == -1)
        return false;
    s->auth.done = true;
    return true;
}

static void conclude(struct smtpd *s, const struct secret *secret, const char *method)
{
    enum verdict verdict = check(s, secret);

    if (verdict == VERDICT_RIGHT && !trust(s, secret, method))
        verdict = VERDICT_TROUBLE;
    switch (verdict) {
    case VERDICT_RIGHT:
        smtpd_reply(s, "235 ok, go ahead (#2.0.0)");
        return;
    case VERDICT_TROUBLE:
        smtpd_reply(s, "454 oops, problem with child and I can't auth (#4.3.0)");
        return;
    case VERDICT_WRONG:
        break;
    }
    s->auth.failures++;
    smtpd_pause(s, FAILURE_PAUSE_S);
    if (s->over)
        return;
    if (s->auth.failures >= MAX_FAILURES)
        smtpd_end(s, "421 too many authentication failures (#4.7.0)");
    else
        smtpd_reply(s, "535 authentication failed (#5.7.1)");
}

/* Why AUTH cannot be begun now, or NULL. */
static const char *objection(const struct smtpd *s)
{
    if (!s->auth.on)
        return "503 auth not available (#5.3.3)";
    if (s->auth.done)
        return "503 you're already authenticated (#5.5.0)";
    if (s->mail_given)
        return "503 no auth during mail transaction (#5.5.0)";
    if (!is_safe(s))
        return "538 auth not available without TLS (#5.3.3)";
    return NULL;
}

void smtpd_auth_command(struct smtpd *s, struct view argument)
{
    struct secret secret = {0};
    struct view initial = argument;
    struct view mechanism = view_cut(&initial, ' ');
    const char *no = objection(s);

    while (initial.len && initial.data[0] == ' ')
        initial = view_from(initial, 1);
    if (no) {
        smtpd_reply(s, no);
    } else if (view_is_case(mechanism, "PLAIN")) {
        if (plain(s, initial, &secret))
            conclude(s, &secret, "plain");
    } else if (view_is_case(mechanism, "LOGIN")) {
        if (login(s, initial, &secret))
            conclude(s, &secret, "login");
    } else {
        smtpd_reply(s, "504 auth type unimplemented (#5.5.1)");
    }
    bytes_wipe(&secret.plain);
    bytes_wipe(&secret.pair);
    bytes_wipe(&s->line);
    reader_wipe(&s->connection.in);
    bytes_free(&secret.plain);
    bytes_free(&secret.pair);
}
