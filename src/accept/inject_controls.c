#include "accept/inject.h"
#include "base/die.h"

#include <stdlib.h>

/* The first line of control/NAME, else of control/me, else the name itself. The
 * environment, where it has something to say, wins. */
static void read_control_line(const char *name, const char *variable,
                              const struct bytes *me, struct bytes *value)
{
    switch (control_line(name, value)) {
    case CONTROL_READ:
        break;
    case CONTROL_ABSENT:
        bytes_set(value, me ? bytes_view(me) : view_of(name));
        break;
    case CONTROL_FAILED:
        die_temp("read error");
    }
    const char *instead = getenv(variable);
    if (instead)
        bytes_set(value, view_of(instead));
}

/* The tokens of a sign and a value behind it. */
static void make_tokens(struct tokens *tokens, char sign, const struct bytes *value)
{
    struct bytes text = {0};

    bytes_add_byte(&text, sign);
    bytes_add(&text, bytes_view(value));
    if (!tokens_read(tokens, bytes_view(&text)))
        inject_refuse_line(bytes_view(&text));
    bytes_free(&text);
}

void inject_defaults_read_or_die(struct inject_defaults *defaults)
{
    struct bytes me_line = {0}, domain = {0}, host = {0}, plus = {0};
    enum control_result result = control_line("me", &me_line);
    const struct bytes *me = result == CONTROL_READ ? &me_line : NULL;

    if (result == CONTROL_FAILED)
        die_temp("read error");
    read_control_line("defaultdomain", "QMAILDEFAULTDOMAIN", me, &domain);
    read_control_line("defaulthost", "QMAILDEFAULTHOST", me, &host);
    read_control_line("plusdomain", "QMAILPLUSDOMAIN", me, &plus);
    read_control_line("idhost", "QMAILIDHOST", me, &defaults->id_host);

    make_tokens(&defaults->dot_domain, '.', &domain);
    make_tokens(&defaults->at_host, '@', &host);
    make_tokens(&defaults->dot_plus, '.', &plus);
    bytes_free(&me_line);
    bytes_free(&domain);
    bytes_free(&host);
    bytes_free(&plus);
}
