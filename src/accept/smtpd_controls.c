#include "accept/smtpd.h"

#include "base/number.h"

#include <limits.h>
#include <stdlib.h>

/* The number that the environment gives for name. A value that is none leaves
 * what the control file says: in doubt the limit holds. */
static void from_environment(const char *name, uint64_t *n)
{
    const char *value = getenv(name);
    struct view rest = view_of(value ? value : "");
    uint64_t given;
    if (number_take(&rest, &given))
        *n = given;
}

static bool read_number(const char *control, const char *variable, uint64_t *n)
{
    if (control_size(control, n) == CONTROL_FAILED)
        return false;
    if (variable)
        from_environment(variable, n);
    return true;
}

static bool read_bad(struct smtpd_bad_lists *bad, const char *always,
                     const char *norelay)
{
    return control_read_list(always, &bad->always) != CONTROL_FAILED &&
           control_read_list(norelay, &bad->norelay) != CONTROL_FAILED;
}

static bool read_names(struct smtpd_policy *p)
{
    struct bytes me = {0};
    enum control_result result = control_line("me", &me);

    bytes_free(&me);
    if (result == CONTROL_FAILED)
        return false;
    if (control_line_or_me("smtpgreeting", NULL, &p->greeting) != CONTROL_READ)
        return false;
    result = control_line_or_me("localiphost", NULL, &p->literal_host);
    p->replace_literals = result == CONTROL_READ;
    return result != CONTROL_FAILED;
}

static bool read_timeout(struct smtpd_policy *p)
{
    uint64_t seconds = SMTPD_DEFAULT_TIMEOUT_S;
    if (control_number("timeoutsmtpd", &seconds) == CONTROL_FAILED)
        return false;
    p->timeout_s = seconds ? (unsigned)seconds : 1;
    return true;
}

static bool read_lists(struct smtpd_policy *p)
{
    if (!rcpthosts_open(&p->rcpthosts))
        return false;
    if (!read_bad(&p->bad_senders, "badmailfrom", "badmailfromnorelay"))
        return false;
    if (!read_bad(&p->bad_recipients, "badrcptto", "badrcpttonorelay"))
        return false;
    return getenv("NOBADHELO") || read_bad(&p->bad_helos, "badhelo", "badhelonorelay");
}

static bool read_limits(struct smtpd_policy *p)
{
    p->tarpit_delay_s = 5;
    if (!read_number("databytes", "DATABYTES", &p->max_bytes) ||
        !read_number("maxrcpt", "MAXRCPT", &p->max_recipients) ||
        !read_number("brtlimit", "BRTLIMIT", &p->max_refused) ||
        !read_number("tarpitcount", "TARPITCOUNT", &p->tarpit_count) ||
        !read_number("tarpitdelay", "TARPITDELAY", &p->tarpit_delay_s) ||
        !read_number("sessionmax", "SESSIONMAX", &p->session_s))
        return false;
    if (getenv("DISABLE_MAXRCPT"))
        p->max_recipients = 0;
    if (p->session_s > INT_MAX)
        p->session_s = INT_MAX;
    return true;
}

/* What has no control file. */
static void read_environment(struct smtpd_policy *p)
{
    uint64_t early = 0, check_relay = 0;

    from_environment("SMTPD_GREETDELAY", &p->greet_delay_s);
    if (p->greet_delay_s > INT_MAX)
        p->greet_delay_s = INT_MAX;
    from_environment("DROP_PRE_GREET", &early);
    p->drop_early_talkers = early == 1;
    p->allow_bare_cr = getenv("ALLOW_BARECR") != NULL;
    p->rcptcheck = getenv("RCPTCHECK");
    from_environment("RCPTCHECKRELAYCLIENT", &check_relay);
    p->rcptcheck_relay = check_relay > 0;
    p->log = getenv("SMTPD_LOG") != NULL;
}

bool smtpd_controls_read(struct smtpd_policy *p, const char **reply)
{
    *reply = "421 unable to read controls (#4.3.0)";
    if (!read_names(p) || !read_timeout(p) || !read_lists(p) || !read_limits(p))
        return false;
    read_environment(p);
    *reply = "421 unable to figure out my IP addresses (#4.3.0)";
    return ip_own_read(&p->own);
}
