/* Feeds the files named as arguments to a fuzz target, one after the other: a corpus
 * is replayed without a fuzzer. Prints TAP. */
#include "fuzz.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_INPUT = 1 << 20 };

int main(int argc, char **argv)
{
    struct bytes input = {0};
    for (int i = 1; i < argc; i++) {
        if (file_read(argv[i], MAX_INPUT, &input) != FILE_READ) {
            printf("Bail out! %s cannot be read\n", argv[i]);
            return 1;
        }
        /* memory of exactly the input's size, so that a sanitizer sees its end */
        uint8_t *exact = malloc(input.len ? input.len : 1);
        if (!exact)
            return 1;
        if (input.len)
            memcpy(exact, input.data, input.len);
        LLVMFuzzerTestOneInput(exact, input.len);
        free(exact);
        printf("ok %d - %s\n", i, argv[i]);
    }
    printf("1..%d\n", argc - 1);
    bytes_free(&input);
    return 0;
}
