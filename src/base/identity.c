#include "base/identity.h"

#include "base/bytes.h"
#include "base/die.h"
#include "base/fd.h"
#include "base/heap.h"
#include "base/number.h"
#include "base/os.h"
#include "base/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

enum { PASSWD_STEP = 4096, PASSWD_MAX_LINE = 65536 };

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

/* A line of the password file: its name and id, if it has them (passwd(5)). */
static bool read_passwd_line(struct view line, struct view *name, uid_t *uid)
{
    uint64_t id;

    *name = view_cut(&line, ':');
    view_cut(&line, ':');
    if (!number_exact(view_cut(&line, ':'), (uid_t)-2, &id))
        return false;
    *uid = (uid_t)id;
    return true;
}

/* Looks the names up in the password file, and marks those that are there. */
static void find_in_passwd(const char *const names[], uid_t uids[], bool found[],
                           size_t count)
{
    static struct reader in;
    struct bytes line = {0};
    struct view name;
    uid_t uid;
    size_t missing = count;

    int fd = fd_open("/etc/passwd", O_RDONLY, 0);
    reader_open(&in, fd, 0);
    reader_step(&in, PASSWD_STEP);
    while (missing > 0 &&
           reader_until(&in, '\n', PASSWD_MAX_LINE, &line) == READ_ITEM) {
        if (!read_passwd_line(bytes_view(&line), &name, &uid))
            continue;
        for (size_t i = 0; i < count; i++) {
            if (found[i] || !view_is(name, names[i]))
                continue;
            uids[i] = uid;
            found[i] = true;
            missing--;
        }
    }
    bytes_free(&line);
    fd_close(&fd);
}

void identity_users_or_die(const char *const names[], uid_t uids[], size_t count)
{
    bool *found = heap_array(count, sizeof *found);

    for (size_t i = 0; i < count; i++)
        found[i] = false;
    find_in_passwd(names, uids, found, count);
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
