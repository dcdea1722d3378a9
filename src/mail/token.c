#include "mail/token.h"

#include "base/heap.h"

#include <string.h>

static const char signs[] = {
    [TOKEN_DOT] = '.',       [TOKEN_COMMA] = ',', [TOKEN_AT] = '@',
    [TOKEN_LEFT] = '<',      [TOKEN_RIGHT] = '>', [TOKEN_COLON] = ':',
    [TOKEN_SEMICOLON] = ';',
};

/* The bytes around the token kinds that have any. */
static const struct {
    char open, close;
} delimiters[] = {
    [TOKEN_QUOTED] = {'"', '"'},
    [TOKEN_LITERAL] = {'[', ']'},
    [TOKEN_COMMENT] = {'(', ')'},
};

/* Lists */

void tokens_add(struct tokens *t, struct token token)
{
    enum { FIRST_ROOM = 16 };
    if (t->count == t->room) {
        size_t room = t->room ? t->room * 2 : FIRST_ROOM;
        t->items = heap_resize(t->items, room, sizeof *t->items);
        t->room = room;
    }
    t->items[t->count++] = token;
}

void tokens_add_sign(struct tokens *t, enum token_kind kind)
{
    tokens_add(t, (struct token){.kind = kind});
}

void tokens_add_all(struct tokens *t, const struct tokens *more)
{
    for (size_t i = 0; i < more->count; i++)
        tokens_add(t, more->items[i]);
}

void tokens_drop_first(struct tokens *t, size_t count)
{
    t->count -= count;
    if (t->count)
        memmove(t->items, t->items + count, t->count * sizeof *t->items);
}

void tokens_drop_last(struct tokens *t, size_t count)
{
    t->count -= count;
}

void tokens_reverse(struct tokens *t)
{
    for (size_t i = 0, j = t->count; i + 1 < j; i++) {
        j--;
        struct token token = t->items[i];
        t->items[i] = t->items[j];
        t->items[j] = token;
    }
}

void tokens_clear(struct tokens *t)
{
    t->count = 0;
    bytes_clear(&t->text);
}

void tokens_free(struct tokens *t)
{
    heap_free(t->items);
    bytes_free(&t->text);
    *t = (struct tokens){0};
}

/* Reading */

static bool is_white(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool ends_atom(char c)
{
    return is_white(c) || view_has(VIEW("([\"<>;:@,."), c);
}

static bool is_atom_byte(char c)
{
    return c >= 32 && c <= 126 && !view_has(VIEW(")]\\"), c);
}

static char take_byte(struct view *rest)
{
    char c = rest->data[0];
    *rest = view_from(*rest, 1);
    return c;
}

/* The text that has been collected since start, as a token. */
static void add_word(struct tokens *t, enum token_kind kind, size_t start)
{
    struct view text = view_from(bytes_view(&t->text), start);
    tokens_add(t, (struct token){kind, text});
}

/* Adds c to the text of the token that began at start, unless it is folding. */
static void add_content(struct tokens *t, size_t start, char c)
{
    if (c != '\n')
        bytes_add_byte(&t->text, c);
    else if (t->text.len > start && t->text.data[t->text.len - 1] == '\r')
        bytes_cut(&t->text, t->text.len - 1);
}

/* *rest stands behind the opening byte. Parentheses inside a comment nest, and
 * are counted, not kept. */
static bool take_delimited(struct view *rest, struct tokens *t, enum token_kind kind)
{
    char open = delimiters[kind].open, close = delimiters[kind].close;
    bool nests = kind == TOKEN_COMMENT;
    size_t start = t->text.len;
    size_t depth = 1;

    while (rest->len) {
        char c = take_byte(rest);
        if (c == close) {
            if (--depth == 0) {
                add_word(t, kind, start);
                return true;
            }
        } else if (nests && c == open) {
            depth++;
        } else if (c != '\\') {
            add_content(t, start, c);
        } else if (rest->len) {
            add_content(t, start, take_byte(rest));
        }
    }
    return false;
}

static bool take_atom(struct view *rest, struct tokens *t)
{
    size_t start = t->text.len;
    enum token_kind kind = TOKEN_ATOM;

    while (rest->len && !ends_atom(rest->data[0])) {
        char c = take_byte(rest);
        if (c == '\\') {
            if (rest->len == 0)
                break;
            c = take_byte(rest);
            if (c == '\n')
                return false;
        }
        if (!is_atom_byte(c))
            kind = TOKEN_QUOTED;
        bytes_add_byte(&t->text, c);
    }
    add_word(t, kind, start);
    return true;
}

static bool take_sign(struct view *rest, struct tokens *t)
{
    const char *sign = memchr(signs, rest->data[0], sizeof signs);
    if (!sign)
        return false;
    tokens_add_sign(t, (enum token_kind)(sign - signs));
    take_byte(rest);
    return true;
}

static bool take_token(struct view *rest, struct tokens *t)
{
    if (take_sign(rest, t))
        return true;
    switch (rest->data[0]) {
    case '(':
        take_byte(rest);
        return take_delimited(rest, t, TOKEN_COMMENT);
    case '"':
        take_byte(rest);
        return take_delimited(rest, t, TOKEN_QUOTED);
    case '[':
        take_byte(rest);
        return take_delimited(rest, t, TOKEN_LITERAL);
    case ')':
    case ']':
        return false;
    }
    return take_atom(rest, t);
}

bool tokens_read(struct tokens *t, struct view text)
{
    tokens_clear(t);
    /* Tokens are never longer than what they were made from: with this much
     * room the bytes do not move, and views of them stay good. */
    bytes_reserve(&t->text, text.len);
    while (text.len) {
        if (is_white(text.data[0]))
            take_byte(&text);
        else if (!take_token(&text, t))
            return false;
    }
    return true;
}

/* Writing */

static bool is_word(enum token_kind kind)
{
    return kind >= TOKEN_ATOM;
}

bool token_space_between(enum token_kind left, enum token_kind right)
{
    return left == TOKEN_COLON || left == TOKEN_COMMA || right == TOKEN_LEFT ||
           (is_word(left) && is_word(right));
}

static void write_escaped(struct bytes *out, struct view text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (view_has(VIEW("\"[]()\\\r\n"), text.data[i]))
            bytes_add_byte(out, '\\');
        bytes_add_byte(out, text.data[i]);
    }
}

void token_write(struct bytes *out, struct token token)
{
    if (!is_word(token.kind)) {
        bytes_add_byte(out, signs[token.kind]);
        return;
    }
    if (token.kind != TOKEN_ATOM)
        bytes_add_byte(out, delimiters[token.kind].open);
    write_escaped(out, token.text);
    if (token.kind != TOKEN_ATOM)
        bytes_add_byte(out, delimiters[token.kind].close);
}

void tokens_add_plain(struct bytes *out, const struct tokens *t)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct token *token = &t->items[i];
        switch (token->kind) {
        case TOKEN_COMMENT:
            break;
        case TOKEN_ATOM:
        case TOKEN_QUOTED:
            bytes_add(out, token->text);
            break;
        case TOKEN_LITERAL:
            bytes_add_byte(out, '[');
            bytes_add(out, token->text);
            bytes_add_byte(out, ']');
            break;
        default:
            bytes_add_byte(out, signs[token->kind]);
        }
    }
}
