#include "admin/showctl.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static const char trouble[] = "Oops! Trouble reading this file.\n";
static const char default_mark[] = "(Default.) ";

void showctl_safe(struct bytes *out, struct view v)
{
    size_t at = out->len;
    bytes_add(out, v);
    for (; at < out->len; at++)
        if (out->data[at] < 32 || out->data[at] > 126)
            out->data[at] = '?';
}

static void add_value(struct bytes *out, const struct showctl_file *f,
                      struct view value)
{
    bytes_add_text(out, f->before);
    showctl_safe(out, value);
    bytes_add_text(out, f->after);
    bytes_add_byte(out, '\n');
}

/* What is said where there is no value of any kind. */
static void add_missing(struct bytes *out, const char *text)
{
    bytes_add_text(out, default_mark);
    bytes_add_text(out, text);
    bytes_add_byte(out, '\n');
}

static void explain_number(struct bytes *out, const struct showctl_file *f)
{
    struct bytes digits = {0};
    uint64_t n;
    enum control_result result = f->kind == SHOWCTL_SIZE ? control_size(f->name, &n)
                                                         : control_number(f->name, &n);
    if (result == CONTROL_FAILED) {
        bytes_add_text(out, trouble);
    } else if (result == CONTROL_ABSENT) {
        bytes_add_text(out, default_mark);
        add_value(out, f, view_of(f->missing));
    } else {
        bytes_add_number(&digits, n);
        add_value(out, f, bytes_view(&digits));
    }
    bytes_free(&digits);
}

static void explain_line(struct bytes *out, const struct showctl_file *f,
                         const struct bytes *me)
{
    struct bytes value = {0};
    enum control_result result = control_line(f->name, &value);
    if (result == CONTROL_FAILED) {
        bytes_add_text(out, trouble);
    } else if (result == CONTROL_READ) {
        add_value(out, f, bytes_view(&value));
    } else if (f->by_default == SHOWCTL_NOTHING) {
        add_missing(out, f->missing);
    } else {
        bool literal = f->by_default == SHOWCTL_LITERAL;
        bytes_add_text(out, default_mark);
        add_value(out, f,
                  literal ? view_of(f->missing)
                  : me    ? bytes_view(me)
                          : view_of(f->name));
    }
    bytes_free(&value);
}

static void explain_list(struct bytes *out, const struct showctl_file *f)
{
    struct control_list list = {0};
    enum control_result result = control_read_list(f->name, &list);
    if (result == CONTROL_FAILED) {
        bytes_add_text(out, trouble);
    } else if (result == CONTROL_ABSENT) {
        add_missing(out, f->missing);
    } else {
        struct view rest = bytes_view(&list.entries), entry;
        bytes_add_byte(out, '\n');
        while (control_list_next(&rest, &entry))
            add_value(out, f, entry);
    }
    control_list_free(&list);
}

/* morercpthosts means nothing without rcpthosts. */
static void explain_morercpthosts(struct bytes *out, const struct showctl_file *f)
{
    static const struct showctl_file alone = {
        .name = "morercpthosts",
        .before = "No rcpthosts; doesn't matter that morercpthosts has ",
        .after = ".",
        .missing = "No rcpthosts; morercpthosts is irrelevant."};
    struct stat st;
    bool absent = stat("control/rcpthosts", &st) == -1 && errno == ENOENT;
    explain_list(out, absent ? &alone : f);
}

enum showctl_database showctl_compare_times(const char *source, const char *database)
{
    struct stat text, cdb;
    bool has_text = stat(source, &text) == 0;
    bool has_cdb = stat(database, &cdb) == 0;

    if (!has_text)
        return has_cdb ? SHOWCTL_DATABASE_ALONE : SHOWCTL_NO_DATABASE;
    if (!has_cdb)
        return SHOWCTL_SOURCE_ALONE;
    return text.st_mtime > cdb.st_mtime ? SHOWCTL_OUTDATED : SHOWCTL_CURRENT;
}

static void explain_database(struct bytes *out)
{
    static const char *const texts[] = {
        [SHOWCTL_NO_DATABASE] = "(Default.) No effect.\n",
        [SHOWCTL_DATABASE_ALONE] =
            "Oops! morercpthosts.cdb exists but morercpthosts doesn't.\n",
        [SHOWCTL_SOURCE_ALONE] =
            "Oops! morercpthosts exists but morercpthosts.cdb doesn't.\n",
        [SHOWCTL_OUTDATED] = "Oops! morercpthosts.cdb is older than morercpthosts.\n",
        [SHOWCTL_CURRENT] = "Modified recently enough; hopefully up to date.\n"};
    bytes_add_text(out, texts[showctl_compare_times("control/morercpthosts",
                                                    "control/morercpthosts.cdb")]);
}

void showctl_explain(struct bytes *out, const struct showctl_file *file,
                     const struct bytes *me)
{
    switch (file->kind) {
    case SHOWCTL_NUMBER:
    case SHOWCTL_SIZE:
        explain_number(out, file);
        break;
    case SHOWCTL_LINE:
        explain_line(out, file, me);
        break;
    case SHOWCTL_LIST:
    case SHOWCTL_MAP:
        if (strcmp(file->name, "morercpthosts") == 0)
            explain_morercpthosts(out, file);
        else
            explain_list(out, file);
        break;
    case SHOWCTL_DATABASE:
        explain_database(out);
        break;
    }
}
