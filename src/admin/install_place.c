#include "admin/install.h"

#include "base/fd.h"
#include "conf.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

const char *install_home(void)
{
    static struct bytes home;
    const char *destdir = getenv("DESTDIR");

    bytes_clear(&home);
    bytes_add_format(&home, "%s%s", destdir ? destdir : "", CONF_QMAIL);
    return bytes_cstring(&home);
}

static void set_full_path(struct bytes *path, struct view below_home)
{
    bytes_set(path, view_of(install_home()));
    if (below_home.len) {
        bytes_add_byte(path, '/');
        bytes_add(path, below_home);
    }
}

/* The path without its last name; "" has none and is its own directory. */
static struct view dir_of(const struct install_entry *entry)
{
    struct view path = view_of(entry->path);
    size_t slash = view_find_last(path, '/');
    return view_before(path, slash < path.len ? slash : 0);
}

const char *install_path(const struct install_entry *entry)
{
    static struct bytes path;
    set_full_path(&path, view_of(entry->path));
    return bytes_cstring(&path);
}

static struct bytes shown;

const char *install_shown(const struct install_entry *entry)
{
    if (entry->type == INSTALL_FILE || entry->type == INSTALL_PAGE) {
        bytes_set(&shown, VIEW(".../"));
        bytes_add_text(&shown, entry->path);
    } else
        set_full_path(&shown, view_of(entry->path));
    return bytes_cstring(&shown);
}

const char *install_shown_dir(const struct install_entry *entry)
{
    set_full_path(&shown, dir_of(entry));
    return bytes_cstring(&shown);
}

/* 1 for HOME's own entries, 2 for what is in those; 0 for HOME. */
static unsigned depth_of(const struct install_entry *entry)
{
    unsigned depth = *entry->path ? 1 : 0;
    for (const char *c = entry->path; *c; c++)
        depth += *c == '/';
    return depth;
}

static int follow_flag(unsigned depth)
{
    return depth > 1 ? O_NOFOLLOW : 0;
}

int install_open_dir(const struct install_entry *entry, const char **name)
{
    enum { FLAGS = O_RDONLY | O_DIRECTORY | O_CLOEXEC };
    struct view rest = dir_of(entry);
    struct bytes part = {0};
    int dir = open(install_home(), FLAGS);

    *name = *entry->path ? entry->path + rest.len + (rest.len > 0) : ".";
    for (unsigned depth = 1; rest.len && dir != -1; depth++) {
        bytes_set(&part, view_cut(&rest, '/'));
        int next = openat(dir, bytes_cstring(&part), FLAGS | follow_flag(depth));
        fd_close(&dir);
        dir = next;
    }
    bytes_free(&part);
    return dir;
}

int install_open(const struct install_entry *entry, int dir, const char *name,
                 int flags)
{
    return openat(dir, name,
                  flags | O_NONBLOCK | O_CLOEXEC | follow_flag(depth_of(entry)));
}
