#include "accept/smtpd.h"

#include "base/clock.h"

#include <stdlib.h>

static void add_greeting(struct smtpd *s, const char *code)
{
    writer_add_text(&s->connection.out, code);
    writer_add(&s->connection.out, bytes_view(&s->policy.greeting));
}

void smtpd_forget(struct smtpd *s)
{
    s->mail_given = false;
    bytes_clear(&s->sender);
    bytes_clear(&s->recipients);
    s->recipient_count = 0;
}

/* The small commands */

static void take_helo(struct smtpd *s, struct view name)
{
    smtpd_forget(s);
    bytes_set(&s->helo, name);
    s->helo_given = true;
}

static void helo(struct smtpd *s, struct view argument)
{
    take_helo(s, argument);
    add_greeting(s, "250 ");
    writer_add_text(&s->connection.out, "\r\n");
}

static void ehlo(struct smtpd *s, struct view argument)
{
    struct writer *out = &s->connection.out;

    take_helo(s, argument);
    add_greeting(s, "250-");
    writer_add_text(out, "\r\n");
    if (smtpd_tls_offered(s))
        writer_add_text(out, "250-STARTTLS\r\n");
    if (smtpd_auth_offered(s))
        writer_add_text(out, "250-AUTH LOGIN PLAIN\r\n");
    writer_add_text(out, "250-PIPELINING\r\n250-SIZE ");
    writer_add_number(out, s->policy.max_bytes);
    writer_add_text(out, "\r\n250 8BITMIME\r\n");
}

static void rset(struct smtpd *s, struct view argument)
{
    (void)argument;
    smtpd_forget(s);
    smtpd_reply(s, "250 flushed");
}

static void noop(struct smtpd *s, struct view argument)
{
    (void)argument;
    smtpd_reply(s, "250 ok");
}

static void vrfy(struct smtpd *s, struct view argument)
{
    (void)argument;
    smtpd_reply(s, "252 send some mail, i'll try my best");
}

static void help(struct smtpd *s, struct view argument)
{
    (void)argument;
    smtpd_reply(s,
                "214 see RFC 5321; this is reqmail, and its manual is qmail-smtpd(8)");
}

static void quit(struct smtpd *s, struct view argument)
{
    (void)argument;
    add_greeting(s, "221 ");
    writer_add_text(&s->connection.out, "\r\n");
    s->over = true;
    s->exit_code = 0;
}

static void unimplemented(struct smtpd *s, struct view argument)
{
    (void)argument;
    smtpd_reply(s, "502 unimplemented (#5.5.1)");
}

/* Finding commands */

enum {
    MAY_WAIT = 1, /* its reply may leave together with the next one's */
    LOGGED = 2    /* its refusals are worth a line of log */
};

struct command {
    const char *word;
    void (*run)(struct smtpd *s, struct view argument);
    unsigned flags;
};

static const struct command commands[] = {
    {"MAIL", smtpd_mail, MAY_WAIT | LOGGED},
    {"RCPT", smtpd_rcpt, MAY_WAIT | LOGGED},
    {"DATA", smtpd_data_command, LOGGED},
    {"HELO", helo, 0},
    {"EHLO", ehlo, 0},
    {"RSET", rset, MAY_WAIT},
    {"AUTH", smtpd_auth_command, LOGGED},
    {"STARTTLS", smtpd_starttls, 0},
    {"NOOP", noop, 0},
    {"VRFY", vrfy, 0},
    {"HELP", help, 0},
    {"QUIT", quit, 0},
};
static const struct command unknown = {"", unimplemented, 0};

static const struct command *find_command(struct view word)
{
    for (size_t i = 0; i < COUNT(commands); i++)
        if (view_is_case(word, commands[i].word))
            return &commands[i];
    return &unknown;
}

/* NULs, and CRs that the line does not end with: what stands behind them is seen
 * by one server and not by another. */
static bool has_hidden_bytes(struct view line)
{
    return view_has(line, '\0') || view_has(view_trim_end(line, "\r"), '\r');
}

