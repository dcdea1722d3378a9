#include "dotqmail/qreceipt.h"

#include "mail/address.h"
#include "mail/address_list.h"

struct search {
    struct view address;
    bool found;
};

static bool compare(void *arg, struct tokens *address)
{
    struct search *search = arg;
    struct bytes plain = {0};

    address_list_drop_route(address);
    tokens_add_plain(&plain, address);
    if (view_equal(bytes_view(&plain), search->address))
        search->found = true;
    bytes_free(&plain);
    return true;
}

enum qreceipt_answer qreceipt_lists(struct view value, struct view address)
{
    struct search search = {.address = address};
    struct tokens list = {0}, written = {0};

    bool good = tokens_read(&list, value) &&
                address_list_read(&list, &written, compare, &search);
    tokens_free(&list);
    tokens_free(&written);
    if (!good)
        return QRECEIPT_NO_LIST;
    return search.found ? QRECEIPT_WANTED : QRECEIPT_NOT_WANTED;
}

void qreceipt_add_notice(struct bytes *out, struct view sender, struct view address,
                         struct view message_id)
{
    struct bytes quoted = {0};

    address_quote(&quoted, sender);
    bytes_change(&quoted, '\n', '_'); /* or it would end the field */
    bytes_add_text(out, "From: DELIVERY NOTICE SYSTEM <");
    bytes_add(out, bytes_view(&quoted));
    bytes_add_text(out, ">\nTo: <");
    bytes_add(out, bytes_view(&quoted));
    bytes_add_text(out, ">\nSubject: success notice\n"
                        "\n"
                        "Hi! This is the qreceipt program. Your message was delivered "
                        "to the\nfollowing address: ");
    bytes_add(out, address);
    bytes_add_text(out, ". Thanks for asking.\n");
    if (message_id.len) {
        bytes_add_text(out, "Your ");
        bytes_add(out, message_id);
    }
    bytes_free(&quoted);
}
