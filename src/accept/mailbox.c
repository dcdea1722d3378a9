#include "accept/mailbox.h"

#include "base/fd.h"
#include "conf.h"
#include "mail/address.h"
#include "mail/assign.h"
#include "mail/dotqmail.h"

#include <errno.h>

/* What decides about .qmail files. */
struct owner {
    const char *home;
    struct view dash, ext;
};

static enum mailbox unsure(const char *reason, const char **why)
{
    *why = reason;
    return MAILBOX_UNSURE;
}

static bool is_no_right(int error)
{
    return error == EACCES || error == EPERM;
}

static enum mailbox find_file(const struct owner *o, const char **why)
{
    struct dotqmail_file file;
    enum mailbox answer = MAILBOX_THERE;

    enum dotqmail_result result = dotqmail_find(o->dash, o->ext, &file);
    if (result == DOTQMAIL_NONE)
        answer = MAILBOX_NONE;
    else if (result == DOTQMAIL_FAILED && !is_no_right(errno))
        answer = unsure("unable to look for .qmail files", why);
    fd_close(&file.fd);
    bytes_free(&file.name);
    return answer;
}

static enum mailbox look_at_home(const struct owner *o, const char **why)
{
    if (o->dash.len == 0)
        return MAILBOX_THERE; /* the default instructions are for it */
    if (o->home[0] != '/')
        return unsure("home directory is not an absolute path", why);
    switch (dotqmail_enter_home(o->home)) {
    case DOTQMAIL_HOME_ENTERED:
        return find_file(o, why);
    case DOTQMAIL_HOME_CLOSED:
    case DOTQMAIL_HOME_FAILED:
        return is_no_right(errno) ? MAILBOX_THERE
                                  : unsure("unable to enter home directory", why);
    case DOTQMAIL_HOME_WRITABLE:
    case DOTQMAIL_HOME_STICKY:
        break; /* qmail-local waits before it looks for files */
    }
    return MAILBOX_THERE;
}

static enum mailbox ask_accounts(const struct mailbox_places *places, struct view local,
                                 const char **why)
{
    struct account a = {0};
    enum mailbox answer = MAILBOX_UNSURE;

    switch (account_find(local, CONF_BREAK, CONF_USER_ALIAS, places->ask, &a)) {
    case ACCOUNT_FOUND: {
        const struct owner o = {bytes_cstring(&a.home), a.dash, a.ext};
        answer = look_at_home(&o, why);
        break;
    }
    case ACCOUNT_ABSENT:
        answer = unsure("there is no account " CONF_USER_ALIAS, why);
        break;
    case ACCOUNT_NFS:
        answer = unsure("unable to look at a home directory", why);
        break;
    case ACCOUNT_DOWN:
        answer = unsure("unable to ask the password database", why);
        break;
    }
    bytes_free(&a.user);
    bytes_free(&a.home);
    return answer;
}

/* The owner of a local part of this host. */
static enum mailbox find_owner(const struct mailbox_places *places, struct view local,
                               const char **why)
{
    struct bytes entry = {0};
    struct assign a;
    enum mailbox answer = MAILBOX_UNSURE;

    if (local.len == 0)
        return MAILBOX_THERE; /* qmail-lspawn throws mail for @host away */
    switch (assign_lookup(places->assign, local, &entry, &a)) {
    case ASSIGN_FOUND: {
        const struct owner o = {a.home, view_of(a.dash), view_of(a.ext)};
        answer = look_at_home(&o, why);
        break;
    }
    case ASSIGN_ABSENT:
        answer = ask_accounts(places, local, why);
        break;
    case ASSIGN_FAILED:
        answer = unsure("unable to read users/cdb", why);
        break;
    case ASSIGN_BAD:
    case ASSIGN_ROOT:
        answer = unsure("users/cdb assigns the recipient to no user", why);
        break;
    }
    bytes_free(&entry);
    return answer;
}

enum mailbox mailbox_find(const struct mailbox_places *places, struct view recipient,
                          const char **why)
{
    struct bytes rewritten = {0};
    struct view local, domain;
    enum mailbox answer = MAILBOX_THERE;

    if (route_recipient(&places->rules, recipient, &rewritten) == ROUTE_LOCAL) {
        address_split(bytes_view(&rewritten), &local, &domain);
        answer = find_owner(places, local, why);
    }
    bytes_free(&rewritten);
    return answer;
}
