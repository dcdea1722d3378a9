#include "users/pw2u.h"

#include "conf.h"

/* The fields between an address and the dash, with the colons around them. */
static void add_account(struct bytes *out, const struct pw2u_user *user)
{
    const struct view fields[] = {user->name, user->uid_text, user->gid_text,
                                  user->home};
    for (size_t i = 0; i < COUNT(fields); i++) {
        bytes_add_byte(out, ':');
        bytes_add(out, fields[i]);
    }
    bytes_add_byte(out, ':');
}

/* "+NAME-", or "+" for everything. */
static void add_wildcard(struct bytes *out, struct view name,
                         const struct pw2u_user *user,
                         const struct pw2u_options *options)
{
    bytes_add_byte(out, '+');
    bytes_add(out, name);
    if (name.len)
        bytes_add_byte(out, options->separator);
    add_account(out, user);
    bytes_add(out, options->dash);
}

static void add_name(struct bytes *out, struct view name, const struct pw2u_user *user,
                     const struct pw2u_options *options)
{
    bytes_add_byte(out, '=');
    bytes_add(out, name);
    add_account(out, user);
    bytes_add_text(out, "::\n");
    if (!options->extensions)
        return;
    add_wildcard(out, name, user, options);
    bytes_add_text(out, "::\n");
}

void pw2u_add_user(struct bytes *out, const struct pw2u_user *user,
                   const struct pw2u_options *options, const struct pw2u_rules *rules)
{
    struct view names;

    if (view_is(user->name, CONF_USER_ALIAS)) {
        add_wildcard(out, VIEW(""), user, options);
        bytes_add_text(out, "::\n");
    }
    if (!table_find(&rules->mailnames.table, user->name, &names)) {
        add_name(out, user->name, user, options);
        return;
    }
    while (names.len) {
        struct view name = view_cut(&names, ':');
        if (name.len)
            add_name(out, name, user, options);
    }
}

/* The next field, which a colon must end. */
static bool take_field(struct view *line, struct view *field)
{
    if (!view_has(*line, ':'))
        return false;
    *field = view_cut(line, ':');
    return true;
}

bool pw2u_subuser_read(struct view line, struct pw2u_subuser *sub)
{
    return !view_has(line, '\0') && take_field(&line, &sub->name) &&
           take_field(&line, &sub->user) && take_field(&line, &sub->prefix);
}

void pw2u_add_subuser(struct bytes *out, const struct pw2u_subuser *sub,
                      const struct pw2u_user *user, const struct pw2u_options *options)
{
    bytes_add_byte(out, '=');
    bytes_add(out, sub->name);
    add_account(out, user);
    bytes_add(out, options->dash);
    bytes_add_byte(out, ':');
    bytes_add(out, sub->prefix);
    bytes_add_text(out, ":\n");
    if (!options->extensions)
        return;
    add_wildcard(out, sub->name, user, options);
    bytes_add_byte(out, ':');
    bytes_add(out, sub->prefix);
    bytes_add_text(out, "-:\n");
}

/* Accepted users */

void pw2u_accepted_add(struct pw2u_accepted *a, const struct pw2u_user *user)
{
    const struct view fields[] = {user->name, user->uid_text, user->gid_text,
                                  user->home};
    for (size_t i = 0; i < COUNT(fields); i++) {
        bytes_add(&a->lines, fields[i]);
        bytes_add_byte(&a->lines, i + 1 < COUNT(fields) ? ':' : '\0');
    }
}

static void make_table(struct pw2u_accepted *a)
{
    struct view rest = bytes_view(&a->lines);
    while (rest.len) {
        struct view line = view_cut(&rest, '\0');
        struct view name = view_cut(&line, ':');
        table_add(&a->table, name, line);
    }
}

bool pw2u_accepted_find(struct pw2u_accepted *a, struct view name,
                        struct pw2u_user *user)
{
    struct view fields;

    if (a->table.count == 0)
        make_table(a);
    if (!table_find(&a->table, name, &fields))
        return false;
    /* The name in its own case stands right before the fields. */
    user->name = view_at(fields.data - 1 - name.len, name.len);
    user->uid_text = view_cut(&fields, ':');
    user->gid_text = view_cut(&fields, ':');
    user->home = fields;
    return true;
}

void pw2u_accepted_free(struct pw2u_accepted *a)
{
    bytes_free(&a->lines);
    table_free(&a->table);
}
