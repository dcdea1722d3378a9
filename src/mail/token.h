/* token - the words and signs of which address fields are made (RFC 822, 3.3).
 *
 * A field is cut into tokens, changed as tokens, and written again. White space
 * and folding are not kept: where a space must stand is decided when writing. */
#ifndef MAIL_TOKEN_H
#define MAIL_TOKEN_H

#include "base/bytes.h"

enum token_kind {
    TOKEN_DOT,
    TOKEN_COMMA,
    TOKEN_AT,
    TOKEN_LEFT,  /* < */
    TOKEN_RIGHT, /* > */
    TOKEN_COLON,
    TOKEN_SEMICOLON,
    TOKEN_ATOM,
    TOKEN_QUOTED,  /* "..." */
    TOKEN_LITERAL, /* [...] */
    TOKEN_COMMENT  /* (...) */
};

struct token {
    enum token_kind kind;
    struct view text; /* of the last four kinds: without delimiters and backslashes */
};

/* A growing list. {0} is valid and empty. Tokens that were copied from another
 * list go on using its text: it must be kept as long as they are. */
struct tokens {
    struct token *items;
    size_t count, room;
    struct bytes text; /* what the items that tokens_read() made point to */
};

/* Replaces t with the tokens of text, which is not used later. Comments nest.
 * Line feeds in quoted strings, literals and comments, with a CR before them,
 * are folding and are dropped. An atom with bytes that no atom may hold becomes a
 * quoted string. False if a delimiter has no partner, or a line feed was quoted
 * to be part of an atom: then t is to be cleared or read anew. */
bool tokens_read(struct tokens *t, struct view text);

void tokens_add(struct tokens *t, struct token token);
void tokens_add_sign(struct tokens *t, enum token_kind kind);
void tokens_add_all(struct tokens *t, const struct tokens *more);

/* Takes away the first, or the last, count tokens, which are there. */
void tokens_drop_first(struct tokens *t, size_t count);
void tokens_drop_last(struct tokens *t, size_t count);

/* Puts the last token first and so on. */
void tokens_reverse(struct tokens *t);

/* Makes t empty; memory stays with t. */
void tokens_clear(struct tokens *t);
void tokens_free(struct tokens *t);

/* Appends t as an address of an envelope: without spaces, quotes and comments;
 * literals keep their brackets. */
void tokens_add_plain(struct bytes *out, const struct tokens *t);

/* Appends one token as it stands in a field. */
void token_write(struct bytes *out, struct token token);

/* Whether a space goes between two tokens that follow one another. */
bool token_space_between(enum token_kind left, enum token_kind right);

#endif
