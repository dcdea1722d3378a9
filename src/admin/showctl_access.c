#include "admin/showctl.h"
#include "base/dir.h"
#include "base/error.h"
#include "base/file.h"
#include "base/identity.h"
#include "conf.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const struct view nothing = {NULL, 0};

static struct showctl_place whole(const char *path)
{
    return (struct showctl_place){.path = path};
}

/* A finding about path, for errno. What only root may see is none. */
static void find_trouble(struct showctl_findings *f, const char *path)
{
    struct bytes problem = {0};

    if (errno == EACCES && geteuid() != 0) {
        f->unseen++;
        return;
    }
    bytes_add_format(&problem, "cannot be read: %s", error_text(errno));
    showctl_find(f, whole(path), nothing, bytes_cstring(&problem),
                 "see to it that it is a file that can");
    bytes_free(&problem);
}

bool showctl_read(struct showctl_findings *f, const char *path, struct bytes *text)
{
    enum file_result result = file_read(path, UINT32_MAX, text);
    if (result == FILE_FAILED)
        find_trouble(f, path);
    return result == FILE_READ;
}

/* Whether it is there, as a file. */
static bool check_type(struct showctl_findings *f, const char *path, struct stat *st)
{
    if (stat(path, st) == -1) {
        if (errno == ENOENT && file_is_absent(path))
            return false;
        if (errno == ENOENT)
            showctl_find(f, whole(path), nothing,
                         "is a symbolic link that leads nowhere, which is an error and "
                         "not the same as no file",
                         "remove the link, or make what it leads to");
        else
            find_trouble(f, path);
        return false;
    }
    if (S_ISREG(st->st_mode))
        return true;
    showctl_find(f, whole(path), nothing, "is no file", "put a file in its place");
    return false;
}

static bool belongs_to_owner(const struct stat *st)
{
    uid_t owner;
    return st->st_uid == 0 ||
           (identity_user(CONF_USER_OWNER, &owner) && st->st_uid == owner);
}

bool showctl_check_owner(struct showctl_findings *f, const char *path, struct stat *st)
{
    if (!check_type(f, path, st))
        return false;
    if (!belongs_to_owner(st))
        showctl_find(f, whole(path), nothing,
                     "belongs to somebody else than " CONF_USER_OWNER
                     ", who can change it",
                     "chown " CONF_USER_OWNER " it");
    if (st->st_mode & (S_IWGRP | S_IWOTH))
        showctl_find(f, whole(path), nothing,
                     st->st_mode & S_IWOTH ? "can be written by everybody"
                                           : "can be written by its group",
                     "chmod 644 it");
    return true;
}

/* Whether a program that runs as that user and group can read it. What runs as
 * anybody needs what others need. */
static bool can_read(const struct stat *st, const struct showctl_program *p)
{
    uid_t uid;
    gid_t gid;

    if (!p->user)
        return (st->st_mode & S_IROTH) != 0;
    if (!identity_user(p->user, &uid) || !identity_group(p->group, &gid) || uid == 0)
        return true; /* or the lack of a user is told elsewhere */
    if (st->st_uid == uid)
        return (st->st_mode & S_IRUSR) != 0;
    if (st->st_gid == gid)
        return (st->st_mode & S_IRGRP) != 0;
    return (st->st_mode & S_IROTH) != 0;
}

/* One finding, for the first who cannot. */
static void check_readers(struct showctl_findings *f, const char *path,
                          const struct showctl_file *file, const struct stat *st)
{
    struct bytes problem = {0};

    for (const struct showctl_program *p = showctl_programs; p->name; p++) {
        if (!(file->readers & p->reader) || can_read(st, p))
            continue;
        bytes_add_format(&problem, "cannot be read by %s, which runs as %s", p->name,
                         p->user ? p->user : "anybody");
        showctl_find(f, whole(path), nothing, bytes_cstring(&problem), "chmod 644 it");
        break;
    }
    bytes_free(&problem);
}

static void check_known(struct showctl_findings *f, const char *path,
                        const struct showctl_file *file)
{
    struct bytes text = {0};
    struct stat st;

    if (!showctl_check_owner(f, path, &st))
        return;
    check_readers(f, path, file, &st);
    if (showctl_read(f, path, &text))
        showctl_check_lines(f, file, bytes_view(&text));
    bytes_free(&text);
}

static void check_unknown(struct showctl_findings *f, const char *path,
                          const char *name)
{
    struct bytes text = {0};
    const char *what = showctl_foreign(name), *meant = showctl_meant(name);

    if (what) {
        bytes_add_format(&text, "is %s and not used here", what);
        showctl_find(f, whole(path), nothing, bytes_cstring(&text),
                     "remove it unless something else reads it");
    } else if (meant) {
        bytes_add_format(&text, "rename it to %s if that is meant", meant);
        showctl_find(f, whole(path), nothing, "is a file that no program reads",
                     bytes_cstring(&text));
    } else
        showctl_find(f, whole(path), nothing, "is a file that no program reads",
                     "correct its name, or remove it");
    bytes_free(&text);
}

static void check_name(void *arg, const char *name)
{
    struct showctl_findings *f = arg;
    const struct showctl_file *file = showctl_file_named(name);
    struct bytes path = {0};

    bytes_add_format(&path, "control/%s", name);
    if (file)
        check_known(f, bytes_cstring(&path), file);
    else if (strcmp(name, "morercpthosts.tmp") != 0) /* qmail-newmrh is at work */
        check_unknown(f, bytes_cstring(&path), name);
    bytes_free(&path);
}

void showctl_check_files(struct showctl_findings *f)
{
    if (!dir_each_name("control", check_name, f))
        find_trouble(f, "control");
}
