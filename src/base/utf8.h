/* utf8 - telling UTF-8 from other bytes (RFC 3629). */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/bytes.h"

/* What stands for bytes that are none: U+FFFD. */
#define UTF8_REPLACEMENT "\xef\xbf\xbd"

/* The length of the character that v, which is not empty, begins with; 0 where it
 * begins with none: section 4 knows no overlong forms, no surrogates, nothing beyond
 * U+10FFFF. */
size_t utf8_length(struct view v);

/* The number of a character of that length. */
uint32_t utf8_number(struct view character);

#endif
