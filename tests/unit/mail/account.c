#include "mail/account.h"

#include "fault.h"
#include "tap.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is asked, in order, "name " or "name! " for any account; answers by name. */
static struct bytes asked;

static const struct {
    const char *name;
    enum account_result answer;
} answers[] = {
    {"joe", ACCOUNT_FOUND},
    {"joe-two", ACCOUNT_ABSENT},
    {"sue-ann", ACCOUNT_FOUND},
    {"sue", ACCOUNT_FOUND},
    {"nfs", ACCOUNT_NFS},
    {"down", ACCOUNT_DOWN},
    {"alias", ACCOUNT_FOUND},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", ACCOUNT_FOUND},
    {"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", ACCOUNT_FOUND},
};

static enum account_result ask(const char *name, bool any, struct account *a)
{
    bytes_add_text(&asked, name);
    bytes_add_text(&asked, any ? "! " : " ");
    for (size_t i = 0; i < COUNT(answers); i++) {
        if (strcmp(answers[i].name, name) != 0)
            continue;
        bytes_set(&a->user, view_of(name));
        return answers[i].answer;
    }
    return ACCOUNT_ABSENT;
}

static const struct {
    const char *local;
    char separator;
    const char *alias;
    enum account_result result;
    const char *user, *dash, *ext, *asked;
} cases[] = {
    {"joe", '-', "alias", ACCOUNT_FOUND, "joe", "", "", "joe "},
    {"JOE", '-', "alias", ACCOUNT_FOUND, "joe", "", "", "joe "},
    {"Joe-Ext", '-', "alias", ACCOUNT_FOUND, "joe", "-", "Ext", "joe-ext joe "},
    {"joe-", '-', "alias", ACCOUNT_FOUND, "joe", "-", "", "joe- joe "},
    {"joe-two-X", '-', "alias", ACCOUNT_FOUND, "joe", "-", "two-X",
     "joe-two-x joe-two joe "},
    {"sue-ann-x", '-', "alias", ACCOUNT_FOUND, "sue-ann", "-", "x",
     "sue-ann-x sue-ann "},
    {"joe+ext", '+', "alias", ACCOUNT_FOUND, "joe", "-", "ext", "joe+ext joe "},
    {"joe-ext", '+', "alias", ACCOUNT_FOUND, "alias", "-", "joe-ext",
     "joe-ext alias! "},
    {"Bill-X", '-', "alias", ACCOUNT_FOUND, "alias", "-", "Bill-X",
     "bill-x bill alias! "},
    {"-x", '-', "alias", ACCOUNT_FOUND, "alias", "-", "-x", "-x  alias! "},
    {"", '-', "alias", ACCOUNT_FOUND, "alias", "-", "", " alias! "},
    {"nobody", '-', "noalias", ACCOUNT_ABSENT, NULL, NULL, NULL, "nobody noalias! "},
    {"nfs-x", '-', "alias", ACCOUNT_NFS, NULL, NULL, NULL, "nfs-x nfs "},
    {"x", '-', "down", ACCOUNT_DOWN, NULL, NULL, NULL, "x down! "},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-x", '-', "alias", ACCOUNT_FOUND,
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "-", "x", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa "},
    {"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", '-', "alias", ACCOUNT_FOUND, "alias", "-",
     "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "alias! "},
};

int main(void)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct account a = {0};
        bytes_clear(&asked);
        enum account_result result = account_find(
            view_of(cases[i].local), cases[i].separator, cases[i].alias, ask, &a);
        same_number(result, cases[i].result, cases[i].local);
        same(bytes_view(&asked), view_of(cases[i].asked), cases[i].local);
        if (result == ACCOUNT_FOUND && cases[i].user) {
            same(bytes_view(&a.user), view_of(cases[i].user), "user");
            same(a.dash, view_of(cases[i].dash), "dash");
            same(a.ext, view_of(cases[i].ext), "ext");
        }
        bytes_free(&a.user);
        bytes_free(&a.home);
    }
    bytes_free(&asked);

    struct account a = {0};
    ok(account_ask_system("root", false, &a) == ACCOUNT_ABSENT, "root is no user",
       NULL);
    ok(account_ask_system("root", true, &a) == ACCOUNT_FOUND, "root is an account",
       NULL);
    same_number(a.uid, 0, "root's uid");
    ok(account_ask_system("no such name", true, &a) == ACCOUNT_ABSENT, "no account",
       NULL);
    static const struct {
        int error;
        enum account_result want;
    } system_says[] = {
        {EINTR, ACCOUNT_FOUND},  {ERANGE, ACCOUNT_FOUND}, {ENOENT, ACCOUNT_ABSENT},
        {ESRCH, ACCOUNT_ABSENT}, {EBADF, ACCOUNT_ABSENT}, {EPERM, ACCOUNT_ABSENT},
        {EIO, ACCOUNT_DOWN},     {ENOMEM, ACCOUNT_DOWN},
    };
    for (size_t i = 0; i < COUNT(system_says); i++) {
        fault_at("getpwnam_r", 1, system_says[i].error);
        same_number(account_ask_system("root", true, &a), system_says[i].want,
                    "the system's answer");
        ok(fault_end(), "the system's answer", "that of a failure");
    }
    fault_at("getpwnam_r", 0, ERANGE);
    same_number(account_ask_system("root", true, &a), ACCOUNT_DOWN,
                "never enough room");
    fault_end();

    const struct passwd_entry joe = {VIEW("joe"), VIEW("/"), 1000, 100},
                              owner = {VIEW("joe"), VIEW("home"), 1000, 100},
                              nul = {VIEW("joe"), VIEW("h\0"), 1000, 100};
    scratch();
    mkdir("home", 0700);
    same_number(account_take(false, &joe, &a), ACCOUNT_ABSENT, "another's home");
    same_number(account_take(true, &joe, &a), ACCOUNT_FOUND, "another's home, any");
    same_number(account_take(false, &nul, &a), ACCOUNT_ABSENT, "no path");
    fault_at("stat", 1, ENOENT);
    same_number(account_take(false, &joe, &a), ACCOUNT_ABSENT, "no home");
    fault_at("stat", 1, EIO);
    same_number(account_take(false, &joe, &a), ACCOUNT_NFS, "a home out of reach");
    fault_end();
    if (geteuid() == 0) {
        ok(chown("home", 1000, 100) == 0, "home", "given away");
        same_number(account_take(false, &owner, &a), ACCOUNT_FOUND, "a user");
    }
    bytes_free(&a.user);
    bytes_free(&a.home);
    return tap_done();
}
