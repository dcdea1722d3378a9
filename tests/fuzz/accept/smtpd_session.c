/* A whole SMTP session from any bytes, next to a model of one.
 *
 * The first byte chooses the policy, the second how the queue program and TLS fare and
 * in what pieces the input comes; the rest is what the client says, up to a byte 29 in
 * the clear. The model follows input and replies: one reply a command, recipients in
 * transactions only, authentication and TLS once, and each message that is answered
 * with 250 queued as its text decoded by the table of RFC 5321, 4.5.2, no other. The
 * pieces make no difference. */
#include "accept/smtpd.h"

#include "fake.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

enum {
    POLICY_LIMITS = 1,
    POLICY_LISTS = 2,
    POLICY_AUTH = 4,
    POLICY_BARE_CR = 8,
    POLICY_RCPTCHECK = 16,
    POLICY_TLS = 32,
    POLICY_RELAY = 64,
    POLICY_REQUIRED = 128
};
enum { WORLD_VERDICT = 3, WORLD_NO_QUEUE = 3, WORLD_TLS_FAILS = 4, WORLD_PIECE = 4 };
enum { TLS_BEGINS = 29, LIMIT = 3, MAX_REPLY_LINE = 510, MAX_HOPS = 100 };

static struct smtpd s;
static char *const checker[] = {(char[]){"checker"}, NULL};

/* One run */

static void listed(struct control_list *list, const char *entry)
{
    table_add(&list->table, view_of(entry), view_of(entry));
}

static void choose_policy(unsigned choice)
{
    struct smtpd_policy *p = &s.policy;

    bytes_set(&p->greeting, VIEW("me.test"));
    bytes_set(&p->literal_host, VIEW("me.test"));
    p->replace_literals = true;
    p->rcpthosts.more_fd = -1;
    p->rcpthosts.all = !(choice & POLICY_LISTS);
    listed(&p->rcpthosts.list, ".test");
    if (choice & POLICY_LISTS) {
        listed(&p->bad_senders.always, "@.bad");
        listed(&p->bad_recipients.norelay, "a@b.test");
        listed(&p->bad_helos.always, ".bad");
    }
    if (choice & POLICY_LIMITS) {
        p->max_bytes = p->max_recipients = p->max_refused = LIMIT;
        p->tarpit_count = p->tarpit_delay_s = 1;
        p->session_s = 60;
    }
    p->allow_bare_cr = choice & POLICY_BARE_CR;
    p->rcptcheck = choice & POLICY_RCPTCHECK ? "rcptcheck" : NULL;
    s.auth.program = (char **)(uintptr_t)checker;
    s.auth.on = choice & POLICY_AUTH;
    s.auth.clear_text_allowed = !(choice & POLICY_TLS);
    s.auth.required = choice & POLICY_AUTH && choice & POLICY_REQUIRED;
    s.tls.offered = choice & POLICY_TLS;
    s.tls.required = choice & POLICY_TLS && choice & POLICY_REQUIRED;
}

/* Names of one or two bytes have the password b, so that the environment, which never
 * forgets a value, stays small. */
static int check_password(struct view secret)
{
    struct view name = view_cut(&secret, '\0');
    MUST(secret.len >= 2 && view_ends(secret, VIEW("\0\0")));
    return name.len && name.len < 3 && view_starts(secret, VIEW("b\0")) ? 0 : 1;
}

static void forget(void)
{
    static const char *const variables[] = {"RELAYCLIENT", "TCPREMOTEINFO",
                                            "SMTPAUTHUSER", "SMTPAUTHMETHOD"};
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
    for (size_t i = 0; i < COUNT(variables); i++)
        unsetenv(variables[i]);
    memset(&s, 0, offsetof(struct smtpd, connection));
    memset(&s.auth, 0, sizeof s - offsetof(struct smtpd, auth));
}

struct input {
    unsigned policy, world;
    struct view clear, under_tls;
};

/* Serves it, at most so many bytes at a time. The exit code. */
static int serve(const struct input *input, unsigned most, struct bytes *output)
{
    unsigned verdict = input->world & WORLD_VERDICT;

    fake_begin();
    fake_program = check_password;
    fake_tls_fd = fake_input(input->under_tls, most);
    fake_tls_fails = input->world & WORLD_TLS_FAILS;
    fake_queue_begin(verdict == WORLD_NO_QUEUE ? ENQUEUE_QUEUED
                                               : (enum enqueue_verdict)verdict);
    fake_queue.cannot_start = verdict == WORLD_NO_QUEUE;
    fake_rcptcheck_asked = 0;
    choose_policy(input->policy);
    if (input->policy & POLICY_RELAY)
        setenv("RELAYCLIENT", "@relay", 1);
    connection_open(&s.connection, fake_input(input->clear, most), fake_output(output),
                    0);
    int code = smtpd_serve(&s);
    MUST(s.over);
    MUST(fake_rcptcheck_asked == 0 || input->policy & POLICY_RCPTCHECK);
    forget();
    fake_end();
    return code;
}

/* The model */

