#include "base/identity.h"

#include "fault.h"
#include "tap.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

static void user_missing(void *arg)
{
    (void)arg;
    identity_user_or_die("no-such-user-here");
}

static void one_missing(void *arg)
{
    const char *const names[] = {"root", "no-such-user-here"};
    uid_t uids[COUNT(names)];
    (void)arg;
    identity_users_or_die(names, uids, COUNT(names));
}

static void group_missing(void *arg)
{
    (void)arg;
    identity_group_or_die("no-such-group-here");
}

/* Exits 0 when the process has become who and there is no way back. */
static void become(void *arg)
{
    const struct identity *who = arg;
    gid_t groups[64];

    if (!identity_become(who))
        _exit(1);
    if (getuid() != who->uid || geteuid() != who->uid || getgid() != who->gid ||
        getegid() != who->gid)
        _exit(2);
    if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0 || setegid(0) == 0)
        _exit(3);
    int count = getgroups(64, groups);
    if (!who->groups_of && (count != 1 || groups[0] != who->gid))
        _exit(4);
    if (who->groups_of && count < 1)
        _exit(5);
    /* once more, without root: nothing to change */
    struct identity other = {who->uid + 1, who->gid, NULL};
    struct identity group = {who->uid, who->gid + 1, NULL};
    struct identity root = {0, 0, NULL};
    if (!identity_become(who) || identity_become(&other) || errno != EPERM ||
        identity_become(&group) || errno != EPERM || identity_become(&root))
        _exit(6);
    _exit(0);
}

/* Exits 0 when each of the steps, failing, leaves identity_become() failing. */
static void become_fails(void *arg)
{
    static const char *const calls[] = {"setresgid", "getresgid", "setresuid",
                                        "getresuid"};
    struct identity who = {65534, 65534, NULL}, named = {65534, 65534, "root"};
    (void)arg;
    fault_at("setgroups", 1, EPERM);
    if (identity_become(&who) || errno != EPERM)
        _exit(1);
    fault_at("initgroups", 1, ENOMEM);
    if (identity_become(&named) || errno != ENOMEM)
        _exit(2);
    for (int i = 0; i < (int)COUNT(calls); i++) {
        fault_at(calls[i], 1, EPERM);
        if (identity_become(&who) || geteuid() != (i == 3 ? 65534 : 0))
            _exit(10 + i);
    }
    _exit(0);
}

int main(void)
{
    struct bytes out = {0};
    const struct passwd *user = getpwuid(getuid());
    uid_t uid;
    gid_t gid;

    if (user)
        same_number(identity_user_or_die(user->pw_name), getuid(), "own user");
    if (user) {
        const char *const names[] = {"root", user->pw_name, "root"};
        uid_t uids[COUNT(names)] = {1, 1, 1};
        identity_users_or_die(names, uids, COUNT(names));
        same_number(uids[0], 0, "root");
        same_number(uids[1], getuid(), "own user among several");
        same_number(uids[2], 0, "root again");
    }
    const struct group *group = getgrgid(getgid());
    if (group)
        same_number(identity_group_or_die(group->gr_name), getgid(), "own group");
    ok(!identity_user("no-such-user-here", &uid), "no such user", NULL);
    ok(!identity_group("no-such-group-here", &gid), "no such group", NULL);
    same_number((uint64_t)run_apart(user_missing, NULL, &out), 111, "no such user");
    same(bytes_view(&out), VIEW("fatal: unable to find user no-such-user-here\n"),
         "no such user: text");
    bytes_clear(&out);
    same_number((uint64_t)run_apart(one_missing, NULL, &out), 111,
                "one of two missing");
    same(bytes_view(&out), VIEW("fatal: unable to find user no-such-user-here\n"),
         "one of two missing: text");
    bytes_clear(&out);
    same_number((uint64_t)run_apart(group_missing, NULL, &out), 111, "no such group");
    same(bytes_view(&out), VIEW("fatal: unable to find group no-such-group-here\n"),
         "no such group: text");
    bytes_free(&out);
    if (geteuid() != 0)
        skip_rest("not root");
    struct identity cases[] = {
        {65534, 65534, NULL}, {54321, 12345, NULL}, {65534, 65534, "root"}};
    for (size_t i = 0; i < COUNT(cases); i++)
        same_number((uint64_t)run_apart(become, &cases[i], NULL), 0, "become");
    same_number((uint64_t)run_apart(become_fails, NULL, NULL), 0, "a step fails");
    return tap_done();
}
