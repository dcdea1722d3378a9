#include "base/passwd.h"

#include "base/fd.h"
#include "base/number.h"
#include "base/reader.h"

#include <fcntl.h>

/* Entries of users that matter come early; a long line is nobody's. */
enum { STEP = 4096, MAX_LINE = 65536 };

bool passwd_parse(struct view line, struct passwd_entry *entry)
{
    uint64_t uid, gid;

    entry->name = view_cut(&line, ':');
    view_cut(&line, ':');
    if (!entry->name.len || !number_exact(view_cut(&line, ':'), (uid_t)-2, &uid) ||
        !number_exact(view_cut(&line, ':'), (gid_t)-2, &gid))
        return false;
    view_cut(&line, ':');
    entry->home = view_cut(&line, ':');
    entry->uid = (uid_t)uid;
    entry->gid = (gid_t)gid;
    return entry->home.len > 0;
}

bool passwd_scan(bool (*each)(void *arg, const struct passwd_entry *entry), void *arg)
{
    static struct reader in;
    struct bytes line = {0};
    struct passwd_entry entry;
    enum read_result result;

    int fd = fd_open("/etc/passwd", O_RDONLY, 0);
    if (fd == -1)
        return false;
    reader_open(&in, fd, 0);
    reader_step(&in, STEP);
    do
        result = reader_until(&in, '\n', MAX_LINE, &line);
    while (result == READ_ITEM &&
           !(passwd_parse(bytes_view(&line), &entry) && each(arg, &entry)));
    bytes_free(&line);
    fd_close(&fd);
    return result == READ_ITEM || result == READ_END;
}

/* The next word of *rest; *rest begins behind it then. */
static struct view next_word(struct view *rest)
{
    size_t len = 0;

    while (rest->len && view_has(VIEW(" \t\r"), rest->data[0]))
        *rest = view_from(*rest, 1);
    while (len < rest->len && !view_has(VIEW(" \t\r"), rest->data[len]))
        len++;
    struct view word = view_before(*rest, len);
    *rest = view_from(*rest, len);
    return word;
}

struct passwd_sources passwd_sources(struct view nsswitch)
{
    struct passwd_sources found = {.file_first = true, .file_only = true};

    while (nsswitch.len) {
        struct view line = view_cut(&nsswitch, '\n');
        line = view_before(line, view_find(line, '#'));
        struct view name = view_cut(&line, ':');
        if (!view_is(next_word(&name), "passwd"))
            continue;
        found.file_first = view_is(next_word(&line), "files");
        found.file_only = found.file_first && !next_word(&line).len;
    }
    return found;
}
