/* qreceipt - the parts of qreceipt. */
#ifndef DOTQMAIL_QRECEIPT_H
#define DOTQMAIL_QRECEIPT_H

#include "base/bytes.h"

enum qreceipt_answer {
    QRECEIPT_WANTED, /* the list has the address */
    QRECEIPT_NOT_WANTED,
    QRECEIPT_NO_LIST /* it cannot be read */
};

/* Whether value, which is a field's, lists address: unquoted, byte for byte. */
enum qreceipt_answer qreceipt_lists(struct view value, struct view address);

/* Appends the notice for sender that mail for address has arrived. message_id is the
 * whole Message-ID field of the mail, or empty. */
void qreceipt_add_notice(struct bytes *out, struct view sender, struct view address,
                         struct view message_id);

#endif
