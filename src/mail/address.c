#include "mail/address.h"

static bool is_plain(char c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || byte_is_digit(c))
        return true;
    return view_has(VIEW("!#$%&'*+-./=?^_`{|}~"), c);
}

static bool needs_quotes(struct view local)
{
    if (local.len == 0 || local.data[0] == '.' || local.data[local.len - 1] == '.')
        return true;
    for (size_t i = 0; i < local.len; i++) {
        if (!is_plain(local.data[i]))
            return true;
        if (i && local.data[i] == '.' && local.data[i - 1] == '.')
            return true;
    }
    return false;
}

bool address_split(struct view address, struct view *local, struct view *domain)
{
    size_t at = view_find_last(address, '@');
    bool found = at < address.len;
    *local = view_before(address, at);
    *domain = view_from(address, found ? at + 1 : at);
    return found;
}

void address_quote_local(struct bytes *out, struct view local)
{
    if (!needs_quotes(local)) {
        bytes_add(out, local);
        return;
    }
    bytes_add_byte(out, '"');
    for (size_t i = 0; i < local.len; i++) {
        if (view_has(VIEW("\r\n\"\\"), local.data[i]))
            bytes_add_byte(out, '\\');
        bytes_add_byte(out, local.data[i]);
    }
    bytes_add_byte(out, '"');
}

void address_quote(struct bytes *out, struct view address)
{
    struct view local, domain;
    if (address.len == 0)
        return;
    bool has_domain = address_split(address, &local, &domain);
    address_quote_local(out, local);
    if (has_domain) {
        bytes_add_byte(out, '@');
        bytes_add(out, domain);
    }
}
