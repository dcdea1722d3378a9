/* A host with two accounts and one that is closed, virtual domains, and no
 * users/cdb; then with a damaged one. */
#include "accept/mailbox.h"

#include "base/cdb.h"
#include "base/fd.h"

#include "fault.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_ROOM = 4096 };

static char top[PATH_ROOM];

/* Accounts: name, and the home below top. */
static const struct {
    const char *name, *home;
    enum account_result result;
} accounts[] = {
    {"joe", "joe", ACCOUNT_FOUND},       {"open", "open", ACCOUNT_FOUND},
    {"sticky", "sticky", ACCOUNT_FOUND}, {"gone", "gone", ACCOUNT_FOUND},
    {"alias", "alias", ACCOUNT_FOUND},   {"nfs", "", ACCOUNT_NFS},
    {"down", "", ACCOUNT_DOWN},
};

static enum account_result ask(const char *name, bool any, struct account *a)
{
    (void)any;
    for (size_t i = 0; i < COUNT(accounts); i++) {
        if (!view_is(view_of(name), accounts[i].name))
            continue;
        bytes_clear(&a->home);
        bytes_add_format(&a->home, "%s/%s", top, accounts[i].home);
        return accounts[i].result;
    }
    return ACCOUNT_ABSENT;
}

static const struct {
    const char *recipient;
    enum mailbox want;
} cases[] = {
    {"joe@here.test", MAILBOX_THERE},
    {"JOE@Here.Test", MAILBOX_THERE},
    {"joe", MAILBOX_THERE},
    {"joe-list@here.test", MAILBOX_THERE},
    {"joe-LIST@here.test", MAILBOX_THERE},
    {"joe-list-x@here.test", MAILBOX_NONE},
    {"joe-a-b-c@here.test", MAILBOX_THERE},
    {"joe-a-@here.test", MAILBOX_THERE},
    {"joe-a@here.test", MAILBOX_NONE},
    {"joe-d.o.t@here.test", MAILBOX_THERE},
    {"joe-@here.test", MAILBOX_NONE}, /* qmail-local wants .qmail- of it */
    {"nobody@here.test", MAILBOX_NONE},
    {"postmaster@here.test", MAILBOX_THERE},
    {"nobody", MAILBOX_NONE},
    {"@here.test", MAILBOX_THERE},
    {"", MAILBOX_THERE},
    {"nobody@far.test", MAILBOX_THERE},
    {"nobody%here.test@hack.test", MAILBOX_NONE},
    {"nobody%far.test@hack.test", MAILBOX_THERE},
    {"list@v.test", MAILBOX_THERE},
    {"other@v.test", MAILBOX_NONE},
    {"other@out.v.test", MAILBOX_THERE},
    {"one@single.test", MAILBOX_NONE},
    {"list@two.test", MAILBOX_THERE},
    {"two@single.test", MAILBOX_THERE},
    {"open-x@here.test", MAILBOX_THERE},   /* writable: mail waits */
    {"sticky-x@here.test", MAILBOX_THERE}, /* being changed: mail waits */
    {"gone@here.test", MAILBOX_THERE},
    {"gone-x@here.test", MAILBOX_UNSURE},
    {"nfs@here.test", MAILBOX_UNSURE},
    {"down-x@here.test", MAILBOX_UNSURE},
};

static void make_dir(const char *name, mode_t mode)
{
    mkdir(name, 0700);
    chmod(name, mode);
}

static void make_host(struct mailbox_places *places)
{
    make_dir("joe", 0755);
    make_file("joe/.qmail-list", VIEW("./Mailbox\n"));
    make_file("joe/.qmail-a-default", VIEW("|false\n"));
    make_file("joe/.qmail-d:o:t", VIEW(""));
    make_dir("open", 0777);
    make_dir("sticky", 01755);
    make_dir("alias", 0755);
    make_file("alias/.qmail-postmaster", VIEW("joe\n"));
    make_dir("control", 0755);
    make_file(
        "control/virtualdomains",
        VIEW("v.test:joe\nout.v.test:\none@single.test:joe\nlist@two.test:joe\n"));
    make_file("control/percenthack", VIEW("hack.test\n"));
    places->ask = ask;
}

static enum account_result nobody(const char *name, bool any, struct account *a)
{
    (void)name;
    (void)any;
    (void)a;
    return ACCOUNT_ABSENT;
}

static const struct {
    struct view key, data;
} assigned[] = {
    {VIEW_INIT(""), VIEW_INIT("")},
    {VIEW_INIT("!bad\0"), VIEW_INIT("bad\0x")},
    {VIEW_INIT("!super\0"), VIEW_INIT("root\0"
                                      "0\0"
                                      "0\0/root\0\0\0")},
    {VIEW_INIT("!there\0"), VIEW_INIT("there\0"
                                      "1\0"
                                      "1\0relative\0-\0x\0")},
};

/* What users/cdb says of them, and what cannot be looked for. */
static void doubtful(struct mailbox_places *places)
{
    const char *why = NULL;
    char path[PATH_ROOM + 20];
    int fd = fd_open("assigned", O_RDWR | O_CREAT, 0600);
    struct cdb_maker *m = cdb_make(fd);

    for (size_t i = 0; i < COUNT(assigned); i++)
        cdb_make_add(m, assigned[i].key, assigned[i].data);
    ok(cdb_make_finish(m), "users/cdb", "written");
    fd_close(&fd);
    snprintf(path, sizeof path, "%s/assigned", top);
    places->assign = path;
    for (size_t i = 1; i < COUNT(assigned); i++) {
        struct bytes name = {0};
        bytes_set(&name, view_from(assigned[i].key, 1));
        bytes_cut(&name, name.len - 1);
        bytes_add_text(&name, "@here.test");
        same_number(mailbox_find(places, bytes_view(&name), &why), MAILBOX_UNSURE,
                    bytes_cstring(&name));
        bytes_free(&name);
        ok(chdir(top) == 0, "back", NULL);
    }
    places->ask = nobody;
    same_number(mailbox_find(places, VIEW("joe@here.test"), &why), MAILBOX_UNSURE,
                "no alias");
    places->ask = ask;
    fault_at("open", 2, EMFILE);
    same_number(mailbox_find(places, VIEW("joe-x@here.test"), &why), MAILBOX_UNSURE,
                "no descriptor for .qmail files");
    fault_end();
}

int main(void)
{
    static struct mailbox_places places;
    struct bytes me = {0}, assign = {0};
    const char *why = "";

    scratch();
    if (!getcwd(top, sizeof top))
        return 111;
    umask(022);
    make_host(&places);
    ok(!route_rules_read(&places.rules, NULL), "neither locals nor me", NULL);
    control_list_free(&places.rules.locals);
    bytes_add_text(&me, "here.test");
    ok(route_rules_read(&places.rules, &me), "rules", "read");
    bytes_set(&places.rules.envnoathost, bytes_view(&me));
    bytes_add_format(&assign, "%s/cdb", top);
    places.assign = bytes_cstring(&assign);

    for (size_t i = 0; i < COUNT(cases); i++)
        same_number(mailbox_find(&places, view_of(cases[i].recipient), &why),
                    cases[i].want, cases[i].recipient);

    if (chdir(top) == -1)
        return 111;
    make_file("cdb", VIEW("too short"));
    same_number(mailbox_find(&places, VIEW("joe@here.test"), &why), MAILBOX_UNSURE,
                "users/cdb is damaged");
    same(view_of(why), VIEW("unable to read users/cdb"), "and says so");
    if (chdir(top) == -1)
        return 111;
    if (chdir(top) == 0)
        doubtful(&places);
    return tap_done();
}
