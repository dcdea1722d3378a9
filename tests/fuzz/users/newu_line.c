/* Any bytes as users/assign: the database made of the lines answers for local parts as
 * a search through the lines does. And any bytes as an entry of such a database: what
 * is taken of it is six strings within it, and ids that are no root's. */
#include "users/newu.h"

#include "base/cdb.h"
#include "mail/assign.h"

#include "fuzz.h"
#include "must.h"

#include <string.h>
#include <unistd.h>

enum { MAX_FILE = 2000 };

static int database = -1;

static void open_database(void)
{
    if (database == -1)
        database = nameless_file();
    must(ftruncate(database, 0) == 0 && lseek(database, 0, SEEK_SET) == 0);
}

/* False: there is a line that is none, or the last one is missing. */
static bool make(struct view in)
{
    struct newu_wildcards wildcards = {.list = {0}};
    struct bytes key = {0}, data = {0};
    struct cdb_maker *m = cdb_make(database);
    enum newu_line line = NEWU_RECORD;

    while (line == NEWU_RECORD && view_has(in, '\n')) {
        line = newu_read(view_cut(&in, '\n'), &key, &data, &wildcards);
        if (line == NEWU_RECORD)
            cdb_make_add(m, bytes_view(&key), bytes_view(&data));
    }
    cdb_make_add(m, VIEW(""), bytes_view(&wildcards.list));
    must(cdb_make_finish(m));
    bytes_free(&key);
    bytes_free(&data);
    bytes_free(&wildcards.list);
    return line == NEWU_END;
}

/* The oracle */

/* The name of a line, and what follows it; false where the line is none. */
static bool split_line(struct view line, struct view *name, struct view *rest)
{
    size_t colons = 0;
    for (size_t i = 0; i < line.len; i++)
        colons += line.data[i] == ':';
    if (view_has(line, '\0') || colons < 7 || line.data[0] == ':')
        return false;
    *rest = view_from(line, 1);
    *name = view_cut(rest, ':');
    return true;
}

/* The first line that is for local: an exact one, else the longest prefix. */
static bool search(struct view in, struct view local, struct view *found, size_t *len)
{
    bool any = false, exact = false;
    struct view name, rest;
    while (view_has(in, '\n')) {
        struct view line = view_cut(&in, '\n');
        if (line.len && line.data[0] == '.')
            break;
        if (!split_line(line, &name, &rest))
            abort();
        bool is_exact = line.data[0] != '+';
        if (exact || local.len < name.len || (is_exact && local.len != name.len) ||
            !view_equal_case(view_before(local, name.len), name) ||
            (any && !is_exact && name.len <= *len))
            continue;
        any = true;
        exact = is_exact;
        *len = name.len;
        *found = rest;
    }
    return any;
}

/* An exact line for "a\0" is not one for "a", though the key looks alike. */
static void check_answer(struct view in, struct view local)
{
    struct bytes entry = {0}, want = {0};
    struct view rest;
    size_t len = 0;
    bool there = search(in, local, &rest, &len);
    enum assign_result result = assign_find(database, local, &entry);

    must(result == (there ? ASSIGN_FOUND : ASSIGN_ABSENT));
    for (int i = 0; there && i < 6; i++) {
        if (i)
            bytes_add_byte(&want, '\0');
        bytes_add(&want, view_cut(&rest, ':'));
    }
    if (there && len < local.len)
        bytes_add(&want, view_from(local, len)); /* an exact one has nothing left */
    must(!there || view_equal(bytes_view(&entry), bytes_view(&want)));
    bytes_free(&entry);
    bytes_free(&want);
}

static void check_file(struct view in, struct view local)
{
    struct view rest = in, name, fields;
    bool good = true, ended = false;

    open_database();
    while (good && !ended && view_has(rest, '\n')) {
        struct view line = view_cut(&rest, '\n');
        ended = line.len && line.data[0] == '.';
        good = ended || split_line(line, &name, &fields);
    }
    must(make(in) == (good && ended));
    if (!good || !ended)
        return;
    check_answer(in, local);
    for (rest = in; view_has(rest, '\n');) {
        struct view line = view_cut(&rest, '\n');
        if (line.data[0] == '.')
            break;
        split_line(line, &name, &fields);
        check_answer(in, name);
    }
}

static void check_entry(struct view in)
{
    struct bytes entry = {0};
    struct assign a;
    size_t strings = 0;

    bytes_set(&entry, in);
    if (assign_parse(&entry, &a) == ASSIGN_FOUND) {
        const char *const fields[] = {a.user, a.home, a.dash, a.ext};
        must(a.uid != 0 && a.uid != (uid_t)-1 && a.gid != (gid_t)-1);
        for (size_t i = 0; i < COUNT(fields); i++)
            must(fields[i] >= entry.data &&
                 fields[i] + strlen(fields[i]) < entry.data + entry.len);
        for (size_t i = 0; i < in.len; i++)
            strings += in.data[i] == '\0';
        must(strings >= 5 && a.ext > a.dash && a.dash > a.home && a.home > a.user);
    }
    bytes_free(&entry);
}

/* The database with a few bytes changed: there is an answer, and what is found is taken
 * for an entry only where it is one. */
static void check_damaged(struct view in, struct view local)
{
    enum { HEADER = 2048 };
    struct bytes entry = {0};
    off_t len = lseek(database, 0, SEEK_END);

    for (int i = 0; i < 4 && in.len; i++) {
        off_t at = (off_t)(take_number(&in) << 8 | take_number(&in));
        char value = (char)take_number(&in);
        if (at > HEADER * 4) /* not the header, which is most of it */
            at = HEADER + at % (len - HEADER);
        must(pwrite(database, &value, 1, at % len) == 1);
    }
    if (assign_find(database, local, &entry) == ASSIGN_FOUND)
        check_entry(bytes_view(&entry));
    bytes_free(&entry);
}

/* The first line is a local part. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view in = input_of(data, len);
    if (len > MAX_FILE)
        return 0;
    check_entry(in);
    struct view local = view_cut(&in, '\n');
    if (!view_has(local, '\0')) {
        check_file(in, local);
        check_damaged(in, local);
    }
    return 0;
}
