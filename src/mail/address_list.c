#include "mail/address_list.h"

struct reading {
    const struct token *items;
    size_t left;        /* this many of them have not been read; the last comes next */
    struct tokens *out; /* what has been written, from right to left */
    struct tokens address; /* the address being read, from right to left */
    bool in_group;         /* between ';' and ':' */
    bool word_may_follow;  /* a word can still belong to the same address */
    address_list_visitor *visit;
    void *arg;
};

static bool take(struct reading *r, struct token *token)
{
    if (r->left == 0)
        return false;
    *token = r->items[--r->left];
    return true;
}

/* The address is complete, though perhaps empty. */
static bool give(struct reading *r)
{
    tokens_reverse(&r->address);
    if (!r->visit(r->arg, &r->address))
        return false;
    for (size_t i = r->address.count; i > 0; i--)
        tokens_add(r->out, r->address.items[i - 1]);
    tokens_clear(&r->address);
    return true;
}

/* An address that was begun, if any, ends here. */
static bool finish(struct reading *r)
{
    return r->address.count == 0 || give(r);
}

/* The same where the next thing to the left is not part of the list element that
 * was begun: a comma must stand between them. */
static bool finish_with_comma(struct reading *r)
{
    if (r->address.count == 0)
        return true;
    if (!give(r))
        return false;
    tokens_add_sign(r->out, TOKEN_COMMA);
    return true;
}

static bool in_display_name(enum token_kind kind)
{
    return kind == TOKEN_COMMENT || kind == TOKEN_ATOM || kind == TOKEN_QUOTED ||
           kind == TOKEN_AT || kind == TOKEN_DOT;
}

/* Behind '>': the address up to '<', then the display name. */
static bool read_angle(struct reading *r)
{
    struct token token;

    if (!finish_with_comma(r))
        return false;
    tokens_add_sign(r->out, TOKEN_RIGHT);
    for (;;) {
        if (!take(r, &token))
            return false;
        if (token.kind == TOKEN_LEFT)
            break;
        tokens_add(&r->address, token);
    }
    if (!give(r))
        return false;
    tokens_add_sign(r->out, TOKEN_LEFT);
    while (r->left && in_display_name(r->items[r->left - 1].kind))
        tokens_add(r->out, r->items[--r->left]);
    r->word_may_follow = false;
    return true;
}

/* At ';': to the left of it is a group, or an address with a stray ';'. */
static bool enter_group(struct reading *r)
{
    if (!finish_with_comma(r) || r->in_group)
        return false;
    r->in_group = true;
    tokens_add_sign(r->out, TOKEN_SEMICOLON);
    r->word_may_follow = true;
    return true;
}

/* At ':': to the left of it is the group's name, up to a comma. */
static bool leave_group(struct reading *r)
{
    struct token token;

    if (!finish(r) || !r->in_group)
        return false;
    r->in_group = false;
    tokens_add_sign(r->out, TOKEN_COLON);
    while (take(r, &token)) {
        tokens_add(r->out, token);
        if (token.kind == TOKEN_COMMA)
            break;
    }
    r->word_may_follow = true;
    return true;
}

static bool read_word(struct reading *r, struct token token)
{
    if (!r->word_may_follow && !finish_with_comma(r))
        return false;
    tokens_add(&r->address, token);
    r->word_may_follow = false;
    return true;
}

static bool read_token(struct reading *r, struct token token)
{
    switch (token.kind) {
    case TOKEN_COMMA:
        if (!finish(r))
            return false;
        tokens_add(r->out, token);
        r->word_may_follow = true;
        return true;
    case TOKEN_SEMICOLON:
        return enter_group(r);
    case TOKEN_COLON:
        return leave_group(r);
    case TOKEN_RIGHT:
        return read_angle(r);
    case TOKEN_ATOM:
    case TOKEN_QUOTED:
    case TOKEN_LITERAL:
        return read_word(r, token);
    case TOKEN_COMMENT: /* goes behind the address that it stands in or before */
        tokens_add(r->out, token);
        return true;
    case TOKEN_DOT:
    case TOKEN_AT:
    case TOKEN_LEFT: /* one that was never closed */
        tokens_add(&r->address, token);
        r->word_may_follow = true;
        return true;
    }
    return false;
}

bool address_list_read(const struct tokens *list, struct tokens *written,
                       address_list_visitor *visit, void *arg)
{
    struct reading r = {
        .items = list->items,
        .left = list->count,
        .out = written,
        .word_may_follow = true,
        .visit = visit,
        .arg = arg,
    };
    struct token token;
    bool good = true;

    tokens_clear(written);
    while (good && take(&r, &token))
        good = read_token(&r, token);
    good = good && finish(&r);
    tokens_reverse(written);
    tokens_free(&r.address);
    return good;
}

void address_list_drop_route(struct tokens *address)
{
    size_t i = 0;

    if (address->count == 0 || address->items[0].kind != TOKEN_AT)
        return;
    while (i < address->count && address->items[i].kind != TOKEN_COLON)
        i++;
    tokens_drop_first(address, i < address->count ? i + 1 : i);
}
