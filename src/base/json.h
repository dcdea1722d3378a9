/* json - strings and members as JSON has them (RFC 8259).
 *
 * What is printed is an object or an array put together piece by piece; the caller
 * writes the brackets. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/bytes.h"

/* Appends v in quotes. Control characters, quotes and backslashes are escaped; what
 * is not UTF-8 becomes U+FFFD, one for each byte, since JSON cannot carry it. */
void json_add_string(struct bytes *out, struct view v);

/* Appends a comma, unless a value would be the first of its object or array: that
 * is, unless out is empty or ends in an opening bracket. */
void json_add_comma(struct bytes *out);

/* Append a comma where one is due, the name in quotes and a colon; and a value. */
void json_add_name(struct bytes *out, const char *name);
void json_add_text(struct bytes *out, const char *name, struct view value);
void json_add_number(struct bytes *out, const char *name, uint64_t value);
void json_add_bool(struct bytes *out, const char *name, bool value);

#endif
