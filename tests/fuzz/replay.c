/* Feeds a corpus to a fuzz target, without a fuzzer, and prints TAP. The files are the
 * arguments; without any, those in the directory that belongs to the target:
 * .../tests/fuzz/ROOM/NAME.t takes tests/fuzz/ROOM/NAME.corpus. */
#include "fuzz.h"

#include "base/file.h"
#include "base/heap.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_INPUT = 1 << 20 };

static struct bytes input;
static int count;

static void replay(const char *path)
{
    if (file_read(path, MAX_INPUT, &input) != FILE_READ) {
        printf("Bail out! %s cannot be read\n", path);
        exit(1);
    }
    /* memory of exactly the input's size, so that a sanitizer sees its end */
    uint8_t *exact = heap_array(input.len, 1);
    if (input.len)
        memcpy(exact, input.data, input.len);
    LLVMFuzzerTestOneInput(exact, input.len);
    heap_free(exact);
    printf("ok %d - %s\n", ++count, path);
}

static void replay_directory(const char *program)
{
    struct bytes path = {0};
    const char *name = strstr(program, "tests/fuzz/");
    struct view stem = view_of(name ? name : program);
    bytes_add(&path, view_before(stem, view_find_last(stem, '.')));
    bytes_add_text(&path, ".corpus");
    DIR *dir = opendir(bytes_cstring(&path));
    if (!dir) {
        printf("Bail out! no %s\n", bytes_cstring(&path));
        exit(1);
    }
    size_t dir_len = path.len;
    for (const struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        bytes_cut(&path, dir_len);
        bytes_add_byte(&path, '/');
        bytes_add_text(&path, entry->d_name);
        replay(bytes_cstring(&path));
    }
    closedir(dir);
    bytes_free(&path);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    if (argc < 2)
        replay_directory(argv[0]);
    printf("1..%d\n", count);
    bytes_free(&input);
    return 0;
}