struct model {
    const struct input *input;
    struct view in, out, queued;
    bool tls, authenticated, mail, over;
    unsigned recipients, errors;
    int exit_code;
};

/* Takes the next reply, all its lines. Its number. */
static int take_reply(struct model *m)
{
    for (;;) {
        struct view line = view_cut(&m->out, '\n');
        MUST(line.len >= 5 && line.len <= MAX_REPLY_LINE + 1);
        MUST(line.data[line.len - 1] == '\r');
        line.len--;
        for (size_t i = 0; i < line.len; i++)
            MUST(line.data[i] >= 32 && line.data[i] <= 126);
        MUST(byte_is_digit(line.data[0]) && byte_is_digit(line.data[1]) &&
             byte_is_digit(line.data[2]));
        if (line.data[3] == '-')
            continue;
        MUST(line.data[3] == ' ');
        int number = atoi(line.data);
        m->errors += number == 500 || number == 502 || number == 555;
        if (number == 421) {
            m->over = true;
            m->exit_code = 1;
        }
        return number;
    }
}

/* Takes a line of the client's. False where there is no more. */
static bool take_line(struct model *m, struct view *line)
{
    if (!view_has(m->in, '\n')) {
        m->over = true;
        m->exit_code = 1;
        return false;
    }
    *line = view_cut(&m->in, '\n');
    return true;
}

enum text_result { TEXT_WHOLE, TEXT_BARE_LF, TEXT_GONE };

struct text {
    struct bytes stored;
    bool bare_cr;
    unsigned hops;
};

static bool is_hop(struct view line)
{
    struct view name = view_before(line, view_find(line, ':'));
    if (name.len == line.len)
        return false;
    name = view_trim_end(name, " \t");
    return view_is_case(name, "Received") || view_is_case(name, "Delivered-To");
}

/* Decodes the text behind DATA, as the table says. */
static enum text_result take_text(struct model *m, struct text *text)
{
    bool in_header = true;

    for (;;) {
        size_t lf = view_find(m->in, '\n');
        if (lf == m->in.len)
            return TEXT_GONE;
        if (lf == 0 || m->in.data[lf - 1] != '\r')
            return TEXT_BARE_LF;
        struct view line = view_before(m->in, lf - 1);
        m->in = view_from(m->in, lf + 1);
        if (view_is(line, "."))
            return TEXT_WHOLE;
        in_header = in_header && line.len;
        text->hops += in_header && is_hop(line);
        text->bare_cr = text->bare_cr || view_has(line, '\r');
        if (view_starts(line, VIEW(".")) && !view_starts(line, VIEW(".\r")))
            line = view_from(line, 1);
        bytes_add(&text->stored, line);
        bytes_add_byte(&text->stored, '\n');
    }
}

static int expected_answer(const struct model *m, const struct text *text)
{
    static const int numbers[] = {
        [ENQUEUE_QUEUED] = 250, [ENQUEUE_TEMP] = 451, [ENQUEUE_PERM] = 554};

    if (text->hops >= MAX_HOPS)
        return 554;
    if (m->input->policy & POLICY_LIMITS && text->stored.len > LIMIT)
        return 552;
    if (text->bare_cr && !(m->input->policy & POLICY_BARE_CR))
        return 554;
    return numbers[m->input->world & WORLD_VERDICT];
}

/* The next message in the queue is our field and that text, for so many. */
static void compare_queued(struct model *m, const struct text *text)
{
    struct view message, envelope;

    MUST(fake_queue_next(&m->queued, &message, &envelope));
    MUST(view_starts(message, VIEW("Received: from ")));
    view_cut(&message, '\n');
    MUST(view_starts(message, VIEW("  by ")));
    view_cut(&message, '\n');
    MUST(view_equal(message, bytes_view(&text->stored)));
    MUST(view_starts(view_cut(&envelope, '\0'), VIEW("F")));
    for (unsigned i = 0; i < m->recipients; i++)
        MUST(view_starts(view_cut(&envelope, '\0'), VIEW("T")));
    MUST(envelope.len == 0);
}

static void follow_text(struct model *m)
{
    struct text text = {0};

    switch (take_text(m, &text)) {
    case TEXT_WHOLE:
        MUST(take_reply(m) == expected_answer(m, &text));
        if (expected_answer(m, &text) == 250)
            compare_queued(m, &text);
        break;
    case TEXT_BARE_LF:
        MUST(take_reply(m) == 451);
        m->over = true;
        m->exit_code = 1;
        break;
    case TEXT_GONE:
        m->over = true;
        m->exit_code = 1;
        break;
    }
    bytes_free(&text.stored);
}

static void follow_data(struct model *m)
{
    switch (take_reply(m)) {
    case 354:
        MUST(m->mail && m->recipients);
        follow_text(m);
        m->mail = false;
        return;
    case 451:
        MUST(m->mail && m->recipients);
        MUST((m->input->world & WORLD_VERDICT) == WORLD_NO_QUEUE);
        m->mail = false;
        return;
    case 503:
        MUST(!m->mail || m->recipients == 0);
        return;
    default:
        MUST(false); /* no other is a reply to DATA */
    }
}

