#include "accept/smtpd_bad.h"

#include "mail/address.h"
#include "mail/domain.h"

bool smtpd_bad_address(const struct control_list *list, struct view address)
{
    struct view local, domain;

    if (list->table.count == 0 || address.len == 0)
        return false;
    if (control_list_has(list, address))
        return true;
    if (!address_split(address, &local, &domain))
        return false;
    if (control_list_has(list, view_from(address, local.len))) /* "@domain" */
        return true;
    struct bytes entry = {0};
    bool bad = false;
    for (size_t i = 0; i < domain.len && !bad; i++) {
        if (domain.data[i] != '.')
            continue;
        bytes_set(&entry, VIEW("@"));
        bytes_add(&entry, view_from(domain, i));
        bad = control_list_has(list, bytes_view(&entry));
    }
    bytes_free(&entry);
    return bad;
}

bool smtpd_bad_name(const struct control_list *list, struct view name)
{
    return domain_find(&list->table, name, NULL);
}
