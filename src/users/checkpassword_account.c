#include "users/checkpassword.h"

#include <errno.h>
#include <pwd.h>
#include <unistd.h>

static void set_string(struct bytes *b, const char *text)
{
    bytes_set(b, view_of(text ? text : ""));
    bytes_add_byte(b, '\0');
}

static bool take_hash(void *arg, const struct os_shadow *entry)
{
    struct checkpassword_account *a = arg;
    if (!checkpassword_is_hash(entry->hash))
        return false;
    set_string(&a->other_hash, entry->hash);
    return true;
}

/* Some systems tell in errno that there is no such name. */
static bool is_absent(int error)
{
    return error == 0 || error == ENOENT || error == ESRCH || error == EBADF ||
           error == EPERM;
}

static bool find_user(const char *name, struct checkpassword_account *a)
{
    struct passwd *entry;

    do {
        errno = 0;
        entry = getpwnam(name);
    } while (!entry && errno == EINTR);
    a->known = entry;
    if (!entry)
        return is_absent(errno);
    a->is_root = entry->pw_uid == 0;
    a->uid = entry->pw_uid;
    a->gid = entry->pw_gid;
    set_string(&a->name, entry->pw_name);
    set_string(&a->home, entry->pw_dir);
    set_string(&a->shell,
               entry->pw_shell && *entry->pw_shell ? entry->pw_shell : "/bin/sh");
    set_string(&a->hash, entry->pw_passwd);
    return true;
}

static const struct os_shadow no_aging = {
    .changed = -1, .max_days = -1, .inactive_days = -1, .expires = -1};

bool checkpassword_find(const char *name, struct checkpassword_account *a)
{
    bool asked = find_user(name, a);

    /* the shadow file is asked in any case, so that it takes its time */
    a->aging = no_aging;
    switch (os_shadow_find(name, &a->aging)) {
    case OS_SHADOW_FOUND:
        set_string(&a->hash, a->aging.hash);
        break;
    case OS_SHADOW_ABSENT:
        if (geteuid() != 0)
            asked = false; /* some libraries tell no better that we may not read it */
        break;
    case OS_SHADOW_FAILED:
        asked = false;
        break;
    }
    a->aging.hash = NULL; /* it lies in a->hash now */
    os_each_shadow(take_hash, a);
    return asked;
}
