/* fuzz - one parser fed with anything. Each target is linked with libFuzzer by
 * `make fuzz`, and by `make test` with replay.c, which feeds it its corpus. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Returns 0, or aborts where the parser breaks its promise. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#endif
