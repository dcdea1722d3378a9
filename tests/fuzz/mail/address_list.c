/* Any text is cut into tokens and read as a list, or refused. What was read is
 * written, and the written field must read as the same addresses and be written
 * the same way. */
#include "mail/address_list.h"

#include "fuzz.h"
#include "mail/fold.h"

#include <stdlib.h>

static bool note(void *arg, struct tokens *address)
{
    struct bytes *seen = arg;
    tokens_add_plain(seen, address);
    bytes_add_byte(seen, '\n');
    return true;
}

/* The value as a field, and its addresses. */
static bool rewrite(struct view value, struct bytes *field, struct bytes *addresses,
                    struct tokens *list)
{
    struct tokens written = {0};
    bool good =
        tokens_read(list, value) && address_list_read(list, &written, note, addresses);

    if (good)
        fold_field(field, VIEW("To"), &written);
    tokens_free(&written);
    return good;
}

/* A backslash makes every byte part of an atom, but is written again only before
 * some. An atom with the others reads as something else, and an empty one, which
 * is what a backslash at the very end makes, as nothing. */
static bool is_faithful(const struct tokens *list)
{
    for (size_t i = 0; i < list->count; i++) {
        struct token token = list->items[i];
        if (token.kind != TOKEN_ATOM)
            continue;
        if (token.text.len == 0)
            return false;
        for (size_t j = 0; j < token.text.len; j++)
            if (view_has(VIEW(" <>;:@,."), token.text.data[j]))
                return false;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bytes field = {0}, addresses = {0}, field2 = {0}, addresses2 = {0};
    struct tokens list = {0}, list2 = {0};

    if (rewrite(view_at((const char *)data, len), &field, &addresses, &list)) {
        struct view value = view_from(bytes_view(&field), sizeof "To:" - 1);
        bool again = rewrite(value, &field2, &addresses2, &list2);
        if (is_faithful(&list) &&
            (!again || !view_equal(bytes_view(&addresses), bytes_view(&addresses2)) ||
             !view_equal(bytes_view(&field), bytes_view(&field2))))
            abort();
    }
    bytes_free(&field);
    bytes_free(&addresses);
    bytes_free(&field2);
    bytes_free(&addresses2);
    tokens_free(&list);
    tokens_free(&list2);
    return 0;
}
