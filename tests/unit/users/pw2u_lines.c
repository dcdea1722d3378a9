#include "users/pw2u.h"

#include "conf.h"
#include "tap.h"

#define ALIAS CONF_USER_ALIAS

static const struct pw2u_options plain = {
    .extensions = true, .separator = '-', .dash = {"-", 1}};
static const struct pw2u_options slash = {
    .extensions = true, .separator = '+', .dash = {"-/", 2}};
static const struct pw2u_options no_break = {.separator = '-', .dash = {"-", 1}};

static const struct {
    const char *name, *user;
    const char *mailnames; /* NULL: none for this user */
    const struct pw2u_options *options;
    const char *want;
} users[] = {
    {"user", "pa", NULL, &plain, "=pa:pa:5:6:/h:::\n+pa-:pa:5:6:/h:-::\n"},
    {"directory, other separator", "pa", NULL, &slash,
     "=pa:pa:5:6:/h:::\n+pa+:pa:5:6:/h:-/::\n"},
    {"no separator", "pa", NULL, &no_break, "=pa:pa:5:6:/h:::\n"},
    {"mailnames", "pa", "P.A:b", &plain,
     "=P.A:pa:5:6:/h:::\n+P.A-:pa:5:6:/h:-::\n=b:pa:5:6:/h:::\n+b-:pa:5:6:/h:-::\n"},
    {"empty mailnames", "pa", "::b:", &no_break, "=b:pa:5:6:/h:::\n"},
    {"no mailnames", "pa", "", &plain, ""},
    {"alias", ALIAS, NULL, &plain,
     "+:" ALIAS ":5:6:/h:-::\n=" ALIAS ":" ALIAS ":5:6:/h:::\n+" ALIAS "-:" ALIAS
     ":5:6:/h:-::\n"},
    {"alias, no separator", ALIAS, NULL, &no_break,
     "+:" ALIAS ":5:6:/h:-::\n=" ALIAS ":" ALIAS ":5:6:/h:::\n"},
    {"alias without names", ALIAS, "", &slash, "+:" ALIAS ":5:6:/h:-/::\n"},
};

static struct pw2u_user user_of(const char *name)
{
    return (struct pw2u_user){.name = view_of(name),
                              .uid_text = VIEW("5"),
                              .gid_text = VIEW("6"),
                              .home = VIEW("/h"),
                              .uid = 5};
}

static void check_users(void)
{
    for (size_t i = 0; i < COUNT(users); i++) {
        struct pw2u_rules rules = {.include_all = true};
        struct pw2u_user user = user_of(users[i].user);
        struct bytes out = {0};
        table_add(&rules.mailnames.table, VIEW("other"), VIEW("x"));
        if (users[i].mailnames)
            table_add(&rules.mailnames.table, user.name, view_of(users[i].mailnames));
        pw2u_add_user(&out, &user, users[i].options, &rules);
        same(bytes_view(&out), view_of(users[i].want), users[i].name);
        bytes_free(&out);
        control_list_free(&rules.mailnames);
    }
}

static const struct {
    const char *name;
    struct view line;
    const struct pw2u_options *options;
    const char *want; /* NULL: no subuser */
} subusers[] = {
    {"subuser", VIEW_INIT("sub:pa:pre:"), &plain,
     "=sub:pa:5:6:/h:-:pre:\n+sub-:pa:5:6:/h:-:pre-:\n"},
    {"directory, other separator", VIEW_INIT("sub:pa:pre:"), &slash,
     "=sub:pa:5:6:/h:-/:pre:\n+sub+:pa:5:6:/h:-/:pre-:\n"},
    {"no separator", VIEW_INIT("sub:pa:pre:"), &no_break, "=sub:pa:5:6:/h:-:pre:\n"},
    {"more behind", VIEW_INIT("sub:pa:pre:x:y"), &no_break, "=sub:pa:5:6:/h:-:pre:\n"},
    {"empty prefix", VIEW_INIT("sub:pa::"), &no_break, "=sub:pa:5:6:/h:-::\n"},
    {"two colons", VIEW_INIT("sub:pa:pre"), &plain, NULL},
    {"empty", VIEW_INIT(""), &plain, NULL},
    {"NUL", VIEW_INIT("sub:pa:p\0:"), &plain, NULL},
};

static void check_subusers(void)
{
    for (size_t i = 0; i < COUNT(subusers); i++) {
        struct pw2u_subuser sub;
        struct pw2u_user user = user_of("pa");
        struct bytes out = {0};
        bool good = pw2u_subuser_read(subusers[i].line, &sub);
        ok(good == (subusers[i].want != NULL), subusers[i].name, "result");
        if (good) {
            same(sub.user, VIEW("pa"), subusers[i].name);
            pw2u_add_subuser(&out, &sub, &user, subusers[i].options);
            same(bytes_view(&out), view_of(subusers[i].want), subusers[i].name);
        }
        bytes_free(&out);
    }
}

static void check_accepted(void)
{
    struct pw2u_accepted accepted = {0};
    struct pw2u_user user;

    ok(!pw2u_accepted_find(&accepted, VIEW("joe"), &user), "nobody accepted", NULL);
    for (unsigned i = 0; i < 1000; i++) {
        struct bytes name = {0};
        bytes_add_format(&name, "User%u", i);
        user = user_of(bytes_cstring(&name));
        pw2u_accepted_add(&accepted, &user);
        bytes_free(&name);
    }
    user = user_of("uSer7");
    user.home = VIEW("/second:x"); /* cannot come from a line, but must not matter */
    pw2u_accepted_add(&accepted, &user);
    ok(!pw2u_accepted_find(&accepted, VIEW("user"), &user), "not accepted", NULL);
    ok(pw2u_accepted_find(&accepted, VIEW("uSER999"), &user), "any case", NULL);
    same(user.name, VIEW("User999"), "own case");
    same(user.uid_text, VIEW("5"), "uid");
    same(user.gid_text, VIEW("6"), "gid");
    same(user.home, VIEW("/h"), "home");
    ok(pw2u_accepted_find(&accepted, VIEW("user7"), &user), "twice", NULL);
    same(user.name, VIEW("uSer7"), "the last of two, its name");
    same(user.home, VIEW("/second:x"), "the last of two");
    pw2u_accepted_free(&accepted);
}

int main(void)
{
    check_users();
    check_subusers();
    check_accepted();
    return tap_done();
}
