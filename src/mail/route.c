#include "mail/route.h"

#include "mail/address.h"
#include "mail/domain.h"

static bool is_fine(enum control_result result)
{
    return result != CONTROL_FAILED;
}

bool route_locals_read(struct control_list *locals, const struct bytes *me)
{
    enum control_result result = control_read_list("locals", locals);
    if (result != CONTROL_ABSENT)
        return is_fine(result);
    if (!me)
        return false;
    bytes_set(&locals->entries, bytes_view(me));
    struct view entry = bytes_view(&locals->entries);
    table_add(&locals->table, entry, entry);
    return true;
}

bool route_rules_read(struct route_rules *rules, const struct bytes *me)
{
    return route_locals_read(&rules->locals, me) &&
           is_fine(control_read_map("virtualdomains", &rules->virtualdomains)) &&
           is_fine(control_read_list("percenthack", &rules->percenthack)) &&
           is_fine(
               control_line_or_me("envnoathost", "envnoathost", &rules->envnoathost));
}

/* "a%b%c@h" with h in percenthack becomes "a%b@c", and so on. */
static void undo_percents(const struct route_rules *rules, struct bytes *address)
{
    struct view local, domain;
    while (address_split(bytes_view(address), &local, &domain) &&
           control_list_has(&rules->percenthack, domain)) {
        size_t percent = view_find_last(local, '%');
        if (percent == local.len)
            return;
        bytes_cut(address, local.len);
        address->data[percent] = '@';
    }
}

/* The PREPEND that virtualdomains has for address. */
static bool find_virtual(const struct route_rules *rules, struct view address,
                         struct view domain, struct view *prepend)
{
    const struct table *t = &rules->virtualdomains.table;
    return table_find(t, address, prepend) ||
           domain_find_or_default(t, domain, prepend);
}

enum route route_recipient(const struct route_rules *rules, struct view recipient,
                           struct bytes *out)
{
    struct view local, domain, prepend;

    bytes_set(out, recipient);
    if (!view_has(recipient, '@')) {
        bytes_add_byte(out, '@');
        bytes_add(out, bytes_view(&rules->envnoathost));
    }
    undo_percents(rules, out);

    address_split(bytes_view(out), &local, &domain);
    if (control_list_has(&rules->locals, domain))
        return ROUTE_LOCAL;
    if (!find_virtual(rules, bytes_view(out), domain, &prepend) || prepend.len == 0)
        return ROUTE_REMOTE;

    struct bytes plain = *out;
    *out = (struct bytes){0};
    bytes_set(out, prepend);
    bytes_add_byte(out, '-');
    bytes_add(out, bytes_view(&plain));
    bytes_free(&plain);
    return ROUTE_LOCAL;
}

/* Keys that are whole addresses: some "PREPEND-ADDRESS" with a line
 * ADDRESS:PREPEND. The longest ADDRESS is tried first. */
static bool strip_address_prefix(const struct route_rules *rules, struct view rewritten,
                                 struct view local, struct view *plain)
{
    for (size_t i = 0; i < local.len; i++) {
        struct view prepend;
        if (local.data[i] != '-')
            continue;
        *plain = view_from(rewritten, i + 1);
        if (table_find(&rules->virtualdomains.table, *plain, &prepend) &&
            view_equal(prepend, view_before(rewritten, i)))
            return true;
    }
    return false;
}

struct view route_without_prefix(const struct route_rules *rules, struct view rewritten)
{
    const struct table *t = &rules->virtualdomains.table;
    struct view local, domain, prepend, plain;

    if (!address_split(rewritten, &local, &domain) ||
        control_list_has(&rules->locals, domain))
        return rewritten;
    if (strip_address_prefix(rules, rewritten, local, &plain))
        return plain;
    if (domain_find_or_default(t, domain, &prepend) && prepend.len &&
        view_starts(rewritten, prepend) && rewritten.len > prepend.len &&
        rewritten.data[prepend.len] == '-')
        return view_from(rewritten, prepend.len + 1);
    return rewritten;
}
