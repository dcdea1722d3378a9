#include "base/identity.h"

#include "base/bytes.h"
#include "base/die.h"
#include "base/heap.h"
#include "base/os.h"
#include "base/passwd.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

static _Noreturn void not_found(const char *kind, const char *name)
{
    die_name(NULL);
    die_temp("unable to find %s %s", kind, name);
}

bool identity_user(const char *name, uid_t *uid)
{
    const struct passwd *entry = getpwnam(name);
    if (entry)
        *uid = entry->pw_uid;
    return entry;
}

bool identity_group(const char *name, gid_t *gid)
{
    const struct group *entry = getgrnam(name);
    if (entry)
        *gid = entry->gr_gid;
    return entry;
}

uid_t identity_user_or_die(const char *name)
{
    uid_t uid;
    if (!identity_user(name, &uid))
        not_found("user", name);
    return uid;
}

/* The names that are being looked for. */
struct search {
    const char *const *names;
    uid_t *uids;
    bool *found;
    size_t count, missing;
};

static bool compare(void *arg, const struct passwd_entry *entry)
{
    struct search *s = arg;

    for (size_t i = 0; i < s->count; i++) {
        if (s->found[i] || !view_is(entry->name, s->names[i]))
            continue;
        s->uids[i] = entry->uid;
        s->found[i] = true;
        s->missing--;
    }
    return s->missing == 0;
}

void identity_users_or_die(const char *const names[], uid_t uids[], size_t count)
{
    bool *found = heap_array(count, sizeof *found);

    for (size_t i = 0; i < count; i++)
        found[i] = false;
    struct search s = {names, uids, found, count, count};
    passwd_scan(compare, &s);
    for (size_t i = 0; i < count; i++)
        if (!found[i])
            uids[i] = identity_user_or_die(names[i]);
    heap_free(found);
}

gid_t identity_group_or_die(const char *name)
{
    gid_t gid;
    if (!identity_group(name, &gid))
        not_found("group", name);
    return gid;
}

bool identity_become(const struct identity *who)
{
    if (geteuid() != 0) {
        bool same = getuid() == who->uid && geteuid() == who->uid;
        errno = EPERM;
        return same && getgid() == who->gid && getegid() == who->gid;
    }
    if (who->groups_of ? !os_set_groups_of(who->groups_of, who->gid)
                       : !os_set_groups(who->gid))
        return false;
    return os_set_gid(who->gid) && os_set_uid(who->uid);
}
