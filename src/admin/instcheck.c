/* instcheck - compare a tree with what it should be: owners, modes, types.
 *
 * runs as  root, for what others may not see
 * writes   a line on fd 2 for each finding; changes nothing
 * exits    0, also with findings; 1 with findings where -e is the first
 *          argument; 111 when a directory cannot be entered */
#include "admin/install.h"
#include "base/die.h"
#include "base/error.h"
#include "base/heap.h"
#include "base/identity.h"
#include "base/writer.h"
#include "conf.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool has_findings;

static void warn(const char *deed, const char *what, const char *finding)
{
    struct bytes line = {0};
    bytes_add_text(&line, "instcheck: warning: ");
    bytes_add_text(&line, deed);
    bytes_add_text(&line, what);
    bytes_add_text(&line, finding);
    bytes_add_byte(&line, '\n');
    write_all(2, bytes_view(&line));
    bytes_free(&line);
    has_findings = true;
}

static void warn_of_stat(const char *what)
{
    struct bytes reason = {0};
    bytes_add_format(&reason, ": %s", error_text(errno));
    warn("unable to stat ", what, bytes_cstring(&reason));
    bytes_free(&reason);
}

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

/* Files are looked for in their directory, which therefore must be there. */
static void enter_dir_or_die(const struct install_entry *entry)
{
    if (!*entry->path)
        return;
    bool in_dir = entry->type == INSTALL_FILE || entry->type == INSTALL_PAGE;
    const char *dir = in_dir ? install_shown_dir(entry) : install_home();
    if (chdir(dir) == -1)
        die_temp("unable to switch to %s: %s", dir, error_text(errno));
}

static void compare(const struct install_entry *entry)
{
    struct stat st;
    uid_t uid = identity_user_or_die(entry->owner);
    gid_t gid = identity_group_or_die(CONF_GROUP_QMAIL);

    enter_dir_or_die(entry);
    const char *shown = install_shown(entry);
    if (stat(install_path(entry), &st) == -1) {
        if (errno == EACCES)
            die_temp("unable to switch to %s: %s", install_shown_dir(entry),
                     error_text(errno));
        if (errno != ENOENT)
            warn_of_stat(shown);
        else if (entry->type != INSTALL_PAGE)
            warn("", shown, " does not exist");
        return;
    }
    if (st.st_uid != uid)
        warn("", shown, " has wrong owner");
    if (st.st_gid != gid)
        warn("", shown, " has wrong group");
    if ((st.st_mode & 07777) != entry->mode)
        warn("", shown, " has wrong permissions");
    if (!has_type(st.st_mode, entry->type))
        warn("", shown, " has wrong type");
}

int main(int argc, char **argv)
{
    die_name("instcheck");
    heap_on_failure(die_of_memory);
    bool tells_by_status = argc > 1 && strcmp(argv[1], "-e") == 0;
    if (tells_by_status) {
        argv[1] = argv[0];
        argc--;
        argv++;
    }
    install_each(install_queue_only_or_die(argc, argv), compare);
    return tells_by_status && has_findings ? 1 : 0;
}
