#include "admin/install.h"
#include "admin/showctl.h"
#include "base/dir.h"
#include "base/error.h"
#include "base/identity.h"
#include "base/number.h"
#include "conf.h"
#include "mail/queue_dir.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct view nothing = {NULL, 0};

/* For the callbacks of the install list, which have no argument. */
static struct showctl_findings *findings;

static void find_whole(const char *path, const char *problem, const char *remedy)
{
    showctl_find(findings, (struct showctl_place){.path = path}, nothing, problem,
                 remedy);
}

/* -- accounts */

static bool check_user(const char *name, const char *group, const char *home)
{
    struct bytes problem = {0}, remedy = {0};
    uid_t uid;
    bool found = identity_user(name, &uid);

    if (!found) {
        bytes_add_format(&problem, "has no user %s, whom conf-users names", name);
        bytes_add_format(&remedy, "useradd -g %s -d %s -s /usr/sbin/nologin %s", group,
                         home, name);
        find_whole("/etc/passwd", bytes_cstring(&problem), bytes_cstring(&remedy));
    }
    bytes_free(&problem);
    bytes_free(&remedy);
    return found;
}

static bool check_group(const char *name)
{
    struct bytes problem = {0}, remedy = {0};
    gid_t gid;
    bool found = identity_group(name, &gid);

    if (!found) {
        bytes_add_format(&problem, "has no group %s, which conf-groups names", name);
        bytes_add_format(&remedy, "groupadd %s", name);
        find_whole("/etc/group", bytes_cstring(&problem), bytes_cstring(&remedy));
    }
    bytes_free(&problem);
    bytes_free(&remedy);
    return found;
}

static bool check_accounts(void)
{
    static const struct {
        const char *name, *group, *home;
    } users[] = {{CONF_USER_ALIAS, CONF_GROUP_NOFILES, CONF_QMAIL "/alias"},
                 {CONF_USER_DAEMON, CONF_GROUP_NOFILES, CONF_QMAIL},
                 {CONF_USER_LOG, CONF_GROUP_NOFILES, CONF_QMAIL},
                 {CONF_USER_OWNER, CONF_GROUP_QMAIL, CONF_QMAIL},
                 {CONF_USER_PASSWD, CONF_GROUP_NOFILES, CONF_QMAIL},
                 {CONF_USER_QUEUE, CONF_GROUP_QMAIL, CONF_QMAIL},
                 {CONF_USER_REMOTE, CONF_GROUP_QMAIL, CONF_QMAIL},
                 {CONF_USER_SEND, CONF_GROUP_QMAIL, CONF_QMAIL}};
    bool qmail = check_group(CONF_GROUP_QMAIL);
    bool nofiles = check_group(CONF_GROUP_NOFILES);
    bool found = qmail && nofiles;

    for (size_t i = 0; i < COUNT(users); i++)
        found = check_user(users[i].name, users[i].group, users[i].home) && found;
    return found;
}

/* -- the install list */

static void add_remedy(struct bytes *out, const struct install_entry *entry,
                       enum install_difference difference)
{
    switch (difference) {
    case INSTALL_OWNER:
        bytes_add_format(out, "chown %s it", entry->owner);
        if (entry->mode & (S_ISUID | S_ISGID))
            bytes_add_format(out, " and chmod %04o it", (unsigned)entry->mode);
        break;
    case INSTALL_GROUP:
        bytes_add_text(out, "chgrp " CONF_GROUP_QMAIL " it");
        if (entry->mode & (S_ISUID | S_ISGID))
            bytes_add_format(out, " and chmod %04o it", (unsigned)entry->mode);
        break;
    case INSTALL_MODE:
        bytes_add_format(out, "chmod %04o it", (unsigned)entry->mode);
        break;
    case INSTALL_MISSING:
        bytes_add_text(out, "make setup in the source folder");
        break;
    case INSTALL_TYPE:
    case INSTALL_UNSEEN:
        bytes_add_text(out, "move it away and make setup in the source folder");
        break;
    }
}

static void find_difference(const struct install_entry *entry,
                            enum install_difference difference)
{
    struct bytes problem = {0}, remedy = {0};
    const char *text = install_difference_texts[difference];

    if (difference == INSTALL_UNSEEN && errno == EACCES && geteuid() != 0) {
        findings->unseen++;
        return;
    }
    if (difference == INSTALL_UNSEEN)
        bytes_add_format(&problem, "cannot be looked at: %s", error_text(errno));
    else
        bytes_add_text(&problem, text);
    add_remedy(&remedy, entry, difference);
    find_whole(entry->path, bytes_cstring(&problem), bytes_cstring(&remedy));
    bytes_free(&problem);
    bytes_free(&remedy);
}

/* Manual pages, documents and boot scripts may be missing or edited. */
static void check_entry(const struct install_entry *entry)
{
    struct view path = view_of(entry->path), top = view_cut(&path, '/');
    if (!view_is(top, "man") && !view_is(top, "doc") && !view_is(top, "boot"))
        install_compare(entry, find_difference);
}

/* -- a queue of another build */

static void check_split_name(void *arg, const char *name)
{
    struct bytes path = {0};
    bool is_todo = strcmp(arg, "queue/todo") == 0;
    struct stat st;
    uint64_t n;

    bytes_add_format(&path, "%s/%s", (const char *)arg, name);
    if (!number_exact(view_of(name), UINT64_MAX, &n) ||
        stat(bytes_cstring(&path), &st) == -1)
        ;
    else if (!S_ISDIR(st.st_mode) && !is_todo)
        find_whole(bytes_cstring(&path), "lies outside the split, where nobody looks",
                   "stop the system and run ./qmail-upq in the source folder");
    else if (S_ISDIR(st.st_mode) && (is_todo || n >= CONF_SPLIT))
        find_whole(bytes_cstring(&path),
                   is_todo
                       ? "was made with the big-todo patch, and qmail-send will not "
                         "start with it"
                       : "was made with a larger conf-split, and mail in it is not "
                         "seen",
                   is_todo ? "let the old system empty its queue, then remove it"
                           : "stop the system and run ./qmail-upq in the source "
                             "folder");
    bytes_free(&path);
}

static void check_split(void)
{
    static char dirs[][16] = {"queue/mess", "queue/info", "queue/local", "queue/remote",
                              "queue/todo"};
    for (size_t i = 0; i < COUNT(dirs); i++)
        if (!dir_each_name(dirs[i], check_split_name, dirs[i]) && errno == EACCES)
            findings->unseen++;
}

void showctl_check_tree(struct showctl_findings *f)
{
    findings = f;
    unsetenv("DESTDIR"); /* the tree is the one that we run from */
    if (check_accounts())
        install_each(false, check_entry);
    check_split();
}