static void execute(struct smtpd *s, struct view line)
{
    struct view argument = line;
    struct view word = view_cut(&argument, ' ');
    while (argument.len && argument.data[0] == ' ')
        argument = view_from(argument, 1);

    const struct command *command = find_command(word);
    s->logged = command->flags & LOGGED;
    s->address_of = SMTPD_NOBODY;
    command->run(s, argument);
    s->logged = false;
    if (!(command->flags & MAY_WAIT) && !connection_flush(&s->connection))
        smtpd_end(s, NULL);
}

/* Reading commands */

enum smtpd_line_result smtpd_read_line(struct smtpd *s)
{
    struct reader *in = &s->connection.in;

    switch (reader_until(in, '\n', SMTPD_MAX_AUTH_LINE, &s->line)) {
    case READ_ITEM:
        return SMTPD_LINE_READ;
    case READ_TOO_LONG:
        if (reader_skip_past(in, '\n') == READ_ITEM)
            return SMTPD_LINE_TOO_LONG;
        break;
    case READ_END:
    case READ_FAILED:
        break;
    }
    smtpd_input_failed(s);
    return SMTPD_LINE_GONE;
}

struct view smtpd_line(const struct smtpd *s)
{
    struct view line = bytes_view(&s->line);
    if (line.len && line.data[line.len - 1] == '\r')
        line.len--;
    return line;
}

/* Only AUTH, whose argument may be a whole password dialogue, may be longer than
 * other commands. */
static bool is_too_long(struct view line)
{
    return line.len > SMTPD_MAX_LINE && !view_starts_case(line, VIEW("AUTH "));
}

static void serve_command(struct smtpd *s)
{
    enum smtpd_line_result result = smtpd_read_line(s);

    if (result == SMTPD_LINE_GONE)
        return;
    if (result == SMTPD_LINE_TOO_LONG || is_too_long(bytes_view(&s->line)))
        smtpd_reply(s, "500 line too long (#5.5.2)");
    else if (has_hidden_bytes(smtpd_line(s)))
        smtpd_reply(s, "500 syntax error (#5.5.2)");
    else
        execute(s, smtpd_line(s));
    if (s->errors >= SMTPD_MAX_ERRORS && !s->over)
        smtpd_end(s, "421 too many errors (#4.7.0)");
}

/* The beginning */

/* Lets programs that do not wait for the greeting give themselves away. */
static void wait_before_greeting(struct smtpd *s)
{
    struct view early;

    if (s->policy.greet_delay_s == 0 || getenv("RELAYCLIENT"))
        return;
    if (!s->policy.drop_early_talkers) {
        smtpd_pause(s, s->policy.greet_delay_s);
        return;
    }
    struct reader *in = &s->connection.in;
    unsigned usual = s->connection.timeout_s;
    connection_timeout(&s->connection, (unsigned)s->policy.greet_delay_s);
    enum read_result result = reader_peek(in, &early);
    connection_timeout(&s->connection, usual);
    if (result == READ_ITEM)
        smtpd_end(s, "554 SMTP protocol violation");
    else if (connection_trouble(&s->connection) == CONNECTION_SILENT)
        in->error = 0; /* as it should be */
    else
        smtpd_input_failed(s);
}

static void greet(struct smtpd *s)
{
    wait_before_greeting(s);
    if (s->over)
        return;
    add_greeting(s, "220 ");
    writer_add_text(&s->connection.out, " ESMTP\r\n");
    if (!connection_flush(&s->connection))
        smtpd_end(s, NULL);
}

int smtpd_serve(struct smtpd *s)
{
    if (s->policy.session_s)
        connection_end_at(&s->connection,
                          clock_steady_ms() + (int64_t)s->policy.session_s * 1000);
    greet(s);
    while (!s->over)
        serve_command(s);
    if (!connection_flush(&s->connection))
        s->exit_code = 1;
    return s->exit_code;
}
