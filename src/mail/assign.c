#include "mail/assign.h"

#include "base/cdb.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/number.h"

#include <errno.h>

/* What a database says to one key. */
static enum assign_result ask(int fd, struct view key, struct bytes *data)
{
    switch (cdb_find(fd, key, data)) {
    case CDB_FOUND:
        return ASSIGN_FOUND;
    case CDB_ABSENT:
        return ASSIGN_ABSENT;
    case CDB_FAILED:
        break;
    }
    return ASSIGN_FAILED;
}

/* Looks for the prefixes of key, "!" and the local part in lower case. */
static enum assign_result find_prefix(int fd, struct view key, struct view wildcards,
                                      size_t *len, struct bytes *entry)
{
    *len = key.len;
    if (*len > 1 + ASSIGN_MAX_PREFIX)
        *len = 1 + ASSIGN_MAX_PREFIX;
    for (; *len >= 1; --*len) {
        if (*len > 1 && !view_has(wildcards, key.data[*len - 1]))
            continue;
        enum assign_result result = ask(fd, view_before(key, *len), entry);
        if (result != ASSIGN_ABSENT)
            return result;
    }
    return ASSIGN_ABSENT;
}

enum assign_result assign_find(int fd, struct view local, struct bytes *entry)
{
    struct bytes wildcards = {0}, key = {0};
    size_t len;

    /* the empty key holds the last bytes of all prefixes there are */
    enum assign_result result = ask(fd, VIEW(""), &wildcards);
    if (result == ASSIGN_ABSENT) {
        errno = EPROTO;
        result = ASSIGN_FAILED;
    }
    if (result != ASSIGN_FOUND)
        goto out;

    bytes_add_byte(&key, '!');
    bytes_add(&key, local);
    bytes_lower(&key);
    bytes_add_byte(&key, '\0');
    result = ask(fd, bytes_view(&key), entry);
    if (result != ASSIGN_ABSENT)
        goto out;

    bytes_cut(&key, key.len - 1);
    result = find_prefix(fd, bytes_view(&key), bytes_view(&wildcards), &len, entry);
    if (result == ASSIGN_FOUND)
        bytes_add(entry, view_from(local, len - 1));
out:
    bytes_free(&wildcards);
    bytes_free(&key);
    return result;
}

/* The next string of *rest. False where no NUL ends it. */
static bool take_string(char **rest, const char *end, char **string)
{
    size_t len = view_find(view_at(*rest, (size_t)(end - *rest)), '\0');
    if (*rest + len == end)
        return false;
    *string = *rest;
    *rest += len + 1;
    return true;
}

/* Digits alone, and not the id that stands for none, (uid_t)-1. */
static bool take_id(const char *text, uint64_t *id)
{
    struct view rest = view_of(text);
    return number_take(&rest, id) && rest.len == 0 && *id < UINT32_MAX;
}

enum assign_result assign_parse(struct bytes *entry, struct assign *a)
{
    char *uid_text, *gid_text;
    uint64_t uid, gid;

    bytes_add_byte(entry, '\0'); /* ends the last field, if nothing else does */
    char *rest = entry->data;
    const char *end = entry->data + entry->len;
    if (!take_string(&rest, end, &a->user) || !take_string(&rest, end, &uid_text) ||
        !take_string(&rest, end, &gid_text) || !take_string(&rest, end, &a->home) ||
        !take_string(&rest, end, &a->dash) || !take_string(&rest, end, &a->ext))
        return ASSIGN_BAD;

    if (!byte_is_digit(uid_text[0]))
        return ASSIGN_ROOT;
    if (!take_id(uid_text, &uid) || !take_id(gid_text, &gid))
        return ASSIGN_BAD;
    a->uid = (uid_t)uid;
    a->gid = (gid_t)gid;
    return a->uid == 0 ? ASSIGN_ROOT : ASSIGN_FOUND;
}

enum assign_result assign_lookup(const char *path, struct view local,
                                 struct bytes *entry, struct assign *a)
{
    int fd = fd_open_read(path);
    if (fd == -1)
        return errno == ENOENT && file_is_absent(path) ? ASSIGN_ABSENT : ASSIGN_FAILED;
    enum assign_result result = assign_find(fd, local, entry);
    fd_close(&fd);
    return result == ASSIGN_FOUND ? assign_parse(entry, a) : result;
}
