#include "admin/install.h"

#include "base/identity.h"
#include "conf.h"

#include <errno.h>
#include <sys/stat.h>

const char *const install_difference_texts[] = {
    [INSTALL_MISSING] = "does not exist", [INSTALL_OWNER] = "has wrong owner",
    [INSTALL_GROUP] = "has wrong group",  [INSTALL_MODE] = "has wrong permissions",
    [INSTALL_TYPE] = "has wrong type",    [INSTALL_UNSEEN] = NULL, /* has a reason */
};

static bool has_type(mode_t mode, enum install_type type)
{
    switch (type) {
    case INSTALL_DIR:
        return S_ISDIR(mode);
    case INSTALL_FIFO:
        return S_ISFIFO(mode);
    case INSTALL_FILE:
    case INSTALL_PAGE:
    case INSTALL_KEPT:
        break;
    }
    return S_ISREG(mode);
}

void install_compare(const struct install_entry *entry, install_found *found)
{
    struct stat st;
    uid_t uid = identity_user_or_die(entry->owner);
    gid_t gid = identity_group_or_die(CONF_GROUP_QMAIL);

    if (stat(install_path(entry), &st) == -1) {
        if (errno != ENOENT)
            found(entry, INSTALL_UNSEEN);
        else if (entry->type != INSTALL_PAGE)
            found(entry, INSTALL_MISSING);
        return;
    }
    if (st.st_uid != uid)
        found(entry, INSTALL_OWNER);
    if (st.st_gid != gid)
        found(entry, INSTALL_GROUP);
    if ((st.st_mode & 07777) != entry->mode)
        found(entry, INSTALL_MODE);
    if (!has_type(st.st_mode, entry->type))
        found(entry, INSTALL_TYPE);
}