static void follow_mail(struct model *m)
{
    int reply = take_reply(m);

    MUST(reply == 250 || reply == 530 || reply == 552 || reply == 555);
    if (reply == 250) {
        MUST(!(m->input->policy & POLICY_REQUIRED) ||
             ((m->tls || !(m->input->policy & POLICY_TLS)) &&
              (m->authenticated || !(m->input->policy & POLICY_AUTH))));
        m->mail = true;
        m->recipients = 0;
    } else if (reply == 552) {
        MUST(m->input->policy & POLICY_LIMITS);
        m->mail = false;
    }
}

static void follow_rcpt(struct model *m)
{
    int reply = take_reply(m);

    MUST(m->mail != (reply == 503));
    if (reply != 250)
        return;
    m->recipients++;
    MUST(!(m->input->policy & POLICY_LIMITS) || m->recipients <= LIMIT);
}

static void follow_auth(struct model *m)
{
    struct view answer;
    int reply, questions = 0;

    while ((reply = take_reply(m)) == 334) {
        MUST(++questions <= 2);
        MUST(!m->authenticated && !m->mail);
        if (!take_line(m, &answer))
            return;
        MUST(m->out.len > 0);
    }
    if (reply != 235)
        return;
    MUST(!m->authenticated && !m->mail && m->input->policy & POLICY_AUTH);
    MUST(m->tls || !(m->input->policy & POLICY_TLS));
    m->authenticated = true;
}

static void follow_starttls(struct model *m)
{
    if (take_reply(m) != 220)
        return;
    MUST(m->input->policy & POLICY_TLS && !m->tls);
    m->tls = true;
    m->mail = false;
    m->in = m->input->under_tls;
    if (!(m->input->world & WORLD_TLS_FAILS))
        return;
    m->over = true;
    m->exit_code = 1;
}

static void follow_quit(struct model *m)
{
    MUST(take_reply(m) == 221);
    m->over = true;
    m->exit_code = 0;
}

static void follow_reset(struct model *m)
{
    MUST(take_reply(m) == 250);
    m->mail = false;
}

static void follow_small(struct model *m)
{
    int reply = take_reply(m);
    MUST(reply == 250 || reply == 252 || reply == 214);
}

static void follow_word(struct model *m, struct view word)
{
    static const struct {
        const char *word;
        void (*follow)(struct model *m);
    } words[] = {
        {"MAIL", follow_mail},  {"RCPT", follow_rcpt},         {"DATA", follow_data},
        {"AUTH", follow_auth},  {"STARTTLS", follow_starttls}, {"QUIT", follow_quit},
        {"RSET", follow_reset}, {"HELO", follow_reset},        {"EHLO", follow_reset},
        {"NOOP", follow_small}, {"VRFY", follow_small},        {"HELP", follow_small}};

    for (size_t i = 0; i < COUNT(words); i++)
        if (view_is_case(word, words[i].word)) {
            words[i].follow(m);
            return;
        }
    MUST(take_reply(m) == 502);
}

static bool is_no_command(struct view line)
{
    bool is_auth = view_starts_case(line, VIEW("AUTH "));
    if (line.len > SMTPD_MAX_AUTH_LINE || (line.len > SMTPD_MAX_LINE && !is_auth))
        return true;
    return view_has(line, '\0') || view_has(view_trim_end(line, "\r"), '\r');
}

static int follow(const struct input *input, struct view output)
{
    struct model m = {.input = input,
                      .in = input->clear,
                      .out = output,
                      .queued = bytes_view(&fake_queue.queued)};
    struct view line;

    MUST(take_reply(&m) == 220);
    while (!m.over && take_line(&m, &line)) {
        if (is_no_command(line)) {
            MUST(take_reply(&m) == 500);
        } else {
            if (line.len && line.data[line.len - 1] == '\r')
                line.len--;
            follow_word(&m, view_cut(&line, ' '));
        }
        if (!m.over && m.errors >= SMTPD_MAX_ERRORS)
            MUST(take_reply(&m) == 421);
    }
    MUST(m.out.len == 0 && m.queued.len == 0);
    return m.exit_code;
}

static void cut_at_tls(struct view said, struct input *input)
{
    input->under_tls = said;
    input->clear = view_cut(&input->under_tls, TLS_BEGINS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct bytes output, again, queued;
    struct input input;

    if (len < 2)
        return 0;
    input.policy = data[0];
    input.world = data[1];
    cut_at_tls(view_at((const char *)data + 2, len - 2), &input);
    bytes_clear(&output);
    bytes_clear(&again);

    int code = serve(&input, 0, &output);
    MUST(code == follow(&input, bytes_view(&output)));
    bytes_set(&queued, bytes_view(&fake_queue.queued));
    MUST(serve(&input, 1 + (input.world >> WORLD_PIECE), &again) == code);
    MUST(view_equal(bytes_view(&again), bytes_view(&output)));
    MUST(view_equal(bytes_view(&fake_queue.queued), bytes_view(&queued)));
    return 0;
}
