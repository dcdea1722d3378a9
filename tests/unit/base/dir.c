#include "base/dir.h"
#include "base/bytes.h"

#include "tap.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static void collect(void *arg, const char *name)
{
    bytes_add_text(arg, name);
    bytes_add_byte(arg, ' ');
    unlink(name); /* nothing may depend on what is done with a name */
}

int main(void)
{
    static const char *const names[] = {"b", "a", "B", ".x", "10", "9", "\377"};
    struct bytes got = {0};

    scratch();
    ok(dir_each_name(".", collect, &got) && got.len == 0, "an empty directory", NULL);
    for (size_t i = 0; i < COUNT(names); i++)
        make_file(names[i], VIEW(""));
    mkdir("d", 0755);
    ok(dir_each_name(".", collect, &got), "all names", NULL);
    same(bytes_view(&got), VIEW(".x 10 9 B a b d \377 "), "in order");
    bytes_clear(&got);
    for (int i = 0; i < 200; i++) {
        struct bytes name = {0};
        bytes_add_format(&name, "f%03d", i);
        make_file(bytes_cstring(&name), VIEW(""));
        bytes_free(&name);
    }
    ok(dir_each_name(".", collect, &got), "many names", NULL);
    same_number(got.len, 200 * 5 + 2, "all of them");
    ok(!dir_each_name("nowhere", collect, &got) && errno == ENOENT, "absent", NULL);
    make_file("file", VIEW(""));
    ok(!dir_each_name("file", collect, &got) && errno == ENOTDIR, "a file", NULL);
    bytes_free(&got);
    return tap_done();
}
