/* A whole session of qmail-popup, next to a model of one.
 *
 * The first byte chooses what TLS there is; the rest is what the client says, up to a
 * byte 29 in the clear. The program that checks the password gets what the client gave
 * and our timestamp, once at most, and finds on the connection what follows the
 * password, to the byte. */
#include "mailbox/popup.h"

#include "fake.h"
#include "fuzz.h"

#include <string.h>

enum { WORLD_TLS = 1, WORLD_REQUIRED = 2, WORLD_TLS_FAILS = 4, WORLD_DELAY = 8 };
enum { TLS_BEGINS = 29 };

static char *const checker[] = {(char[]){"checker"}, NULL};

struct input {
    unsigned world;
    struct view clear, under_tls;
};

/* What the program was given, and what it would read. */
static struct bytes secret, unread;
static unsigned logins;
static struct popup p;

static int check_password(struct view given)
{
    logins++;
    bytes_set(&secret, given);
    bytes_set(&unread, fake_unread(p.pop3.connection.in.fd));
    MUST(!reader_has(&p.pop3.connection.in));
    return given.data[0] == 'r' ? 1 : 0; /* r is refused */
}

static void serve(const struct input *input, struct bytes *output)
{
    fake_begin();
    fake_program = check_password;
    logins = 0;
    fake_tls_fd = fake_input(input->under_tls, 0);
    fake_tls_fails = input->world & WORLD_TLS_FAILS;
    p.tls.offered = input->world & WORLD_TLS;
    p.tls.required = input->world & WORLD_REQUIRED;
    p.tls_active = p.pop3.over = p.name_given = false;
    p.host = "me.test";
    p.program = (char **)(uintptr_t)checker;
    p.delay_s = input->world & WORLD_DELAY ? 5 : 0;
    bytes_clear(&p.timestamp);
    connection_open(&p.pop3.connection, fake_input(input->clear, 0),
                    fake_output(output), 0);
    popup_serve(&p);
    fake_end();
}

struct model {
    const struct input *input;
    struct view in, timestamp;
    struct bytes out, name, secret;
    bool name_given, tls, over;
    unsigned logins;
};

static void say(struct model *m, const char *text)
{
    bytes_add_text(&m->out, text);
    bytes_add_text(&m->out, "\r\n");
}

static void log_in(struct model *m, struct view name, struct view password)
{
    m->over = true;
    if (name.len + password.len > POPUP_MAX_SECRET) {
        say(m, "-ERR authorization failed");
        return;
    }
    m->logins++;
    bytes_add(&m->secret, name);
    bytes_add_byte(&m->secret, '\0');
    bytes_add(&m->secret, password);
    bytes_add_byte(&m->secret, '\0');
    bytes_add(&m->secret, m->timestamp);
    bytes_add_byte(&m->secret, '\0');
    if (m->secret.data[0] == 'r')
        say(m, "-ERR authorization failed");
}

static bool needs_tls(struct model *m)
{
    bool needs = m->input->world & WORLD_REQUIRED && !m->tls;
    if (needs)
        say(m, "-ERR STLS first");
    return needs;
}

static void user(struct model *m, struct view argument)
{
    if (needs_tls(m))
        return;
    if (argument.len) {
        bytes_set(&m->name, argument);
        m->name_given = true;
    }
    say(m, argument.len ? "+OK " : "-ERR syntax error");
}

static void pass(struct model *m, struct view argument)
{
    if (needs_tls(m))
        return;
    if (!m->name_given)
        say(m, "-ERR USER first");
    else if (argument.len == 0)
        say(m, "-ERR syntax error");
    else
        log_in(m, bytes_view(&m->name), argument);
}

static void apop(struct model *m, struct view argument)
{
    if (needs_tls(m))
        return;
    size_t space = view_find(argument, ' ');
    if (space == argument.len)
        say(m, "-ERR syntax error");
    else
        log_in(m, view_before(argument, space), view_from(argument, space + 1));
}

static void stls(struct model *m)
{
    if (m->tls) {
        say(m, "-ERR syntax error");
    } else if (!(m->input->world & WORLD_TLS)) {
        say(m, "-ERR authorization first");
    } else {
        say(m, "+OK ");
        m->over = m->input->world & WORLD_TLS_FAILS;
        m->tls = true;
        m->name_given = false;
        m->in = m->input->under_tls;
    }
}

static void capa(struct model *m)
{
    say(m, "+OK \r\nUSER\r\nTOP\r\nUIDL\r\nPIPELINING\r\nIMPLEMENTATION qmail");
    if (m->input->world & WORLD_TLS && !m->tls)
        say(m, "STLS");
    say(m, ".");
}

static void execute(struct model *m, struct view word, struct view argument)
{
    if (view_is_case(word, "USER"))
        user(m, argument);
    else if (view_is_case(word, "PASS"))
        pass(m, argument);
    else if (view_is_case(word, "APOP"))
        apop(m, argument);
    else if (view_is_case(word, "STLS"))
        stls(m);
    else if (view_is_case(word, "CAPA"))
        capa(m);
    else if (view_is_case(word, "NOOP"))
        say(m, "+OK ");
    else if (view_is_case(word, "QUIT")) {
        say(m, "+OK ");
        m->over = true;
    } else {
        say(m, "-ERR authorization first");
    }
}

static void follow(struct model *m)
{
    bytes_add_text(&m->out, "+OK ");
    bytes_add(&m->out, m->timestamp);
    say(m, "");
    while (!m->over && view_has(m->in, '\n')) {
        struct view argument = view_cut(&m->in, '\n');
        if (argument.len > POP3_MAX_LINE) {
            say(m, "-ERR line too long");
            continue;
        }
        if (argument.len && argument.data[argument.len - 1] == '\r')
            argument.len--;
        argument = view_before(argument, view_find(argument, '\0'));
        struct view word = view_cut(&argument, ' ');
        while (argument.len && argument.data[0] == ' ')
            argument = view_from(argument, 1);
        execute(m, word, argument);
    }
}

/* "<PID.TIME@HOST>" from the greeting. */
static struct view timestamp_of(struct view output)
{
    struct view line = view_trim_end(view_cut(&output, '\n'), "\r");
    MUST(view_starts(line, VIEW("+OK <")) && view_ends(line, VIEW("@me.test>")));
    return view_from(line, 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct bytes output;
    struct input input;

    if (len < 1)
        return 0;
    input.world = data[0];
    input.under_tls = view_at((const char *)data + 1, len - 1);
    input.clear = view_cut(&input.under_tls, TLS_BEGINS);
    bytes_clear(&output);
    serve(&input, &output);

    struct model m = {.input = &input,
                      .in = input.clear,
                      .timestamp = timestamp_of(bytes_view(&output))};
    follow(&m);
    MUST(view_equal(bytes_view(&output), bytes_view(&m.out)));
    MUST(logins == m.logins && logins <= 1);
    if (logins) {
        MUST(view_equal(bytes_view(&secret), bytes_view(&m.secret)));
        MUST(view_equal(bytes_view(&unread), m.in));
    }
    bytes_free(&m.out);
    bytes_free(&m.name);
    bytes_free(&m.secret);
    return 0;
}
