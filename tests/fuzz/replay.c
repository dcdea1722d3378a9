/* replay - feeds a fuzz target each file of its corpus; prints TAP.
 *
 * build/tests/fuzz/ROOM/NAME.t reads tests/fuzz/ROOM/NAME/, or the folder that is
 * its argument. */
#include "base/file.h"
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_INPUT = 1 << 20 };

/* "tests/fuzz/ROOM/NAME" out of the path of this program. */
static struct bytes corpus_of(const char *program)
{
    struct bytes path = {0};
    const char *tests = strstr(program, "tests/fuzz/");

    bytes_add_text(&path, tests ? tests : program);
    if (view_ends(bytes_view(&path), VIEW(".t")))
        bytes_cut(&path, path.len - 2);
    return path;
}

static void feed(unsigned number, const char *folder, const char *name)
{
    struct bytes path = {0}, input = {0};

    bytes_add_text(&path, folder);
    bytes_add_byte(&path, '/');
    bytes_add_text(&path, name);
    bool good = file_read(bytes_cstring(&path), MAX_INPUT, &input) == FILE_READ;
    if (good)
        LLVMFuzzerTestOneInput((const uint8_t *)input.data, input.len);
    printf("%s %u - %s\n", good ? "ok" : "not ok", number, name);
    bytes_free(&path);
    bytes_free(&input);
}

int main(int argc, char **argv)
{
    struct bytes folder = corpus_of(argv[0]);
    unsigned count = 0;

    if (argc > 1)
        bytes_set(&folder, view_of(argv[1]));
    const char *path = bytes_cstring(&folder);
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            feed(++count, path, entry->d_name);
    if (!dir || count == 0) {
        printf("not ok %u - nothing to feed in %s\n", ++count, path);
        printf("1..%u\n", count);
        return 1;
    }
    closedir(dir);
    bytes_free(&folder);
    printf("1..%u\n", count);
    return 0;
}
