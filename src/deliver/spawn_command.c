#include "deliver/spawn.h"

#include "base/fd.h"

#include <sys/stat.h>

enum {
    STRINGS = 3 /* message, sender, recipient */
};

/* Keeps a piece. A command that memory cannot hold must still be read to its
 * end, to be answered, and so that the next one is found. */
static void keep(struct spawn_command *c, struct view piece)
{
    if (c->lost)
        return;
    if (!bytes_try_add(&c->text, piece)) {
        c->lost = true;
        bytes_free(&c->text);
    }
}

bool spawn_command_take(struct spawn_command *c, struct view *input)
{
    while (c->slot_len < DELIVERY_SLOT_BYTES && input->len) {
        c->slot_bytes[c->slot_len++] = (unsigned char)input->data[0];
        *input = view_from(*input, 1);
    }
    while (c->strings < STRINGS && input->len) {
        size_t len = view_find(*input, '\0');
        if (len < input->len) {
            len++; /* with its NUL */
            c->strings++;
        }
        keep(c, view_before(*input, len));
        *input = view_from(*input, len);
    }
    return c->strings == STRINGS;
}

unsigned spawn_command_slot(const struct spawn_command *c)
{
    struct view bytes = view_at((const char *)c->slot_bytes, sizeof c->slot_bytes);
    unsigned slot = 0;
    delivery_take_slot(&bytes, &slot);
    return slot;
}

void spawn_command_move(struct spawn_command *c, struct bytes *strings)
{
    *strings = c->text;
    c->text = (struct bytes){0};
}

void spawn_split_strings(const struct bytes *strings, struct view *message,
                         struct view *sender, struct view *recipient)
{
    struct view rest = bytes_view(strings);
    *message = view_cut(&rest, '\0');
    *sender = view_cut(&rest, '\0');
    *recipient = view_cut(&rest, '\0');
}

void spawn_command_clear(struct spawn_command *c)
{
    bytes_free(&c->text);
    *c = (struct spawn_command){0};
}

const char *spawn_check_names(struct view message, struct view recipient)
{
    for (size_t i = 0; i < message.len; i++)
        if (!byte_is_digit(message.data[i]) && (i == 0 || message.data[i] != '/'))
            return "DInternal error: messid has nonnumerics. (#5.3.5)\n";
    if (message.len > DELIVERY_MAX_NAME)
        return "DInternal error: messid too long. (#5.3.5)\n";
    if (message.len == 0)
        return "DInternal error: messid too short. (#5.3.5)\n";
    if (!view_has(recipient, '@'))
        return "DSorry, address must include host name. (#5.1.3)\n";
    return NULL;
}

int spawn_open_message(const char *name, uid_t owner, const char **why)
{
    struct stat st;
    int fd = fd_open_read(name);
    *why = NULL;
    if (fd == -1)
        *why = "Zqmail-spawn unable to open message. (#4.3.0)\n";
    else if (fstat(fd, &st) == -1)
        *why = "Zqmail-spawn unable to fstat message. (#4.3.0)\n";
    else if (!S_ISREG(st.st_mode))
        *why = "ZSorry, message has wrong type. (#4.3.5)\n";
    else if (st.st_uid != owner)
        *why = "ZSorry, message has wrong owner. (#4.3.5)\n";
    if (*why)
        fd_close(&fd);
    return fd;
}
