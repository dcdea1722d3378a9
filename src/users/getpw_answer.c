#include "users/getpw.h"

#include "base/heap.h"
#include "base/writer.h"
#include "conf.h"
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

static bool print(const struct account *a)
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

void getpw_begin(void)
{
    heap_on_failure(out_of_memory);
}

enum account_result getpw_find(const char *local, account_asked *ask, struct account *a)
{
    return account_find(view_of(local), CONF_BREAK, CONF_USER_ALIAS, ask, a);
}

int getpw_answer(enum account_result result, const struct account *a)
{
    switch (result) {
    case ACCOUNT_FOUND:
        return print(a) ? LOCAL_OK : LOCAL_SYSTEM;
    case ACCOUNT_ABSENT:
        return LOCAL_NO_ALIAS;
    case ACCOUNT_NFS:
        return LOCAL_NFS;
    case ACCOUNT_DOWN:
        break;
    }
    return LOCAL_SYSTEM;
}
