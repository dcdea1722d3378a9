#include "deliver/local.h"

#include "base/heap.h"

#include <string.h>

struct variable {
    const char *name;
    struct view value;
    bool left_alone; /* not ours to set this time */
};

/* What comes after the first '-' of v; nothing if there is none. */
static struct view after_dash(struct view v)
{
    view_cut(&v, '-');
    return v;
}

/* What comes before the last '.' of v; all of it if there is none. */
static struct view before_dot(struct view v)
{
    return view_before(v, view_find_last(v, '.'));
}

static bool is_set_by(const struct variable *variables, size_t count, const char *entry)
{
    size_t len = strcspn(entry, "=");
    for (size_t i = 0; i < count; i++)
        if (!variables[i].left_alone &&
            view_equal(view_of(variables[i].name), view_at(entry, len)))
            return true;
    return false;
}

static void add_entry(struct bytes *text, const struct variable *v)
{
    bytes_add_text(text, v->name);
    bytes_add_byte(text, '=');
    bytes_add(text, v->value);
    bytes_add_byte(text, '\0');
}

static char **build(const struct variable *variables, size_t count,
                    char *const *inherited)
{
    size_t kept = 0;
    struct bytes text = {0};

    while (inherited[kept])
        kept++;
    char **all = heap_array(kept + count + 1, sizeof *all), **next = all;
    for (; *inherited; inherited++)
        if (!is_set_by(variables, count, *inherited))
            *next++ = *inherited;
    for (size_t i = 0; i < count; i++)
        if (!variables[i].left_alone)
            add_entry(&text, &variables[i]);
    /* the text moves no more: its entries can be pointed at */
    for (size_t at = 0; at < text.len; at += strlen(text.data + at) + 1)
        *next++ = text.data + at;
    *next = NULL;
    return all;
}

char **local_environment(const struct local *d, char *const *inherited)
{
    struct view domain = view_of(d->domain), ext = view_of(d->ext);
    struct view ext2 = after_dash(ext), ext3 = after_dash(ext2);
    struct view host2 = before_dot(domain), host3 = before_dot(host2);
    struct view rest = d->default_part ? view_of(d->default_part) : VIEW("");
    struct bytes recipient = {0};

    bytes_add_format(&recipient, "%s@%s", d->local, d->domain);
    const struct variable variables[] = {
        {"USER", view_of(d->user), false},
        {"HOME", view_of(d->home), false},
        {"LOCAL", view_of(d->local), false},
        {"HOST", domain, false},
        {"HOST2", host2, false},
        {"HOST3", host3, false},
        {"HOST4", before_dot(host3), false},
        {"RECIPIENT", bytes_view(&recipient), false},
        {"SENDER", view_of(d->sender), false},
        {"NEWSENDER", bytes_view(&d->new_sender), false},
        {"EXT", ext, false},
        {"EXT2", ext2, false},
        {"EXT3", ext3, false},
        {"EXT4", after_dash(ext3), false},
        {"DEFAULT", rest, d->default_part == NULL},
        {"DTLINE", bytes_view(&d->delivered_to), false},
        {"RPLINE", bytes_view(&d->return_path), false},
        {"UFLINE", bytes_view(&d->from), false},
    };
    char **all = build(variables, COUNT(variables), inherited);
    bytes_free(&recipient);
    return all;
}
