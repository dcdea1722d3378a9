#include "users/pw2u.h"

#include "tap.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *name;
    struct view line;
    bool good;
    uint64_t uid;
    const char *user, *uid_text, *gid_text, *home;
} lines[] = {
    {"all fields", VIEW_INIT("joe:x:507:100:J. Oe:/home/joe:/bin/sh"), true, 507, "joe",
     "507", "100", "/home/joe"},
    {"six colons", VIEW_INIT("joe:x:507:100:J. Oe:/home/joe:"), true, 507, "joe", "507",
     "100", "/home/joe"},
    {"more colons", VIEW_INIT("joe:::5::1:6::/home:x"), false, 0, "", "", "", ""},
    {"colons behind", VIEW_INIT("joe::5:6::/h:x:y:"), true, 5, "joe", "5", "6", "/h"},
    {"ids as text", VIEW_INIT("joe:x:012z:7y::h:"), true, 12, "joe", "012z", "7y", "h"},
    {"huge uid", VIEW_INIT("joe:x:4294967296:1::/h:"), true, 4294967296, "joe",
     "4294967296", "1", "/h"},
    {"empty fields", VIEW_INIT(":x:5::::"), true, 5, "", "5", "", ""},
    {"five colons", VIEW_INIT("joe:x:507:100:J. Oe:/home/joe"), false, 0, "", "", "",
     ""},
    {"empty line", VIEW_INIT(""), false, 0, "", "", "", ""},
    {"NUL", VIEW_INIT("joe:x:507:100:\0:/home/joe:"), false, 0, "", "", "", ""},
    {"root", VIEW_INIT("root:x:0:0::/root:"), false, 0, "", "", "", ""},
    {"root in disguise", VIEW_INIT("toor:x:000:0::/root:"), false, 0, "", "", "", ""},
    {"negative uid", VIEW_INIT("nobody:x:-2:1::/:"), false, 0, "", "", "", ""},
    {"no uid", VIEW_INIT("+::::::"), false, 0, "", "", "", ""},
};

static void check_lines(void)
{
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct pw2u_user user;
        bool good = pw2u_user_read(lines[i].line, &user);
        ok(good == lines[i].good, lines[i].name, "result");
        if (!good)
            continue;
        same_number(user.uid, lines[i].uid, lines[i].name);
        same(user.name, view_of(lines[i].user), lines[i].name);
        same(user.uid_text, view_of(lines[i].uid_text), lines[i].name);
        same(user.gid_text, view_of(lines[i].gid_text), lines[i].name);
        same(user.home, view_of(lines[i].home), lines[i].name);
    }
}

static void list(struct control_list *l, struct view name)
{
    table_add(&l->table, name, name);
}

static void check_wanted(void)
{
    struct pw2u_options options = {0};
    struct pw2u_rules rules = {.include_all = true};
    struct pw2u_user joe = {.name = VIEW("joe")}, sue = {.name = VIEW("Sue")};

    ok(pw2u_user_wanted(&joe, &options, &rules), "no rules", NULL);
    ok(!pw2u_user_wanted(&sue, &options, &rules), "capitals", NULL);
    options.upper_case = true;
    ok(pw2u_user_wanted(&sue, &options, &rules), "capitals allowed", NULL);
    list(&rules.exclude, VIEW("sue"));
    ok(!pw2u_user_wanted(&sue, &options, &rules), "excluded", NULL);
    ok(pw2u_user_wanted(&joe, &options, &rules), "another excluded", NULL);
    rules.include_all = false;
    ok(!pw2u_user_wanted(&joe, &options, &rules), "empty include", NULL);
    list(&rules.include, VIEW("JOE"));
    list(&rules.include, VIEW("sue"));
    ok(pw2u_user_wanted(&joe, &options, &rules), "included", NULL);
    ok(!pw2u_user_wanted(&sue, &options, &rules), "included and excluded", NULL);
    control_list_free(&rules.include);
    control_list_free(&rules.exclude);
}

static void check_homes(void)
{
    static const struct {
        const char *name, *home;
        bool other_owner;
        enum pw2u_homes homes;
        enum pw2u_home result;
    } cases[] = {
        {"own", ".", false, PW2U_HOMES_SKIP, PW2U_HOME_GOOD},
        {"own, must be there", ".", false, PW2U_HOMES_STOP, PW2U_HOME_GOOD},
        {"somebody else's", ".", true, PW2U_HOMES_SKIP, PW2U_HOME_SKIP},
        {"somebody else's, -h", ".", true, PW2U_HOMES_STOP, PW2U_HOME_SKIP},
        {"somebody else's, -H", ".", true, PW2U_HOMES_IGNORE, PW2U_HOME_GOOD},
        {"missing", "missing", false, PW2U_HOMES_SKIP, PW2U_HOME_SKIP},
        {"missing, -h", "missing", false, PW2U_HOMES_STOP, PW2U_HOME_STOP},
        {"missing, -H", "missing", false, PW2U_HOMES_IGNORE, PW2U_HOME_GOOD},
        {"empty name", "", false, PW2U_HOMES_SKIP, PW2U_HOME_SKIP},
        {"below a file", "file/x", false, PW2U_HOMES_SKIP, PW2U_HOME_STOP},
        {"link to itself", "loop", false, PW2U_HOMES_SKIP, PW2U_HOME_STOP},
        {"link to nowhere", "nowhere", false, PW2U_HOMES_SKIP, PW2U_HOME_SKIP},
    };
    char dir[] = "/tmp/pw2u.XXXXXX";

    if (!mkdtemp(dir) || chdir(dir) == -1 || symlink("loop", "loop") == -1 ||
        symlink("missing", "nowhere") == -1) {
        skip_rest("no scratch directory");
        return;
    }
    close(open("file", O_WRONLY | O_CREAT, 0600));
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pw2u_user user = {.home = view_of(cases[i].home),
                                 .uid = getuid() + (cases[i].other_owner ? 1u : 0)};
        same_number(pw2u_check_home(&user, cases[i].homes), cases[i].result,
                    cases[i].name);
    }
    /* the uid is compared whole, not its low half */
    struct pw2u_user user = {.home = VIEW("."), .uid = getuid() + (UINT64_C(1) << 32)};
    same_number(pw2u_check_home(&user, PW2U_HOMES_SKIP), PW2U_HOME_SKIP, "huge uid");
    unlink("file");
    unlink("loop");
    unlink("nowhere");
    ok(chdir("/") == 0 && rmdir(dir) == 0, "nothing is left", NULL);
}

int main(void)
{
    check_lines();
    check_wanted();
    check_homes();
    return tap_done();
}
