/* An address and a list, each on lines of its own: the address is refused if an entry
 * is it, its "@domain", or "@" and a suffix of the domain that begins with a dot; a
 * name likewise; and a domain is let in by rcpthosts on the same terms. */
#include "accept/smtpd_bad.h"

#include "accept/rcpthosts.h"
#include "fuzz.h"
#include "mail/address.h"

/* Whether an entry is name, or a suffix of it with a dot in front; sign before both. */
static bool matches(struct view entries, const char *sign, struct view name)
{
    while (entries.len) {
        struct view entry = view_cut(&entries, '\n');
        if (entry.len == 0 || !view_starts(entry, view_of(sign)))
            continue;
        struct view rest = view_from(entry, view_of(sign).len);
        if (view_equal_case(rest, name))
            return true;
        if (view_starts(rest, VIEW(".")) && rest.len <= name.len &&
            view_equal_case(rest, view_from(name, name.len - rest.len)))
            return true;
    }
    return false;
}

static bool has_entry(struct view entries, struct view v)
{
    while (entries.len) {
        struct view entry = view_cut(&entries, '\n');
        if (entry.len && view_equal_case(entry, v))
            return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct control_list list = {0};
    struct rcpthosts hosts = {.more_fd = -1};
    struct view entries = view_at((const char *)data, len), local, domain;
    struct view address = view_cut(&entries, '\n');

    for (struct view rest = entries; rest.len;) {
        struct view entry = view_cut(&rest, '\n');
        if (entry.len)
            table_add(&list.table, entry, entry);
    }
    hosts.list = list;
    bool split = address_split(address, &local, &domain);
    bool bad = address.len && (has_entry(entries, address) ||
                               (split && matches(entries, "@", domain)));
    MUST(smtpd_bad_address(&list, address) == bad);
    MUST(address.len == 0 ||
         smtpd_bad_name(&list, address) == matches(entries, "", address));
    bool allowed = !split || (domain.len && matches(entries, "", domain));
    MUST(rcpthosts_check(&hosts, address) ==
         (allowed ? RCPTHOSTS_ALLOWED : RCPTHOSTS_REFUSED));
    table_free(&list.table);
    return 0;
}
