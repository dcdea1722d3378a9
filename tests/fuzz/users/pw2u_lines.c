/* Any bytes as lines of a password file: the lines that come out are such as
 * qmail-newu takes, each for the address that it should be for. */
#include "users/newu.h"
#include "users/pw2u.h"

#include "fuzz.h"
#include "must.h"

/* What pw2u writes of a user, read again. */
static void check_lines(struct view lines, const struct pw2u_user *user,
                        bool extensions)
{
    struct newu_wildcards wildcards = {.list = {0}};
    struct bytes key = {0}, data = {0};
    size_t count = 0;

    for (; lines.len; count++) {
        must(view_has(lines, '\n'));
        struct view line = view_cut(&lines, '\n');
        if (line.data[0] == '.') /* no line of ours begins like that */
            abort();
        must(newu_read(line, &key, &data, &wildcards) == NEWU_RECORD);
        struct view rest = bytes_view(&data);
        must(view_equal(view_cut(&rest, '\0'), user->name));
        must(view_equal(view_cut(&rest, '\0'), user->uid_text));
        must(view_equal(view_cut(&rest, '\0'), user->gid_text));
        must(view_equal(view_cut(&rest, '\0'), user->home));
    }
    must(count == (extensions ? 2 : 1));
    bytes_free(&key);
    bytes_free(&data);
    bytes_free(&wildcards.list);
}

static void check_user(struct view line, const struct pw2u_options *options,
                       const struct pw2u_rules *rules, struct pw2u_accepted *accepted)
{
    struct bytes out = {0};
    struct pw2u_user user;
    size_t colons = 0;

    bool good = pw2u_user_read(line, &user);
    for (size_t i = 0; i < line.len; i++)
        colons += line.data[i] == ':';
    must(!good || (colons >= 6 && user.uid != 0 && !view_has(line, '\0')));
    if (!good || !pw2u_user_wanted(&user, options, rules))
        return;
    if (view_is_case(user.name, "alias") || view_is_case(user.name, "two"))
        return; /* more lines */
    pw2u_add_user(&out, &user, options, rules);
    check_lines(bytes_view(&out), &user, options->extensions);
    pw2u_accepted_add(accepted, &user);
    bytes_free(&out);
}

static void check_subuser(struct view line, const struct pw2u_options *options,
                          struct pw2u_accepted *accepted)
{
    struct bytes out = {0};
    struct pw2u_subuser sub;
    struct pw2u_user user;

    if (!pw2u_subuser_read(line, &sub) ||
        !pw2u_accepted_find(accepted, sub.user, &user))
        return;
    must(view_equal_case(user.name, sub.user));
    pw2u_add_subuser(&out, &sub, &user, options);
    check_lines(bytes_view(&out), &user, options->extensions);
    bytes_free(&out);
}

/* The first byte chooses the options. The lines are first a password file's, then
 * users/subusers. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view in = input_of(data, len);
    unsigned choice = take_number(&in);
    struct pw2u_options options = {.upper_case = choice & 1,
                                   .extensions = choice & 2,
                                   .separator = '-',
                                   .dash = VIEW("-")};
    struct pw2u_rules rules = {.include_all = true};
    struct pw2u_accepted accepted = {{0}, {0}};

    table_add(&rules.mailnames.table, VIEW("two"), VIEW("one:other"));
    table_add(&rules.exclude.table, VIEW("no"), VIEW("no"));
    for (struct view rest = in; rest.len;)
        check_user(view_cut(&rest, '\n'), &options, &rules, &accepted);
    for (struct view rest = in; rest.len;)
        check_subuser(view_cut(&rest, '\n'), &options, &accepted);
    pw2u_accepted_free(&accepted);
    table_free(&rules.mailnames.table);
    table_free(&rules.exclude.table);
    return 0;
}
