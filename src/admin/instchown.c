/* instchown - give everything in a tree its owner, group and mode.
 *
 * runs as  root; or as the one user whom conf-users names throughout
 * writes   owners and modes below HOME, nothing else
 * exits    0 done, 111 failed
 *
 * May be repeated at any time, also while the system runs. */
#include "admin/install.h"
#include "base/die.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/heap.h"
#include "base/identity.h"
#include "conf.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static _Noreturn void die_unable(const char *deed, const char *what)
{
    die_temp("unable to %s %s: %s", deed, what, error_text(errno));
}

static void give_owner(const struct install_entry *entry)
{
    uid_t uid = identity_user_or_die(entry->owner);
    gid_t gid = identity_group_or_die(CONF_GROUP_QMAIL);
    struct stat st;
    const char *name;

    int dir = install_open_dir(entry, &name);
    if (dir == -1) {
        bool is_home = !*entry->path;
        die_unable(is_home ? "open" : "switch to", install_shown_dir(entry));
    }
    int fd = install_open(entry, dir, name, O_RDONLY);
    fd_close(&dir);
    if (fd == -1 && errno == ENOENT && entry->type == INSTALL_PAGE)
        return;
    if (fd == -1 || fstat(fd, &st) == -1)
        die_unable("open", install_shown(entry));
    /* chown takes set-id bits away, so the mode comes after it; what is right
     * already is not touched, so that no program loses them for a moment */
    bool is_right = st.st_uid == uid && st.st_gid == gid;
    if (!is_right && fchown(fd, uid, gid) == -1)
        die_unable("chown", install_shown(entry));
    if ((!is_right || (st.st_mode & 07777) != entry->mode) &&
        fchmod(fd, entry->mode) == -1)
        die_unable("chmod", install_shown(entry));
    fd_close(&fd);
}

int main(int argc, char **argv)
{
    die_name("instchown");
    heap_on_failure(die_of_memory);
    install_each(install_queue_only_or_die(argc, argv), give_owner);
    return 0;
}
