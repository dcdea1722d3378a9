#include "admin/showctl.h"
#include "base/number.h"
#include "base/table.h"
#include "conf.h"
#include "mail/relay.h"

#include <string.h>

/* The lines of a file; the last may lack its line feed. */
struct lines {
    struct view rest;
    size_t number;    /* of the present line */
    struct view raw;  /* without its line feed */
    struct view line; /* without white space at its end */
    bool has_cr;      /* right before the line feed */
};

static bool next_line(struct lines *l)
{
    if (l->rest.len == 0)
        return false;
    size_t end = view_find(l->rest, '\n');
    bool ended = end < l->rest.len;
    l->raw = l->line = view_before(l->rest, end);
    l->rest = view_from(l->rest, ended ? end + 1 : end);
    l->number++;
    l->has_cr = ended && view_ends(l->line, VIEW("\r"));
    if (l->has_cr)
        l->line.len--;
    l->line = view_trim_end(l->line, " \t");
    return true;
}

static bool is_entry(struct view line)
{
    return line.len && line.data[0] != '#';
}

void showctl_each_entry(struct view text, showctl_each *each, void *arg)
{
    struct lines l = {.rest = text};
    while (next_line(&l))
        if (is_entry(l.line))
            each(arg, l.number, l.line);
}

/* What is odd in the bytes of a line, whatever it means. False where that makes it
 * useless to ask. */
static bool check_bytes(struct showctl_findings *f, struct showctl_place where,
                        const struct lines *l)
{
    static const struct view nothing = {NULL, 0};

    if (view_has(l->line, '\0')) {
        showctl_find(f, where, nothing, "holds a NUL byte",
                     "write the file anew with a text editor");
        return false;
    }
    if (l->has_cr)
        showctl_find(f, where, nothing,
                     "ends in a carriage return, which older programs take for a part "
                     "of the line",
                     "remove it: tr -d '\\r'");
    else if (l->line.len < l->raw.len)
        showctl_find(f, where, nothing, "ends in white space, which is ignored",
                     "remove it");
    else if (view_has(l->line, '\r'))
        showctl_find(f, where, nothing, "holds a carriage return",
                     "write the file anew with a text editor");
    return !view_has(l->line, '\r');
}

static void judge(struct showctl_findings *f, struct showctl_place where,
                  enum showctl_content content, struct view entry)
{
    struct showctl_problem p = showctl_judge(content, entry);
    if (p.problem)
        showctl_find(f, where, entry, p.problem, p.remedy);
}

/* -- one value */

static void check_range(struct showctl_findings *f, struct showctl_place where,
                        const struct showctl_file *file, struct view value)
{
    bool is_concurrency = strcmp(file->name, "concurrencylocal") == 0 ||
                          strcmp(file->name, "concurrencyremote") == 0;
    struct view rest = value;
    uint64_t n;

    if (file->kind != SHOWCTL_NUMBER || !number_take(&rest, &n))
        return;
    if (n > CONTROL_MAX_NUMBER)
        showctl_find(f, where, value, "is too large and counts as 2147483647",
                     "write a smaller number");
    else if (is_concurrency && n > CONF_SPAWN)
        showctl_find(f, where, value, "is above the limit that was compiled in",
                     "write a smaller number, or build with a larger conf-spawn");
}

static void check_value(struct showctl_findings *f, struct showctl_place where,
                        const struct showctl_file *file, struct view text)
{
    struct lines l = {.rest = text};

    where.line = 1;
    if (!next_line(&l)) {
        l.line = VIEW("");
        where.line = 0;
    }
    if (!check_bytes(f, where, &l))
        return;
    judge(f, where, file->content, l.line);
    check_range(f, where, file, l.line);
}

/* -- a list */

struct checked {
    struct showctl_findings *findings;
    struct showctl_place where;
    const struct showctl_file *file;
    struct table keys[2]; /* with the values of the entries seen; IPv6 apart */
};

/* Takes an entry apart where a second one with its key takes its place. Of
 * addresses to connect from there is one for each family. */
static bool split(const struct checked *c, struct view entry, struct view *key,
                  struct view *value, enum ip_family *family)
{
    struct ip_address ip = {.family = IP_NONE};

    *family = IP_NONE;
    if (c->file->content == SHOWCTL_BINDING) {
        relay_split_binding(entry, key, value);
        bool is_address = relay_binding_address(*value, &ip);
        *family = ip.family;
        return is_address;
    }
    bool has_colon = view_has(entry, ':');
    *key = view_cut(&entry, ':');
    *value = entry;
    return c->file->kind == SHOWCTL_MAP && has_colon;
}

static void check_repeated(struct checked *c, struct view entry)
{
    struct view key, value, before;
    enum ip_family family;

    if (!split(c, entry, &key, &value, &family))
        return;
    struct table *keys = &c->keys[family == IP_V6];
    if (table_find(keys, key, &before) && !view_equal_case(before, value))
        showctl_find(c->findings, c->where, entry,
                     "has a key that stands in a line before with another value; the "
                     "last counts",
                     "remove one of them");
    table_add(keys, key, value);
}

void showctl_check_lines(struct showctl_findings *f, const struct showctl_file *file,
                         struct view text)
{
    struct bytes path = {0};
    struct lines l = {.rest = text};

    bytes_add_format(&path, "control/%s", file->name);
    struct checked c = {
        .findings = f, .where = {.path = bytes_cstring(&path)}, .file = file};
    if (file->kind == SHOWCTL_LIST || file->kind == SHOWCTL_MAP) {
        while (next_line(&l)) {
            c.where.line = l.number;
            if (!is_entry(l.line) || !check_bytes(f, c.where, &l))
                continue;
            judge(f, c.where, file->content, l.line);
            check_repeated(&c, l.line);
        }
    } else if (file->kind != SHOWCTL_DATABASE)
        check_value(f, c.where, file, text);
    table_free(&c.keys[0]);
    table_free(&c.keys[1]);
    bytes_free(&path);
}
