/* A list of addresses that the sender made, an address that is looked for in it (up to
 * the first NUL), and the notice for it: the header is three fields whatever the
 * sender's address is, and an address is found where it is written. */
#include "dotqmail/qreceipt.h"

#include "fuzz.h"
#include "mail/address.h"

static void look_for_itself(struct view address)
{
    struct bytes list = {0};
    struct view local, domain;

    if (address.len == 0 || !address_split(address, &local, &domain) || !domain.len)
        return;
    for (size_t i = 0; i < domain.len; i++)
        if (byte_lower(domain.data[i]) < 'a' || byte_lower(domain.data[i]) > 'z')
            return;
    if (view_has(local, '\n')) /* folding, in quotes */
        return;
    bytes_add_text(&list, " other@x, <");
    address_quote(&list, address);
    bytes_add_text(&list, "> (it)\n");
    MUST(qreceipt_lists(bytes_view(&list), address) == QRECEIPT_WANTED);
    bytes_free(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view value = view_at((const char *)data, len);
    struct view address = view_cut(&value, '\0');
    struct bytes notice = {0};

    qreceipt_lists(value, address);
    look_for_itself(address);
    qreceipt_add_notice(&notice, address, VIEW("me@here"), VIEW("Message-ID: <x>\n"));
    struct view rest = bytes_view(&notice);
    MUST(view_starts(view_cut(&rest, '\n'), VIEW("From: DELIVERY NOTICE SYSTEM <")));
    MUST(view_starts(view_cut(&rest, '\n'), VIEW("To: <")));
    MUST(view_is(view_cut(&rest, '\n'), "Subject: success notice"));
    MUST(view_cut(&rest, '\n').len == 0);
    bytes_free(&notice);
    return 0;
}
