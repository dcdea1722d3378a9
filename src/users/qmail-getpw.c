/* qmail-getpw - the account of the system that an address belongs to.
 *
 * runs as  qmailp, started by qmail-lspawn where users/cdb has no answer; or
 *          anybody. The local part, its argument, is what a stranger wrote
 * fd 1     the answer: USER, uid, gid, HOMEDIR, DASH, EXT, each ended by a NUL
 * exits    0 when found, 100 without argument, else a code that qmail-lspawn
 *          takes over: 115 home out of reach, 116 no alias account, 118 password
 *          database out of reach, 119 no memory */
#include "base/die.h"
#include "base/heap.h"
#include "base/writer.h"
#include "conf.h"
#include "mail/account.h"
#include "mail/delivery.h"

#include <unistd.h>

static void out_of_memory(void)
{
    _exit(LOCAL_MEMORY);
}

static void add_string(struct bytes *out, struct view v)
{
    bytes_add(out, v);
    bytes_add_byte(out, '\0');
}

static void add_id(struct bytes *out, uint64_t id)
{
    bytes_add_number(out, id);
    bytes_add_byte(out, '\0');
}

static bool answer(const struct account *a)
{
    struct bytes out = {0};
    add_string(&out, bytes_view(&a->user));
    add_id(&out, a->uid);
    add_id(&out, a->gid);
    add_string(&out, bytes_view(&a->home));
    add_string(&out, a->dash);
    add_string(&out, a->ext);
    bool written = write_all(1, bytes_view(&out));
    bytes_free(&out);
    return written;
}

int main(int argc, char **argv)
{
    struct account a = {0};

    heap_on_failure(out_of_memory);
    if (argc < 2)
        return DIE_PERM;
    switch (account_find(view_of(argv[1]), CONF_BREAK, CONF_USER_ALIAS,
                         account_ask_system, &a)) {
    case ACCOUNT_FOUND:
        return answer(&a) ? LOCAL_OK : LOCAL_SYSTEM;
    case ACCOUNT_ABSENT:
        return LOCAL_NO_ALIAS;
    case ACCOUNT_NFS:
        return LOCAL_NFS;
    case ACCOUNT_DOWN:
        break;
    }
    return LOCAL_SYSTEM;
}
