/* qmail-getpw - the account of the system that an address belongs to.
 *
 * runs as  qmailp, started by qmail-lspawn where users/cdb has no answer; or
 *          anybody. The local part, its argument, is what a stranger wrote
 * fd 1     the answer: USER, uid, gid, HOMEDIR, DASH, EXT, each ended by a NUL
 * exits    0 when found, 100 without argument, else a code that qmail-lspawn
 *          takes over: 115 home out of reach, 116 no alias account, 118 password
 *          database out of reach, 119 no memory
 *
 * Looks into the password file itself, which is quick. What that cannot answer
 * qmail-getpw-nss does, which asks libc and so all that nsswitch.conf names. */
#include "base/die.h"
#include "base/file.h"
#include "base/passwd.h"
#include "conf.h"
#include "mail/delivery.h"
#include "users/getpw.h"

#include <unistd.h>

/* One question: an account by its name. */
struct question {
    const char *name;
    bool any, asked;
    struct account *account;
    enum account_result result;
};

static struct passwd_sources sources;

static bool compare(void *arg, const struct passwd_entry *entry)
{
    struct question *q = arg;

    if (!view_is(entry->name, q->name))
        return false;
    q->result = account_take(q->any, entry, q->account);
    q->asked = true;
    return true;
}

/* ACCOUNT_DOWN: the file cannot tell. */
static enum account_result ask_file(const char *name, bool any, struct account *a)
{
    struct question q = {.name = name, .any = any, .account = a};

    if (!passwd_scan(compare, &q))
        return ACCOUNT_DOWN;
    if (q.asked)
        return q.result;
    return sources.file_only ? ACCOUNT_ABSENT : ACCOUNT_DOWN;
}

/* Whether the file is the first that libc would ask. */
static bool file_comes_first(void)
{
    enum { MAX = 65536 };
    struct bytes text = {0};

    if (file_read("/etc/nsswitch.conf", MAX, &text) == FILE_FAILED)
        return false;
    sources = passwd_sources(bytes_view(&text));
    bytes_free(&text);
    return sources.file_first;
}

int main(int argc, char **argv)
{
    struct account a = {0};

    if (argc < 2)
        return DIE_PERM;
    getpw_begin();
    if (file_comes_first()) {
        enum account_result result = getpw_find(argv[1], ask_file, &a);
        if (result != ACCOUNT_DOWN)
            return getpw_answer(result, &a);
    }
    execv(CONF_QMAIL "/bin/qmail-getpw-nss", argv);
    return LOCAL_SYSTEM;
}
