#include "admin/showctl.h"
#include "base/error.h"
#include "base/identity.h"
#include "base/json.h"
#include "conf.h"

#include <errno.h>

static const char *const kinds[] = {
    [SHOWCTL_NUMBER] = "number", [SHOWCTL_SIZE] = "number", [SHOWCTL_LINE] = "line",
    [SHOWCTL_LIST] = "list",     [SHOWCTL_MAP] = "map",     [SHOWCTL_DATABASE] = "cdb"};

static const char *const database_states[] = {[SHOWCTL_NO_DATABASE] = "absent",
                                              [SHOWCTL_DATABASE_ALONE] = "no source",
                                              [SHOWCTL_SOURCE_ALONE] = "not made",
                                              [SHOWCTL_OUTDATED] = "outdated",
                                              [SHOWCTL_CURRENT] = "current"};

static void add_user(struct bytes *out, const char *role, const char *name)
{
    json_add_name(out, role);
    bytes_add_byte(out, '{');
    json_add_text(out, "name", view_of(name));
    json_add_number(out, "uid", identity_user_or_die(name));
    bytes_add_byte(out, '}');
}

static void add_group(struct bytes *out, const char *role, const char *name)
{
    json_add_name(out, role);
    bytes_add_byte(out, '{');
    json_add_text(out, "name", view_of(name));
    json_add_number(out, "gid", identity_group_or_die(name));
    bytes_add_byte(out, '}');
}

void showctl_json_head(struct bytes *out)
{
    static const char delimiter = CONF_BREAK;

    json_add_text(out, "version", VIEW(CONF_VERSION));
    json_add_text(out, "home", VIEW(CONF_QMAIL));
    json_add_text(out, "break", view_at(&delimiter, 1));
    json_add_number(out, "patrn", CONF_PATRN);
    json_add_number(out, "spawn", CONF_SPAWN);
    json_add_number(out, "split", CONF_SPLIT);
    json_add_name(out, "users");
    bytes_add_byte(out, '{');
    add_user(out, "alias", CONF_USER_ALIAS);
    add_user(out, "daemon", CONF_USER_DAEMON);
    add_user(out, "log", CONF_USER_LOG);
    add_user(out, "owner", CONF_USER_OWNER);
    add_user(out, "passwd", CONF_USER_PASSWD);
    add_user(out, "queue", CONF_USER_QUEUE);
    add_user(out, "remote", CONF_USER_REMOTE);
    add_user(out, "send", CONF_USER_SEND);
    bytes_add_byte(out, '}');
    json_add_name(out, "groups");
    bytes_add_byte(out, '{');
    add_group(out, "qmail", CONF_GROUP_QMAIL);
    add_group(out, "nofiles", CONF_GROUP_NOFILES);
    bytes_add_byte(out, '}');
}

static void add_readers(struct bytes *out, unsigned readers)
{
    json_add_name(out, "readers");
    bytes_add_byte(out, '[');
    for (const struct showctl_program *p = showctl_programs; p->name; p++)
        if (readers & p->reader) {
            json_add_comma(out);
            json_add_string(out, view_of(p->name));
        }
    bytes_add_byte(out, ']');
}

static void add_number(struct bytes *out, enum control_result result, uint64_t n,
                       const struct showctl_file *f)
{
    json_add_name(out, "value");
    if (result == CONTROL_READ)
        bytes_add_number(out, n);
    else
        bytes_add_text(out, f->missing);
}

static void add_line(struct bytes *out, enum control_result result,
                     const struct bytes *value, const struct showctl_file *f,
                     const struct bytes *me)
{
    json_add_name(out, "value");
    if (result == CONTROL_READ)
        json_add_string(out, bytes_view(value));
    else if (f->by_default == SHOWCTL_LITERAL)
        json_add_string(out, view_of(f->missing));
    else if (f->by_default != SHOWCTL_NOTHING && me)
        json_add_string(out, bytes_view(me));
    else if (f->by_default == SHOWCTL_ME)
        json_add_string(out, view_of(f->name));
    else
        bytes_add_text(out, "null");
}

static void add_list(struct bytes *out, enum control_result result,
                     const struct control_list *list, const struct showctl_file *f,
                     const struct bytes *me)
{
    struct view rest = bytes_view(&list->entries), entry;

    json_add_name(out, "value");
    if (result == CONTROL_ABSENT && (f->by_default == SHOWCTL_NOTHING || !me)) {
        bytes_add_text(out, "null"); /* which is not the same as an empty list */
        return;
    }
    bytes_add_byte(out, '[');
    if (result == CONTROL_ABSENT)
        json_add_string(out, bytes_view(me));
    while (control_list_next(&rest, &entry)) {
        json_add_comma(out);
        json_add_string(out, entry);
    }
    bytes_add_byte(out, ']');
}

/* Reads by the rules of the kind. */
static enum control_result read_file(const struct showctl_file *f, uint64_t *n,
                                     struct bytes *line, struct control_list *list)
{
    switch (f->kind) {
    case SHOWCTL_NUMBER:
        return control_number(f->name, n);
    case SHOWCTL_SIZE:
        return control_size(f->name, n);
    case SHOWCTL_LINE:
        return control_line(f->name, line);
    case SHOWCTL_LIST:
    case SHOWCTL_MAP:
        return control_read_list(f->name, list);
    case SHOWCTL_DATABASE:
        break;
    }
    return CONTROL_ABSENT;
}

/* "set" and "value". */
static void add_setting(struct bytes *out, const struct showctl_file *f,
                        const struct bytes *me)
{
    struct control_list list = {0};
    struct bytes line = {0};
    uint64_t n = 0;
    enum control_result result = read_file(f, &n, &line, &list);

    if (result == CONTROL_FAILED) {
        json_add_bool(out, "set", true);
        json_add_text(out, "error", view_of(error_text(errno)));
    } else {
        json_add_bool(out, "set", result == CONTROL_READ);
        if (f->kind == SHOWCTL_LINE)
            add_line(out, result, &line, f, me);
        else if (f->kind == SHOWCTL_LIST || f->kind == SHOWCTL_MAP)
            add_list(out, result, &list, f, me);
        else
            add_number(out, result, n, f);
    }
    bytes_free(&line);
    control_list_free(&list);
}

void showctl_json_file(struct bytes *out, const struct showctl_file *file,
                       const struct bytes *me)
{
    json_add_name(out, file->name);
    bytes_add_byte(out, '{');
    json_add_text(out, "kind", view_of(kinds[file->kind]));
    add_readers(out, file->readers);
    if (file->kind == SHOWCTL_DATABASE) {
        enum showctl_database state =
            showctl_compare_times("control/morercpthosts", "control/morercpthosts.cdb");
        json_add_bool(out, "set",
                      state != SHOWCTL_NO_DATABASE && state != SHOWCTL_SOURCE_ALONE);
        json_add_text(out, "state", view_of(database_states[state]));
    } else
        add_setting(out, file, me);
    bytes_add_byte(out, '}');
}
