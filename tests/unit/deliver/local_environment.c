#include "base/heap.h"
#include "deliver/local.h"

#include "tap.h"

#include <string.h>

static const struct {
    const char *name, *ext, *domain, *default_part, *variable, *want;
} cases[] = {
    {"no dash", "x", "h", NULL, "EXT2", ""},
    {"no dash", "x", "h", NULL, "EXT4", ""},
    {"first dash", "a-b", "h", NULL, "EXT2", "b"},
    {"first dash", "a-b", "h", NULL, "EXT3", ""},
    {"case stays", "A.b-C", "h", NULL, "EXT2", "C"},
    {"empty fields", "a--b", "h", NULL, "EXT2", "-b"},
    {"empty fields", "a--b", "h", NULL, "EXT3", "b"},
    {"empty fields", "a--b", "h", NULL, "EXT4", ""},
    {"many dashes", "a-b-c-d-e", "h", NULL, "EXT4", "d-e"},
    {"no dot", "", "localhost", NULL, "HOST4", "localhost"},
    {"one dot", "", "example.com", NULL, "HOST2", "example"},
    {"one dot", "", "example.com", NULL, "HOST3", "example"},
    {"one dot", "", "example.com", NULL, "HOST4", "example"},
    {"three dots", "", "a.b.c.d", NULL, "HOST2", "a.b.c"},
    {"three dots", "", "a.b.c.d", NULL, "HOST3", "a.b"},
    {"three dots", "", "a.b.c.d", NULL, "HOST4", "a"},
    {"final dot", "", "a.b.", NULL, "HOST2", "a.b"},
    {"empty domain", "", "", NULL, "HOST4", ""},
    {"default", "a-b", "h", "b", "DEFAULT", "b"},
    {"empty default", "a-", "h", "", "DEFAULT", ""},
    {"no default of ours", "a", "h", NULL, "DEFAULT", "inherited"},
    {"recipient", "", "H.x", NULL, "RECIPIENT", "L@H.x"},
    {"inherited and replaced", "", "h", NULL, "USER", "u"},
    {"inherited and kept", "", "h", NULL, "PATH", "/bin"},
    {"a longer name is another", "", "h", NULL, "USERS", "many"},
    {"lines", "", "h", NULL, "DTLINE", "dt\n"},
    {"lines", "", "h", NULL, "RPLINE", "rp\n"},
    {"lines", "", "h", NULL, "UFLINE", "uf\n"},
    {"senders", "", "h", NULL, "SENDER", "s"},
    {"senders", "", "h", NULL, "NEWSENDER", "n"},
};

/* The value of a variable, which must be there once; NULL if not. */
static const char *value_of(char *const *all, const char *name)
{
    const char *value = NULL;
    size_t len = strlen(name);
    for (; *all; all++)
        if (strncmp(*all, name, len) == 0 && (*all)[len] == '=') {
            if (value)
                return NULL;
            value = *all + len + 1;
        }
    return value;
}

static void set(struct bytes *b, const char *text)
{
    bytes_set(b, view_of(text));
}

int main(void)
{
    static char user[] = "USER=root", again[] = "USER=twice", path[] = "PATH=/bin",
                users[] = "USERS=many", odd[] = "odd", def[] = "DEFAULT=inherited";
    char *const inherited[] = {user, path, users, odd, def, again, NULL};
    struct local d = {
        .user = "u", .home = "/h", .local = "L", .dash = "-", .sender = "s"};

    set(&d.new_sender, "n");
    set(&d.delivered_to, "dt\n");
    set(&d.return_path, "rp\n");
    set(&d.from, "uf\n");
    for (size_t i = 0; i < COUNT(cases); i++) {
        d.ext = cases[i].ext;
        d.domain = cases[i].domain;
        d.default_part = cases[i].default_part;
        char **all = local_environment(&d, inherited);
        const char *value = value_of(all, cases[i].variable);
        ok(value != NULL, cases[i].name, "is there once");
        if (value)
            same(view_of(value), view_of(cases[i].want), cases[i].name);
        /* the entries of ours begin with USER, at the start of what was allocated */
        for (char **entry = all; *entry; entry++)
            if (strcmp(*entry, "USER=u") == 0) {
                heap_free(*entry);
                break;
            }
        heap_free(all);
    }
    bytes_free(&d.new_sender);
    bytes_free(&d.delivered_to);
    bytes_free(&d.return_path);
    bytes_free(&d.from);
    return tap_done();
}
