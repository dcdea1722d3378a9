#include "accept/inject.h"
#include "mail/address.h"
#include "mail/address_list.h"

static bool ends_in(const struct tokens *address, enum token_kind kind)
{
    return address->count && address->items[address->count - 1].kind == kind;
}

/* "@[]" at the end marks senders that are not for replies: double bounces, VERP. */
static bool ends_in_no_host(const struct tokens *address)
{
    size_t n = address->count;
    return n >= 2 && address->items[n - 2].kind == TOKEN_AT &&
           address->items[n - 1].kind == TOKEN_LITERAL &&
           address->items[n - 1].text.len == 0;
}

static void drop_last_if(struct tokens *address, enum token_kind kind)
{
    if (ends_in(address, kind))
        tokens_drop_last(address, 1);
}

static bool has_at(const struct tokens *address)
{
    for (size_t i = 0; i < address->count; i++)
        if (address->items[i].kind == TOKEN_AT)
            return true;
    return false;
}

/* "host+" stands for host.plusdomain. */
static void expand_plus(struct tokens *address, const struct tokens *dot_plus)
{
    if (!ends_in(address, TOKEN_ATOM))
        return;
    struct view *last = &address->items[address->count - 1].text;
    if (last->len == 0 || last->data[last->len - 1] != '+')
        return;
    last->len--;
    tokens_add_all(address, dot_plus);
}

/* Whether nothing behind the last '@' says that the host is whole. */
static bool lacks_domain(const struct tokens *address)
{
    for (size_t i = address->count; i > 0; i--) {
        enum token_kind kind = address->items[i - 1].kind;
        if (kind == TOKEN_AT)
            break;
        if (kind == TOKEN_DOT || kind == TOKEN_LITERAL)
            return false;
    }
    return true;
}

void inject_complete(struct tokens *address, const struct inject_defaults *defaults)
{
    if (ends_in_no_host(address))
        return;
    address_list_drop_route(address);
    drop_last_if(address, TOKEN_DOT);
    drop_last_if(address, TOKEN_AT);
    if (address->count == 0)
        return;
    if (!has_at(address))
        tokens_add_all(address, &defaults->at_host);
    expand_plus(address, &defaults->dot_plus);
    if (lacks_domain(address))
        tokens_add_all(address, &defaults->dot_domain);
}

bool inject_may_pass(struct view address)
{
    return !view_has(address, '\0') && !view_has(address, '\r') &&
           !view_has(address, '\n');
}

bool inject_mailbox(struct bytes *out, struct view local, const struct view *domain,
                    const struct inject_defaults *defaults)
{
    struct bytes text = {0};
    struct tokens address = {0};
    size_t before = out->len;
    bool good = false;

    /* In quotes a line feed would be taken for folding and disappear. */
    if (!inject_may_pass(local))
        return false;
    address_quote_local(&text, local);
    if (domain) {
        bytes_add_byte(&text, '@');
        bytes_add(&text, *domain);
    }
    if (tokens_read(&address, bytes_view(&text))) {
        inject_complete(&address, defaults);
        tokens_add_plain(out, &address);
        good = inject_may_pass(view_from(bytes_view(out), before));
    }
    if (!good)
        bytes_cut(out, before);
    tokens_free(&address);
    bytes_free(&text);
    return good;
}

bool inject_argument(struct bytes *out, struct view argument,
                     const struct inject_defaults *defaults)
{
    struct view local, domain;

    if (argument.len == 0)
        return true;
    bool has_domain = address_split(argument, &local, &domain);
    return inject_mailbox(out, local, has_domain ? &domain : NULL, defaults);
}
