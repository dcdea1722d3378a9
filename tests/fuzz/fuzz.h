/* fuzz - what a fuzz target offers: one input, any bytes; it aborts or trips a
 * sanitizer if a promise is broken. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#endif
