/* base64 - bytes as letters (RFC 4648, 4). */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/bytes.h"

/* Decodes all of text, which has its padding and no other bytes, line breaks
 * included. plain is replaced. False where text is not base64. */
bool base64_decode(struct view text, struct bytes *plain);

#endif
