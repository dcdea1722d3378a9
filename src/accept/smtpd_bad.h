/* smtpd_bad - the lists of senders, recipients and HELO names that are refused. */
#ifndef ACCEPT_SMTPD_BAD_H
#define ACCEPT_SMTPD_BAD_H

#include "mail/control.h"

/* Whether list has the address itself, "@" and its domain, or "@" and a suffix of
 * the domain that begins with a dot. The empty address is never bad. */
bool smtpd_bad_address(const struct control_list *list, struct view address);

/* Whether list has name itself or a suffix of it that begins with a dot. */
bool smtpd_bad_name(const struct control_list *list, struct view name);

#endif
