/* qmail-pw2u - users/assign from a password file.
 *
 * runs as  an admin who can see the homes; trusts the files in users/
 * fd 0     lines of a password file
 * fd 1     users/assign. Its last line, the dot, is written when all else went well
 * fd 2     one line if it fails
 * exits    0; 100 usage, 111 failed */
#include "base/die.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/heap.h"
#include "base/reader.h"
#include "base/signals.h"
#include "base/writer.h"
#include "conf.h"
#include "users/pw2u.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#define INCLUDE "users/include"
#define EXCLUDE "users/exclude"
#define MAILNAMES "users/mailnames"
#define SUBUSERS "users/subusers"
#define APPEND "users/append"

enum { MAX_LINE = 16 * 1024 * 1024 };

static _Noreturn void die_of_input(void)
{
    die_temp("unable to read input");
}

static _Noreturn void die_of_output(void)
{
    die_temp("unable to write output");
}

static _Noreturn void die_of_controls(void)
{
    die_temp("unable to read controls");
}

static void read_options_or_die(struct pw2u_options *options, char **argv)
{
    struct bytes complaint = {0};
    if (!pw2u_options_read(options, argv, &complaint))
        die_raw(DIE_PERM, "%s", bytes_cstring(&complaint));
}

/* The files opened from here on must not get the number of a closed descriptor. */
static void check_descriptors_or_die(void)
{
    if (fcntl(0, F_GETFD) == -1)
        die_of_input();
    if (fcntl(1, F_GETFD) == -1)
        die_of_output();
    if (!fd_fill_standard())
        die_of_controls();
}

static void read_rules_or_die(struct pw2u_rules *rules)
{
    enum control_result include = control_read_list_at(INCLUDE, &rules->include);
    rules->include_all = include == CONTROL_ABSENT;
    if (include == CONTROL_FAILED ||
        control_read_list_at(EXCLUDE, &rules->exclude) == CONTROL_FAILED ||
        control_read_map_at(MAILNAMES, &rules->mailnames) == CONTROL_FAILED)
        die_of_controls();
}

/* The open file, or -1 where there is none. */
static int open_or_die(const char *path)
{
    int fd = fd_open_read(path);
    if (fd == -1 && (errno != ENOENT || !file_is_absent(path)))
        die_of_controls();
    return fd;
}

/* The next line, without its line feed, which the last one may lack. */
static bool next_line_or_die(struct reader *in, struct bytes *line)
{
    switch (reader_until(in, '\n', MAX_LINE, line)) {
    case READ_ITEM:
        return true;
    case READ_END:
        return line->len > 0;
    case READ_TOO_LONG:
        die_of_memory();
        return false;
    case READ_FAILED:
        break;
    }
    die_of_input();
}

static bool is_accepted_or_die(const struct pw2u_user *user,
                               const struct pw2u_options *options,
                               const struct pw2u_rules *rules)
{
    if (!pw2u_user_wanted(user, options, rules))
        return false;
    switch (pw2u_check_home(user, options->homes)) {
    case PW2U_HOME_GOOD:
        return true;
    case PW2U_HOME_SKIP:
        return false;
    case PW2U_HOME_STOP:
        break;
    }
    die_temp("unable to stat %.*s", (int)user->home.len, user->home.data);
}

/* The lines of all users. Those that subusers may name are kept in accepted, unless
 * it is NULL. */
static void add_users_or_die(struct writer *out, const struct pw2u_options *options,
                             struct pw2u_accepted *accepted)
{
    static struct reader passwd;
    struct pw2u_rules rules = {0};
    struct bytes line = {0}, lines = {0};
    struct pw2u_user user;
    bool alias_found = false;

    read_rules_or_die(&rules);
    reader_open(&passwd, 0, 0);
    while (next_line_or_die(&passwd, &line)) {
        if (!pw2u_user_read(bytes_view(&line), &user) ||
            !is_accepted_or_die(&user, options, &rules))
            continue;
        bytes_clear(&lines);
        pw2u_add_user(&lines, &user, options, &rules);
        writer_add(out, bytes_view(&lines));
        if (accepted)
            pw2u_accepted_add(accepted, &user);
        alias_found = alias_found || view_is(user.name, CONF_USER_ALIAS);
    }
    if (!alias_found)
        die_temp("unable to find %s user", CONF_USER_ALIAS);
    bytes_free(&line);
    bytes_free(&lines);
    control_list_free(&rules.include);
    control_list_free(&rules.exclude);
    control_list_free(&rules.mailnames);
}

static void add_subusers_or_die(struct writer *out, int fd,
                                const struct pw2u_options *options,
                                struct pw2u_accepted *accepted)
{
    static struct reader subusers;
    struct bytes line = {0}, lines = {0};
    struct pw2u_subuser sub;
    struct pw2u_user user;

    reader_open(&subusers, fd, 0);
    while (next_line_or_die(&subusers, &line)) {
        if (!pw2u_subuser_read(bytes_view(&line), &sub))
            continue;
        if (!pw2u_accepted_find(accepted, sub.user, &user))
            die_temp("unable to find %.*s user for subuser", (int)sub.user.len,
                     sub.user.data);
        bytes_clear(&lines);
        pw2u_add_subuser(&lines, &sub, &user, options);
        writer_add(out, bytes_view(&lines));
    }
    bytes_free(&line);
    bytes_free(&lines);
}

/* The file as it is, with a line feed at its end. */
static void add_file_or_die(struct writer *out, int fd)
{
    static struct reader file;
    struct view piece;
    enum read_result result;
    bool ended = true;

    reader_open(&file, fd, 0);
    while ((result = reader_peek(&file, &piece)) == READ_ITEM) {
        writer_add(out, piece);
        ended = piece.data[piece.len - 1] == '\n';
        reader_skip(&file, piece.len);
    }
    if (result != READ_END)
        die_of_input();
    if (!ended)
        writer_add_byte(out, '\n');
}

int main(int argc, char **argv)
{
    static struct writer out;
    struct pw2u_options options;
    struct pw2u_accepted accepted = {0};

    (void)argc;
    die_name("qmail-pw2u");
    heap_on_failure(die_of_memory);
    signals_ignore(SIGPIPE); /* nobody reads on, or no room: a failed write */
    signals_ignore(SIGXFSZ);
    read_options_or_die(&options, argv);
    check_descriptors_or_die();
    if (chdir(CONF_QMAIL) == -1)
        die_temp("unable to chdir");
    int subusers = open_or_die(SUBUSERS), append = open_or_die(APPEND);

    writer_open(&out, 1, 0);
    add_users_or_die(&out, &options, subusers == -1 ? NULL : &accepted);
    if (subusers != -1)
        add_subusers_or_die(&out, subusers, &options, &accepted);
    if (append != -1)
        add_file_or_die(&out, append);
    pw2u_accepted_free(&accepted);
    writer_add_text(&out, ".\n");
    if (!writer_finish(&out, WRITER_FLUSH))
        die_of_output();
    return 0;
}
