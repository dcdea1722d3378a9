#include "deliver/local.h"

#include "base/die.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"
#include "mail/dotqmail.h"
#include "mail/trace.h"

#include <errno.h>

enum {
    BLOCK_ROOM = 65536,
    MAX_INSTRUCTIONS = 1 << 30 /* bytes of a .qmail file */
};

void local_refuse_loop_or_die(const struct local *d)
{
    static char block[BLOCK_ROOM];
    struct trace_search search;
    enum trace_result seen = TRACE_MORE;

    local_rewind_or_die();
    trace_search_begin(&search, bytes_view(&d->delivered_to));
    while (seen == TRACE_MORE) {
        ssize_t n = fd_read(0, block, sizeof block);
        if (n == -1)
            die_raw(LOCAL_TEMP, "Unable to read message: %s. (#4.3.0)\n",
                    error_text(errno));
        if (n == 0)
            return;
        seen = trace_search_next(&search, view_at(block, (size_t)n));
    }
    if (seen == TRACE_FOUND)
        die_raw(LOCAL_PERM, "This message is looping: it already has my Delivered-To "
                            "line. (#5.4.6)\n");
}

static _Noreturn void die_of_file(struct bytes *name)
{
    int error = errno;
    die_raw(LOCAL_TEMP, "Unable to open %s: %s. (#4.3.0)\n", bytes_cstring(name),
            error_text(error));
}

static void read_or_die(struct local *d, struct dotqmail_file *file)
{
    errno = EFBIG;
    if (file->size > MAX_INSTRUCTIONS || /* said before any of it is in memory */
        file_read_fd(file->fd, MAX_INSTRUCTIONS, &d->instructions) != FILE_READ)
        die_of_file(&file->name);
    fd_close(&file->fd);
    d->forward_only = file->forward_only;
    if (file->has_rest)
        d->default_part = d->ext + file->rest;
}

static void find_owner_or_die(struct local *d)
{
    struct view sender = view_of(d->sender);
    enum dotqmail_owner owner = DOTQMAIL_NO_OWNER;
    struct bytes name = {0};

    if (sender.len && !view_is(sender, "#@[]"))
        owner = dotqmail_find_owner(view_of(d->dash), view_of(d->ext), &name);
    if (owner == DOTQMAIL_OWNER_FAILED)
        die_of_file(&name);
    bytes_free(&name);
    if (owner == DOTQMAIL_NO_OWNER) {
        bytes_set(&d->new_sender, sender);
        return;
    }
    bool list = owner == DOTQMAIL_LIST_OWNER;
    bytes_add_text(&d->new_sender, d->local);
    bytes_add_text(&d->new_sender, list ? "-owner-@" : "-owner@");
    bytes_add_text(&d->new_sender, d->domain);
    if (list)
        bytes_add_text(&d->new_sender, "-@[]");
}

void local_find_instructions_or_die(struct local *d)
{
    struct dotqmail_file file;

    enum dotqmail_result found =
        dotqmail_find(view_of(d->dash), view_of(d->ext), &file);
    if (found == DOTQMAIL_FAILED)
        die_of_file(&file.name);
    if (found == DOTQMAIL_WRITABLE)
        die_raw(LOCAL_TEMP, "Uh-oh: .qmail file is writable. (#4.7.0)\n");
    if (found == DOTQMAIL_NONE && *d->dash)
        die_raw(LOCAL_PERM, "Sorry, no mailbox here by that name. (#5.1.1)\n");
    find_owner_or_die(d);
    if (found == DOTQMAIL_FOUND)
        read_or_die(d, &file);
    if (d->instructions.len == 0) {
        bytes_add_text(&d->instructions, d->fallback);
        d->forward_only = false;
    }
    bytes_free(&file.name);
}
