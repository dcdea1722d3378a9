#include "users/newu.h"

enum {
    DATA_FIELDS = 6 /* USER UID GID HOMEDIR DASH EXT */
};

/* The next field, which a colon must end. */
static bool take_field(struct view *rest, struct view *field)
{
    if (!view_has(*rest, ':'))
        return false;
    *field = view_cut(rest, ':');
    return true;
}

static bool read_data(struct view rest, struct bytes *data)
{
    struct view field;
    bytes_clear(data);
    for (int i = 0; i < DATA_FIELDS; i++) {
        if (!take_field(&rest, &field))
            return false;
        if (i > 0)
            bytes_add_byte(data, '\0');
        bytes_add(data, field);
    }
    return true; /* what follows the last colon has no meaning */
}

static void note_wildcard(struct newu_wildcards *w, char byte)
{
    if (w->seen[(unsigned char)byte])
        return;
    w->seen[(unsigned char)byte] = true;
    bytes_add_byte(&w->list, byte);
}

enum newu_line newu_read(struct view line, struct bytes *key, struct bytes *data,
                         struct newu_wildcards *wildcards)
{
    struct view name;

    if (line.len && line.data[0] == '.')
        return NEWU_END;
    if (line.len == 0 || line.data[0] == ':' || view_has(line, '\0'))
        return NEWU_BAD;
    struct view rest = view_from(line, 1);
    if (!take_field(&rest, &name) || !read_data(rest, data))
        return NEWU_BAD;

    bytes_clear(key);
    bytes_add_byte(key, '!');
    bytes_add(key, name);
    bytes_lower(key);
    if (line.data[0] != '+')
        bytes_add_byte(key, '\0'); /* exactly this address */
    else if (name.len)
        note_wildcard(wildcards, key->data[key->len - 1]);
    return NEWU_RECORD;
}
