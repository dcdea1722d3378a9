#include "mail/account.h"

#include "base/error.h"
#include "base/heap.h"

#include <errno.h>
#include <pwd.h>
#include <sys/stat.h>

enum {
    FIRST_ROOM = 1024, /* for one entry of the password database */
    MAX_ROOM = 1024 * 1024
};

/* Asks about the first len bytes of local. */
static enum account_result ask_part(struct view local, size_t len, account_asked *ask,
                                    struct account *a)
{
    char name[ACCOUNT_MAX_NAME + 1];
    if (len > ACCOUNT_MAX_NAME)
        return ACCOUNT_ABSENT;
    for (size_t i = 0; i < len; i++)
        name[i] = byte_lower(local.data[i]);
    name[len] = '\0';
    return ask(name, false, a);
}

enum account_result account_find(struct view local, char separator, const char *alias,
                                 account_asked *ask, struct account *a)
{
    size_t len = local.len;
    for (;;) {
        enum account_result result = ask_part(local, len, ask, a);
        if (result == ACCOUNT_FOUND) {
            bool whole = len == local.len;
            a->dash = whole ? VIEW("") : VIEW("-");
            a->ext = view_from(local, whole ? len : len + 1);
        }
        if (result != ACCOUNT_ABSENT)
            return result;
        struct view before = view_before(local, len);
        len = view_find_last(before, separator);
        if (len == before.len)
            break;
    }
    a->dash = VIEW("-");
    a->ext = local;
    return ask(alias, true, a);
}

/* The conditions that make an account a user. */
static enum account_result check_user(struct bytes *home, uid_t uid)
{
    struct stat st;
    const char *path = bytes_cstring(home);
    if (uid == 0 || !path)
        return ACCOUNT_ABSENT;
    if (stat(path, &st) == -1)
        return error_is_temporary(errno) ? ACCOUNT_NFS : ACCOUNT_ABSENT;
    return st.st_uid == uid ? ACCOUNT_FOUND : ACCOUNT_ABSENT;
}

enum account_result account_take(bool any, const struct passwd_entry *entry,
                                 struct account *a)
{
    bytes_set(&a->user, entry->name);
    bytes_set(&a->home, entry->home);
    a->uid = entry->uid;
    a->gid = entry->gid;
    return any ? ACCOUNT_FOUND : check_user(&a->home, entry->uid);
}

/* getpwnam_r(3) with as much room as the entry needs; *entry is NULL where there
 * is none. Its errno value; some systems tell in this way that there is none. */
static int get_entry(const char *name, struct passwd *space, struct bytes *room,
                     struct passwd **entry)
{
    for (size_t need = FIRST_ROOM;; need *= 2) {
        bytes_reserve(room, need);
        int error = getpwnam_r(name, space, room->data, room->room, entry);
        if (error == EINTR || (error == ERANGE && need < MAX_ROOM))
            continue;
        if (error == ENOENT || error == ESRCH || error == EBADF || error == EPERM)
            error = 0;
        if (error)
            *entry = NULL;
        return error;
    }
}

enum account_result account_ask_system(const char *name, bool any, struct account *a)
{
    struct passwd space, *entry = NULL;
    struct bytes room = {0};

    int error = get_entry(name, &space, &room, &entry);
    enum account_result result = error ? ACCOUNT_DOWN : ACCOUNT_ABSENT;
    if (entry) {
        const struct passwd_entry found = {.name = view_of(entry->pw_name),
                                           .home = view_of(entry->pw_dir),
                                           .uid = entry->pw_uid,
                                           .gid = entry->pw_gid};
        result = account_take(any, &found, a);
    }
    bytes_free(&room);
    return result;
}
