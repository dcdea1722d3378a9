#include "mail/dotqmail.h"

#include "base/error.h"
#include "base/fd.h"
#include "conf.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT VIEW("default")

enum dotqmail_home dotqmail_enter_home(const char *home)
{
    enum { STICKY = 01000 }; /* S_ISVTX, for which POSIX has no place without XSI */
    struct stat st;

    if (chdir(home) == -1)
        return DOTQMAIL_HOME_CLOSED;
    if (stat(".", &st) == -1)
        return DOTQMAIL_HOME_FAILED;
    if (st.st_mode & CONF_PATRN)
        return DOTQMAIL_HOME_WRITABLE;
    return st.st_mode & STICKY ? DOTQMAIL_HOME_STICKY : DOTQMAIL_HOME_ENTERED;
}

/* Names */

/* Appends the first len bytes of ext as they stand in file names: lower case, and
 * no dots, so that no name leads out of the home directory. */
static void add_ext(struct bytes *name, struct view ext, size_t len)
{
    for (size_t i = 0; i < len; i++)
        bytes_add_byte(name, ext.data[i] == '.' ? ':' : byte_lower(ext.data[i]));
}

static void start_name(struct bytes *name, struct view dash, struct view ext,
                       size_t len)
{
    bytes_clear(name);
    bytes_add_text(name, ".qmail");
    bytes_add(name, dash);
    add_ext(name, ext, len);
}

static void exact_name(struct dotqmail_names *n)
{
    start_name(&n->name, n->dash, n->ext, n->ext.len);
    n->has_rest =
        n->ext.len >= DEFAULT.len &&
        view_ends(view_from(bytes_view(&n->name), n->name.len - n->ext.len), DEFAULT);
    n->rest = n->has_rest ? n->ext.len - DEFAULT.len : 0;
    n->next = n->ext.len;
}

bool dotqmail_names_next(struct dotqmail_names *n)
{
    if (!n->begun) {
        n->begun = true;
        exact_name(n);
        return true;
    }
    if (n->ended)
        return false;
    size_t len = n->next;
    while (len && n->ext.data[len - 1] != '-')
        len--;
    start_name(&n->name, n->dash, n->ext, len);
    bytes_add(&n->name, DEFAULT);
    n->has_rest = true;
    n->rest = len;
    n->ended = len == 0;
    n->next = len ? len - 1 : 0;
    return true;
}

void dotqmail_names_free(struct dotqmail_names *n)
{
    bytes_free(&n->name);
}

/* Files */

static bool counts_as_absent(int error)
{
    return !error_is_temporary(error) && error != EPERM && error != EACCES;
}

/* Opens the file of that name if it is one to be used. */
static enum dotqmail_result try_file(struct bytes *name, struct dotqmail_file *file)
{
    struct stat st;
    const char *path = bytes_cstring(name);
    if (!path)
        return DOTQMAIL_NONE;
    file->fd = fd_open_read(path);
    if (file->fd == -1)
        return counts_as_absent(errno) ? DOTQMAIL_NONE : DOTQMAIL_FAILED;

    enum dotqmail_result result = DOTQMAIL_FOUND;
    if (fstat(file->fd, &st) == -1)
        result = DOTQMAIL_FAILED;
    else if (!S_ISREG(st.st_mode))
        result = DOTQMAIL_NONE;
    else if (st.st_mode & CONF_PATRN)
        result = DOTQMAIL_WRITABLE;
    if (result != DOTQMAIL_FOUND) {
        fd_close(&file->fd);
        return result;
    }
    file->forward_only = st.st_mode & S_IXUSR;
    file->size = st.st_size;
    return result;
}

enum dotqmail_result dotqmail_find(struct view dash, struct view ext,
                                   struct dotqmail_file *file)
{
    struct dotqmail_names names = {.dash = dash, .ext = ext};
    enum dotqmail_result result = DOTQMAIL_NONE;

    *file = (struct dotqmail_file){.fd = -1};
    while (result == DOTQMAIL_NONE && dotqmail_names_next(&names))
        result = try_file(&names.name, file);
    if (result == DOTQMAIL_FOUND) {
        file->has_rest = names.has_rest;
        file->rest = names.rest;
    }
    file->name = names.name;
    return result;
}

/* DOTQMAIL_FOUND, DOTQMAIL_NONE or DOTQMAIL_FAILED. */
static enum dotqmail_result exists(struct bytes *name)
{
    struct stat st;
    const char *path = bytes_cstring(name);
    if (!path)
        return DOTQMAIL_NONE;
    if (stat(path, &st) == 0)
        return DOTQMAIL_FOUND;
    return error_is_temporary(errno) ? DOTQMAIL_FAILED : DOTQMAIL_NONE;
}

enum dotqmail_owner dotqmail_find_owner(struct view dash, struct view ext,
                                        struct bytes *name)
{
    static const struct {
        const char *ending;
        enum dotqmail_owner missing; /* the answer if there is no such file */
    } files[] = {{"-owner", DOTQMAIL_NO_OWNER}, {"-default", DOTQMAIL_OWNER}};

    start_name(name, dash, ext, ext.len);
    for (size_t i = 0; i < COUNT(files); i++) {
        bytes_add_text(name, files[i].ending);
        enum dotqmail_result result = exists(name);
        if (result == DOTQMAIL_FAILED)
            return DOTQMAIL_OWNER_FAILED;
        if (result == DOTQMAIL_NONE)
            return files[i].missing;
    }
    return DOTQMAIL_LIST_OWNER;
}

/* Lines */

static enum dotqmail_kind kind_of(struct view text)
{
    if (text.len == 0)
        return DOTQMAIL_NOTHING;
    switch (text.data[0]) {
    case '#':
        return DOTQMAIL_NOTHING;
    case '+':
        return view_is(text, "+list") ? DOTQMAIL_LIST : DOTQMAIL_NOTHING;
    case '.':
    case '/':
        return text.data[text.len - 1] == '/' ? DOTQMAIL_MAILDIR : DOTQMAIL_MBOX;
    case '|':
        return DOTQMAIL_PROGRAM;
    default:
        return DOTQMAIL_FORWARD;
    }
}

bool dotqmail_lines_next(struct dotqmail_lines *lines, struct dotqmail_line *line)
{
    bool first = !lines->begun;
    if (!first && lines->rest.len == 0)
        return false;
    lines->begun = true;

    struct view text = view_trim_end(view_cut(&lines->rest, '\n'), " \t");
    text = view_before(text, view_find(text, '\0'));
    *line = (struct dotqmail_line){.kind = kind_of(text), .text = text};
    if (first && text.len == 0)
        line->kind = DOTQMAIL_BLANK_FIRST;
    if (line->kind == DOTQMAIL_PROGRAM ||
        (line->kind == DOTQMAIL_FORWARD && text.data[0] == '&'))
        line->text = view_from(text, 1);
    return true;
}
