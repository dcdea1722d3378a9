/* address - mail addresses as bytes: split, quoted, shown.
 *
 * An envelope address is unquoted: no angle brackets, any bytes but NUL. */
#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H

#include "base/bytes.h"

/* Splits at the last '@'. Without one: false, local is all of address and domain
 * is empty. */
bool address_split(struct view address, struct view *local, struct view *domain);

/* Appends address as it must stand in a header or an SMTP command (RFC 5321,
 * 4.1.2): the part before the last '@', or all of it, in double quotes if it is
 * empty, begins or ends with a dot, has two dots in a row or a byte that is
 * neither letter, digit nor one of !#$%&'*+-./=?^_`{|}~. Inside the quotes CR,
 * LF, '"' and '\' get a backslash. The empty address stays empty. */
void address_quote(struct bytes *out, struct view address);

/* The same for a local part alone: the empty one becomes "". */
void address_quote_local(struct bytes *out, struct view local);

#endif
