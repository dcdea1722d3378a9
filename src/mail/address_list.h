/* address_list - the addresses of a header field, as people really write them.
 *
 * Lists are read from right to left. Seen from there an address comes before the
 * display name in front of it, and a word that follows another word without a
 * comma can be told from a word that belongs to it: the comma is put in. Groups,
 * routes and comments are understood. */
#ifndef MAIL_ADDRESS_LIST_H
#define MAIL_ADDRESS_LIST_H

#include "mail/token.h"

/* Called for each address, from right to left, with its tokens in their order,
 * from the inside of the angle brackets where there are any. It may change them,
 * and what it leaves is what will stand in the list. False ends the reading. */
typedef bool address_list_visitor(void *arg, struct tokens *address);

/* Reads the list, which is a field's value, and makes written (replaced) the list
 * as it should stand in the field. written points to the text of list, and to
 * what visit put in. False where it is not a list, or where visit said so; some
 * addresses have been visited by then. */
bool address_list_read(const struct tokens *list, struct tokens *written,
                       address_list_visitor *visit, void *arg);

/* Takes a route away, "@relay,@relay:" in front of the address it leads to. One that
 * leads nowhere leaves nothing. */
void address_list_drop_route(struct tokens *address);

#endif
