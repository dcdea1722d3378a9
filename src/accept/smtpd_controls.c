#include "accept/smtpd.h"

#include <stdlib.h>

enum { DEFAULT_TARPIT_DELAY_S = 5 };

/* An absent file leaves the default; any other trouble ends the session. */
static bool good(enum control_result result)
{
    return result != CONTROL_FAILED;
}

/* me gives its name to the files that are absent. */
static bool read_names(struct smtpd_policy *p)
{
    struct bytes me = {0};
    enum control_result named = control_line("me", &me);
    enum control_result greeting = control_line("smtpgreeting", &p->greeting);
    enum control_result literal = control_line("localiphost", &p->literal_host);

    if (greeting == CONTROL_ABSENT && named == CONTROL_READ) {
        bytes_set(&p->greeting, bytes_view(&me));
        greeting = CONTROL_READ;
    }
    if (literal == CONTROL_ABSENT && named == CONTROL_READ) {
        bytes_set(&p->literal_host, bytes_view(&me));
        literal = CONTROL_READ;
    }
    bytes_free(&me);
    p->replace_literals = literal == CONTROL_READ;
    return good(named) && greeting == CONTROL_READ && good(literal);
}

static bool read_timeout(struct smtpd_policy *p)
{
    uint64_t seconds = SMTPD_DEFAULT_TIMEOUT_S;

    if (!good(control_number("timeoutsmtpd", &seconds)))
        return false;
    p->timeout_s = seconds ? (unsigned)seconds : 1;
    return true;
}

static bool read_bad_helos(struct smtpd_policy *p)
{
    if (getenv("NOBADHELO"))
        return true;
    return good(control_read_list("badhelo", &p->bad_helos.always)) &&
           good(control_read_list("badhelonorelay", &p->bad_helos.norelay));
}

static bool read_lists(struct smtpd_policy *p)
{
    return rcpthosts_open(&p->rcpthosts) &&
           good(control_read_list("badmailfrom", &p->bad_senders.always)) &&
           good(control_read_list("badmailfromnorelay", &p->bad_senders.norelay)) &&
           good(control_read_list("badrcptto", &p->bad_recipients.always)) &&
           good(control_read_list("badrcpttonorelay", &p->bad_recipients.norelay)) &&
           read_bad_helos(p);
}

static bool read_limits(struct smtpd_policy *p)
{
    p->tarpit_delay_s = DEFAULT_TARPIT_DELAY_S;
    return good(control_size("databytes", &p->max_bytes)) &&
           good(control_number("maxrcpt", &p->max_recipients)) &&
           good(control_number("brtlimit", &p->max_refused)) &&
           good(control_number("tarpitcount", &p->tarpit_count)) &&
           good(control_number("tarpitdelay", &p->tarpit_delay_s)) &&
           good(control_number("sessionmax", &p->session_s));
}

static void read_environment(struct smtpd_policy *p)
{
    uint64_t drop = 0, check_relay = 0;

    control_environment("DATABYTES", &p->max_bytes);
    control_environment("MAXRCPT", &p->max_recipients);
    if (getenv("DISABLE_MAXRCPT"))
        p->max_recipients = 0;
    control_environment("BRTLIMIT", &p->max_refused);
    control_environment("TARPITCOUNT", &p->tarpit_count);
    control_environment("TARPITDELAY", &p->tarpit_delay_s);
    control_environment("SESSIONMAX", &p->session_s);
    control_environment("SMTPD_GREETDELAY", &p->greet_delay_s);
    control_environment("DROP_PRE_GREET", &drop);
    p->drop_early_talkers = drop == 1;
    p->allow_bare_cr = getenv("ALLOW_BARECR") != NULL;
    p->rcptcheck = getenv("RCPTCHECK");
    control_environment("RCPTCHECKRELAYCLIENT", &check_relay);
    p->rcptcheck_relay = check_relay > 0;
    p->log = getenv("SMTPD_LOG") != NULL;
}

/* Times that are reckoned with in milliseconds. */
static void bound_times(struct smtpd_policy *p)
{
    uint64_t *const times[] = {&p->session_s, &p->tarpit_delay_s, &p->greet_delay_s};

    for (size_t i = 0; i < COUNT(times); i++)
        if (*times[i] > CONTROL_MAX_NUMBER)
            *times[i] = CONTROL_MAX_NUMBER;
}

bool smtpd_controls_read(struct smtpd_policy *p)
{
    if (!read_names(p) || !read_timeout(p) || !read_lists(p) || !read_limits(p))
        return false;
    read_environment(p);
    bound_times(p);
    return true;
}
