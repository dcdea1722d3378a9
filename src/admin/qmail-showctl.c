/* qmail-showctl - explain the configuration, or look for what is wrong with it.
 *
 * runs as  the caller, any user; root sees all; trusts nothing that it prints
 * argv     -c: only what is wrong. -j: for programs, as JSON. -V: the version
 * reads    HOME/control; with -c all of HOME but the mail
 * fd 1     what was compiled in, each control file, names that mean nothing
 * exits    0, 1 with findings of -c, 100 usage, 111 where the files are out of reach */
#include "admin/showctl.h"
#include "base/die.h"
#include "base/dir.h"
#include "base/error.h"
#include "base/heap.h"
#include "base/identity.h"
#include "base/json.h"
#include "base/option.h"
#include "base/writer.h"
#include "conf.h"

#include <dirent.h>
#include <errno.h>
#include <unistd.h>

enum { FINDINGS = 1 };

struct wishes {
    bool check, json;
};

/* Prints what has been put together so far and ends. */
static _Noreturn void print_and_exit(const struct bytes *out, int code)
{
    if (!write_all(1, bytes_view(out)))
        code = DIE_TEMP;
    _exit(code);
}

static struct wishes read_options_or_die(char **argv)
{
    struct wishes wishes = {0};
    struct options options;

    options_begin(&options, argv);
    for (int letter; (letter = options_next(&options, "cjV")) != OPTION_END;) {
        if (letter == 'V') {
            struct bytes line = {0};
            bytes_add_text(&line, "reqmail " CONF_VERSION "\n");
            print_and_exit(&line, 0);
        }
        if (letter != 'c' && letter != 'j')
            die_raw(DIE_PERM, "qmail-showctl: usage: qmail-showctl [ -cj ] [ -V ]\n");
        wishes.check |= letter == 'c';
        wishes.json |= letter == 'j';
    }
    if (*options.rest)
        die_raw(DIE_PERM, "qmail-showctl: usage: qmail-showctl [ -cj ] [ -V ]\n");
    return wishes;
}

/* -- the listing */

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

/* Goes to HOME, once it is known that the files can be listed. */
static void enter_home(struct bytes *out)
{
    if (chdir(CONF_QMAIL) == -1)
        give_up(out, "Oops! Unable to chdir to " CONF_QMAIL ".\n");
    if (chdir("control") == -1)
        give_up(out, "Oops! Unable to chdir to control.\n");
    DIR *dir = opendir(".");
    if (!dir)
        give_up(out, "Oops! Unable to open current directory.\n");
    closedir(dir);
    if (chdir(CONF_QMAIL) == -1)
        give_up(out, "Oops! Unable to chdir to " CONF_QMAIL ".\n");
}

/* A name that no program of ours reads. */
static void add_unknown(void *out, const char *name)
{
    if (showctl_file_named(name))
        return;
    bytes_add_byte(out, '\n');
    showctl_safe(out, view_of(name));
    bytes_add_text(out, ": I have no idea what this file does.\n");
}

static _Noreturn void explain_all(void)
{
    struct bytes out = {0}, me = {0};

    add_head(&out);
    enter_home(&out);
    enum control_result result = control_line("me", &me);
    if (result == CONTROL_FAILED)
        give_up(&out, "Oops! Trouble reading control/me.");
    for (const struct showctl_file *f = showctl_files; f->name; f++) {
        bytes_add_format(&out, "\n%s: ", f->name);
        showctl_explain(&out, f, result == CONTROL_READ ? &me : NULL);
    }
    if (!dir_each_name("control", add_unknown, &out))
        give_up(&out, "Oops! Unable to open current directory.\n");
    print_and_exit(&out, 0);
}

/* -- the same for programs, and the checks */

static void enter_home_or_die(void)
{
    if (chdir(CONF_QMAIL) == -1 || access("control", X_OK) == -1)
        die_temp("unable to switch to " CONF_QMAIL
                 "/control: %s; make setup in the source folder makes it",
                 error_text(errno));
}

static void add_unknown_name(void *out, const char *name)
{
    if (showctl_file_named(name))
        return;
    json_add_comma(out);
    json_add_string(out, view_of(name));
}

static _Noreturn void print_json(void)
{
    struct bytes out = {0}, me = {0};

    bytes_add_byte(&out, '{');
    showctl_json_head(&out);
    enter_home_or_die();
    bool has_me = control_line("me", &me) == CONTROL_READ;
    json_add_name(&out, "control");
    bytes_add_byte(&out, '{');
    for (const struct showctl_file *f = showctl_files; f->name; f++)
        showctl_json_file(&out, f, has_me ? &me : NULL);
    bytes_add_byte(&out, '}');
    json_add_name(&out, "unknown");
    bytes_add_byte(&out, '[');
    if (!dir_each_name("control", add_unknown_name, &out))
        die_temp("unable to read " CONF_QMAIL "/control: %s", error_text(errno));
    bytes_add_text(&out, "]}\n");
    print_and_exit(&out, 0);
}

static _Noreturn void check(bool as_json)
{
    struct showctl_findings f = {.as_json = as_json};

    enter_home_or_die();
    if (as_json)
        bytes_add_text(&f.out, "{\"version\":\"" CONF_VERSION
                               "\",\"home\":\"" CONF_QMAIL "\",\"findings\":[");
    showctl_check_tree(&f);
    showctl_check_files(&f);
    showctl_check_together(&f);
    showctl_check_users(&f);
    if (as_json) {
        bytes_add_byte(&f.out, ']');
        json_add_bool(&f.out, "complete", f.unseen == 0);
        bytes_add_text(&f.out, "}\n");
    } else if (f.unseen)
        write_all(2, VIEW("qmail-showctl: warning: not everything could be looked at; "
                          "root can\n"));
    print_and_exit(&f.out, f.count ? FINDINGS : 0);
}

int main(int argc, char **argv)
{
    (void)argc;
    heap_on_failure(die_of_memory);
    struct wishes wishes = read_options_or_die(argv);
    if (wishes.check || wishes.json)
        die_name("qmail-showctl");
    if (wishes.check)
        check(wishes.json);
    if (wishes.json)
        print_json();
    explain_all();
}
