#include "users/checkpassword.h"

#include "base/fd.h"

#include "tap.h"

#include <unistd.h>

static const struct {
    const char *name;
    struct view input;
    enum checkpassword_input result;
    const char *user, *password;
} cases[] = {
    {"plain", VIEW_INIT("joe\0secret\0<1.2@h>\0"), CHECKPASSWORD_READ, "joe", "secret"},
    {"more behind", VIEW_INIT("joe\0secret\0\0more\0x"), CHECKPASSWORD_READ, "joe",
     "secret"},
    {"empty strings", VIEW_INIT("\0\0\0"), CHECKPASSWORD_READ, "", ""},
    {"any bytes", VIEW_INIT("j\xf6\n\0 \xff \0\0"), CHECKPASSWORD_READ, "j\xf6\n",
     " \xff "},
    {"nothing", VIEW_INIT(""), CHECKPASSWORD_NOTHING, NULL, NULL},
    {"one string", VIEW_INIT("joe\0"), CHECKPASSWORD_NOTHING, NULL, NULL},
    {"two strings", VIEW_INIT("joe\0secret\0"), CHECKPASSWORD_NOTHING, NULL, NULL},
    {"third not ended", VIEW_INIT("joe\0secret\0<1.2@h>"), CHECKPASSWORD_NOTHING, NULL,
     NULL},
};

/* name NUL, a password that makes the input so long, NUL, NUL. */
static enum checkpassword_input of_length(size_t len)
{
    struct bytes text = {0}, input = {0};
    struct checkpassword_claim claim;

    bytes_add(&text, VIEW("joe\0"));
    while (text.len < len - 2)
        bytes_add_byte(&text, 'x');
    bytes_add(&text, VIEW("\0\0"));
    make_file("long", bytes_view(&text));
    int fd = fd_open_read("long");
    enum checkpassword_input result = checkpassword_read(fd, &input, &claim);
    fd_close(&fd);
    bytes_free(&text);
    bytes_free(&input);
    return result;
}

int main(void)
{
    struct bytes input = {0};
    struct checkpassword_claim claim;

    scratch();
    for (size_t i = 0; i < COUNT(cases); i++) {
        make_file("input", cases[i].input);
        int fd = fd_open_read("input");
        bytes_clear(&input);
        enum checkpassword_input result = checkpassword_read(fd, &input, &claim);
        same_number(result, cases[i].result, cases[i].name);
        if (result == CHECKPASSWORD_READ && cases[i].user) {
            same(view_of(claim.name), view_of(cases[i].user), cases[i].name);
            same(view_of(claim.password), view_of(cases[i].password), cases[i].name);
        }
        fd_close(&fd);
    }
    same_number(of_length(512), CHECKPASSWORD_READ, "512 bytes");
    same_number(of_length(513), CHECKPASSWORD_TOO_LONG, "513 bytes");
    same_number(of_length(100000), CHECKPASSWORD_TOO_LONG, "many bytes");
    bytes_clear(&input);
    same_number(checkpassword_read(-1, &input, &claim), CHECKPASSWORD_NOTHING,
                "no descriptor");
    int dir = fd_open_read(".");
    same_number(checkpassword_read(dir, &input, &claim), CHECKPASSWORD_UNREADABLE,
                "a directory");
    return tap_done();
}
