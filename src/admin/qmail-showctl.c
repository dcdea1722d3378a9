/* qmail-showctl - explain the configuration.
 *
 * runs as  the caller, any user; trusts nothing that it prints
 * reads    HOME/control
 * fd 1     what was compiled in, each control file, names that mean nothing
 * exits    0, or 111 where the files are out of reach */
#include "admin/showctl.h"
#include "base/die.h"
#include "base/heap.h"
#include "base/identity.h"
#include "base/writer.h"
#include "conf.h"
#include "mail/control.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Prints what has been put together so far and ends. */
static _Noreturn void print_and_exit(const struct bytes *out, int code)
{
    if (!write_all(1, bytes_view(out)))
        code = DIE_TEMP;
    _exit(code);
}

static _Noreturn void give_up(struct bytes *out, const char *why)
{
    bytes_add_text(out, why);
    print_and_exit(out, DIE_TEMP);
}

/* What conf-* said, and the ids that the names have now. */
static void add_head(struct bytes *out)
{
    static const char *const users[] = {
        CONF_USER_ALIAS,  CONF_USER_DAEMON, CONF_USER_LOG,    CONF_USER_OWNER,
        CONF_USER_PASSWD, CONF_USER_QUEUE,  CONF_USER_REMOTE, CONF_USER_SEND};
    static const char *const groups[] = {CONF_GROUP_NOFILES, CONF_GROUP_QMAIL};

    bytes_add_format(out,
                     "qmail home directory: %s.\nuser-ext delimiter: %c.\n"
                     "paternalism (in decimal): %d.\nsilent concurrency limit: %d.\n"
                     "subdirectory split: %d.\nuser ids: ",
                     CONF_QMAIL, CONF_BREAK, CONF_PATRN, CONF_SPAWN, CONF_SPLIT);
    for (size_t i = 0; i < COUNT(users); i++) {
        bytes_add_text(out, i ? ", " : "");
        bytes_add_number(out, identity_user_or_die(users[i]));
    }
    bytes_add_text(out, ".\ngroup ids: ");
    for (size_t i = 0; i < COUNT(groups); i++) {
        bytes_add_text(out, i ? ", " : "");
        bytes_add_number(out, identity_group_or_die(groups[i]));
    }
    bytes_add_text(out, ".\n");
}

/* The directory of control files, open; we are in HOME. */
static DIR *open_control(struct bytes *out)
{
    if (chdir(CONF_QMAIL) == -1)
        give_up(out, "Oops! Unable to chdir to " CONF_QMAIL ".\n");
    if (chdir("control") == -1)
        give_up(out, "Oops! Unable to chdir to control.\n");
    DIR *dir = opendir(".");
    if (!dir)
        give_up(out, "Oops! Unable to open current directory.\n");
    if (chdir(CONF_QMAIL) == -1)
        give_up(out, "Oops! Unable to chdir to " CONF_QMAIL ".\n");
    return dir;
}

static int compare_names(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

/* Names in the directory that no program of ours reads, sorted. */
static void add_unknown(struct bytes *out, DIR *dir)
{
    char **names = NULL;
    size_t count = 0, room = 0;

    for (const struct dirent *entry; (entry = readdir(dir));) {
        const char *name = entry->d_name;
        if (showctl_is_known(name) || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        if (count == room) {
            room = room ? room * 2 : 16;
            names = heap_resize(names, room, sizeof(char *));
        }
        names[count] = heap_array(strlen(name) + 1, 1);
        memcpy(names[count++], name, strlen(name) + 1);
    }
    if (count)
        qsort(names, count, sizeof(char *), compare_names);
    for (size_t i = 0; i < count; i++) {
        bytes_add_byte(out, '\n');
        showctl_safe(out, view_of(names[i]));
        bytes_add_text(out, ": I have no idea what this file does.\n");
        heap_free(names[i]);
    }
    heap_free(names);
}

int main(void)
{
    struct bytes out = {0}, me = {0};

    heap_on_failure(die_of_memory);
    add_head(&out);
    DIR *dir = open_control(&out);
    enum control_result result = control_line("me", &me);
    if (result == CONTROL_FAILED)
        give_up(&out, "Oops! Trouble reading control/me.");
    for (const struct showctl_file *f = showctl_files; f->name; f++) {
        bytes_add_format(&out, "\n%s: ", f->name);
        showctl_explain(&out, f, result == CONTROL_READ ? &me : NULL);
    }
    add_unknown(&out, dir);
    closedir(dir);
    print_and_exit(&out, 0);
}
