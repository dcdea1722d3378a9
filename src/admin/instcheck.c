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
#include "base/writer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static bool has_findings;

static void warn(const struct install_entry *entry, enum install_difference difference)
{
    struct bytes line = {0};
    const char *shown = install_shown(entry),
               *text = install_difference_texts[difference];
    int reason = errno;

    if (difference == INSTALL_UNSEEN && reason == EACCES)
        die_temp("unable to switch to %s: %s", install_shown_dir(entry),
                 error_text(reason));
    bytes_add_text(&line, "instcheck: warning: ");
    if (difference == INSTALL_UNSEEN)
        bytes_add_format(&line, "unable to stat %s: %s\n", shown, error_text(reason));
    else
        bytes_add_format(&line, "%s %s\n", shown, text);
    write_all(2, bytes_view(&line));
    bytes_free(&line);
    has_findings = true;
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
    enter_dir_or_die(entry);
    install_compare(entry, warn);
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
