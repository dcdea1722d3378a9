/* Any bytes from qmail-send, whole and in pieces: the same commands come out, and they
 * are those that a split at the NULs gives. What passes as a message's name leads to
 * nothing outside queue/mess. */
#include "deliver/spawn.h"

#include "fuzz.h"
#include "must.h"

static void check_names(struct view message, struct view recipient)
{
    if (spawn_check_names(message, recipient))
        return;
    must(message.len && message.len <= DELIVERY_MAX_NAME && message.data[0] != '/');
    for (size_t i = 0; i < message.len; i++)
        must(byte_is_digit(message.data[i]) || message.data[i] == '/');
    must(view_has(recipient, '@'));
}

/* All of a complete command, in the form in which it came. */
static void note(struct spawn_command *c, struct bytes *out)
{
    struct bytes strings = {0};
    struct view views[3];

    must(!c->lost);
    delivery_add_slot(out, spawn_command_slot(c));
    spawn_command_move(c, &strings);
    spawn_split_strings(&strings, &views[0], &views[1], &views[2]);
    for (size_t i = 0; i < COUNT(views); i++) {
        must(views[i].data[views[i].len] == '\0');
        bytes_add(out, views[i]);
        bytes_add_byte(out, '\0');
    }
    check_names(views[0], views[2]);
    bytes_free(&strings);
    spawn_command_clear(c);
}

static size_t feed(struct view in, size_t step, struct bytes *out)
{
    struct spawn_command c = {0};
    size_t count = 0;

    while (in.len) {
        struct view piece = take_piece(&in, step);
        while (spawn_command_take(&c, &piece)) {
            note(&c, out);
            count++;
        }
        must(piece.len == 0);
    }
    spawn_command_clear(&c);
    return count;
}

/* How many bytes whole commands are. */
static size_t whole_commands(struct view in, size_t *count)
{
    size_t len = 0;
    for (*count = 0;; ++*count) {
        size_t at = len + DELIVERY_SLOT_BYTES;
        for (int strings = 0; strings < 3; strings++) {
            while (at < in.len && in.data[at])
                at++;
            if (at >= in.len)
                return len;
            at++;
        }
        len = at;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bytes out = {0};
    struct view in = input_of(data, len);
    size_t step = take_step(&in), count;
    struct view want = view_before(in, whole_commands(in, &count));

    must(feed(in, in.len, &out) == count && view_equal(bytes_view(&out), want));
    bytes_clear(&out);
    must(feed(in, step, &out) == count && view_equal(bytes_view(&out), want));
    bytes_free(&out);
    return 0;
}
