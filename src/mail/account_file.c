#include "base/file.h"
#include "mail/account.h"

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

bool account_file_begin(void)
{
    enum { MAX = 65536 };
    struct bytes text = {0};

    if (file_read("/etc/nsswitch.conf", MAX, &text) == FILE_FAILED)
        return false;
    sources = passwd_sources(bytes_view(&text));
    bytes_free(&text);
    return sources.file_first;
}

enum account_result account_ask_file(const char *name, bool any, struct account *a)
{
    struct question q = {.name = name, .any = any, .account = a};

    if (!passwd_scan(compare, &q))
        return ACCOUNT_DOWN;
    if (q.asked)
        return q.result;
    return sources.file_only ? ACCOUNT_ABSENT : ACCOUNT_DOWN;
}
