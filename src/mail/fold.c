#include "mail/fold.h"

static const char indent[] = "  ";

/* Appends piece, which begins with the space that follows a comma, to the line
 * that holds *used bytes already, or to a new one. */
static void place(struct bytes *out, size_t *used, struct view piece)
{
    if (*used + piece.len > FOLD_WIDTH) {
        bytes_add_byte(out, '\n');
        bytes_add_text(out, indent);
        *used = sizeof indent - 1;
        piece = view_from(piece, 1);
    }
    bytes_add(out, piece);
    *used += piece.len;
}

void fold_field(struct bytes *out, struct view name, const struct tokens *value)
{
    struct bytes piece = {0};
    enum token_kind left = TOKEN_COLON;
    size_t used = 0;
    bool first = true; /* the name's line stays with its first piece */

    bytes_add(&piece, name);
    bytes_add_byte(&piece, ':');
    for (size_t i = 0; i < value->count; i++) {
        struct token token = value->items[i];
        if (token_space_between(left, token.kind))
            bytes_add_byte(&piece, ' ');
        token_write(&piece, token);
        left = token.kind;
        if (token.kind != TOKEN_COMMA && i + 1 < value->count)
            continue;
        if (first) {
            bytes_add(out, bytes_view(&piece));
            used = piece.len;
        } else {
            place(out, &used, bytes_view(&piece));
        }
        first = false;
        bytes_clear(&piece);
    }
    bytes_add(out, bytes_view(&piece)); /* of a field without a value */
    bytes_add_byte(out, '\n');
    bytes_free(&piece);
}
