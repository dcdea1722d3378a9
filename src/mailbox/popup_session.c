#include "mailbox/popup.h"

#include "base/clock.h"

#include <poll.h>
#include <unistd.h>

static void reply(struct popup *p, const char *text)
{
    pop3_reply(&p->pop3, text);
}

static void wait_before_refusal(struct popup *p)
{
    int64_t end = clock_steady_ms() + (int64_t)p->delay_s * 1000;

    if (p->delay_s == 0 || !connection_flush(&p->pop3.connection))
        return;
    for (int64_t left; (left = end - clock_steady_ms()) > 0;)
        poll(NULL, 0, (int)left);
}

/* Login */

static void refuse(struct popup *p)
{
    wait_before_refusal(p);
    reply(p, "-ERR authorization failed");
}

/* name NUL password NUL timestamp NUL, in memory that need not grow. */
static void make_secret(const struct popup *p, struct view name, struct view password,
                        struct bytes *secret)
{
    const struct view parts[] = {name, password, bytes_view(&p->timestamp)};

    bytes_reserve(secret, name.len + password.len + p->timestamp.len + COUNT(parts));
    for (size_t i = 0; i < COUNT(parts); i++) {
        bytes_add(secret, parts[i]);
        bytes_add_byte(secret, '\0');
    }
}

static enum popup_login run(struct popup *p, struct view name, struct view password)
{
    struct bytes secret = {0};

    make_secret(p, name, password, &secret);
    bytes_wipe(&p->pop3.line); /* where password was */
    reader_wipe(&p->pop3.connection.in);
    enum popup_login result = popup_run(p->program, &secret);
    bytes_free(&secret);
    return result;
}

/* The one try of a session. */
static void login(struct popup *p, struct view name, struct view password)
{
    static const char *const replies[] = {
        [POPUP_CRASHED] = "-ERR aack, child crashed",
        [POPUP_NO_PIPE] = "-ERR unable to open pipe",
        [POPUP_NO_FORK] = "-ERR unable to fork",
        [POPUP_NOT_WRITTEN] = "-ERR unable to write pipe",
    };
    enum popup_login result = POPUP_REFUSED;

    p->pop3.over = true;
    if (name.len + password.len <= POPUP_MAX_SECRET) {
        if (!connection_flush(&p->pop3.connection))
            return; /* nobody there any more */
        result = run(p, name, password);
    }
    if (result == POPUP_REFUSED)
        refuse(p);
    else if (result != POPUP_SERVED)
        reply(p, replies[result]);
    bytes_wipe(&p->pop3.line);
}

/* Commands */

static bool tls_offered(const struct popup *p)
{
    return p->tls.offered && !p->tls_active;
}

/* No name or password in clear text where the admin wants TLS, whether or not it is
 * to be had. */
static bool wants_tls_first(struct popup *p)
{
    if (!p->tls.required || p->tls_active)
        return false;
    reply(p, "-ERR STLS first");
    return true;
}

static void user(void *session, struct view argument)
{
    struct popup *p = session;
    if (wants_tls_first(p))
        return;
    if (argument.len == 0) {
        reply(p, POP3_SYNTAX);
        return;
    }
    bytes_set(&p->name, argument);
    p->name_given = true;
    reply(p, POP3_OK);
}

static void pass(void *session, struct view argument)
{
    struct popup *p = session;
    if (wants_tls_first(p))
        return;
    if (!p->name_given)
        reply(p, "-ERR USER first");
    else if (argument.len == 0)
        reply(p, POP3_SYNTAX);
    else
        login(p, bytes_view(&p->name), argument);
}

static void apop(void *session, struct view argument)
{
    struct popup *p = session;
    struct view digest = argument;
    struct view name = view_cut(&digest, ' ');
    if (wants_tls_first(p))
        return;
    if (name.len == argument.len)
        reply(p, POP3_SYNTAX);
    else
        login(p, name, digest);
}

static void noop(void *session, struct view argument)
{
    (void)argument;
    reply(session, POP3_OK);
}

static void quit(void *session, struct view argument)
{
    struct popup *p = session;
    (void)argument;
    reply(p, POP3_OK);
    p->pop3.over = true;
}

static void capa(void *session, struct view argument)
{
    struct popup *p = session;
    (void)argument;
    pop3_capabilities(&p->pop3);
    if (tls_offered(p))
        reply(p, "STLS");
    pop3_list_end(&p->pop3);
}

/* What follows the password is for the mailbox program, so nothing may be read
 * ahead. */
static void read_no_further(struct popup *p)
{
    reader_step(&p->pop3.connection.in, 1);
}

static void stls(void *session, struct view argument)
{
    struct popup *p = session;
    (void)argument;
    if (p->tls_active) {
        reply(p, POP3_SYNTAX);
        return;
    }
    if (!tls_offered(p)) {
        reply(p, "-ERR authorization first");
        return;
    }
    reply(p, POP3_OK);
    if (!connection_flush(&p->pop3.connection) ||
        !ucspi_tls_start(&p->tls, &p->pop3.connection, POP3_TIMEOUT_S)) {
        p->pop3.over = true;
        return;
    }
    /* what was said in clear text may have been said by anybody */
    bytes_clear(&p->name);
    p->name_given = false;
    p->tls_active = true;
    read_no_further(p);
}

static const struct pop3_command commands[] = {
    {"USER", user}, {"PASS", pass}, {"APOP", apop}, {"NOOP", noop},
    {"QUIT", quit}, {"CAPA", capa}, {"STLS", stls}, {NULL, NULL},
};

static void greet(struct popup *p)
{
    bytes_add_byte(&p->timestamp, '<');
    bytes_add_number(&p->timestamp, (uint64_t)getpid());
    bytes_add_byte(&p->timestamp, '.');
    bytes_add_number(&p->timestamp, (uint64_t)clock_now());
    bytes_add_byte(&p->timestamp, '@');
    bytes_add_text(&p->timestamp, p->host);
    bytes_add_byte(&p->timestamp, '>');
    writer_add_text(&p->pop3.connection.out, POP3_OK);
    writer_add(&p->pop3.connection.out, bytes_view(&p->timestamp));
    writer_add_text(&p->pop3.connection.out, "\r\n");
}

void popup_serve(struct popup *p)
{
    read_no_further(p);
    greet(p);
    pop3_serve(&p->pop3, commands, "-ERR authorization first", p);
}
