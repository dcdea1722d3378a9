#include "mail/control.h"

#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file read as each of the kinds. NULL: as if it were absent. */
static const struct {
    const char *name;
    struct view content;
    struct view line;
    int64_t number; /* -1: none */
    const char *list, *map;
} cases[] = {
    {"plain", VIEW_INIT("x.test\n"), VIEW_INIT("x.test"), -1, "x.test|", ""},
    {"empty file", VIEW_INIT(""), VIEW_INIT(""), -1, "", ""},
    {"empty line", VIEW_INIT("\nx\n"), VIEW_INIT(""), -1, "x|", ""},
    {"no line feed", VIEW_INIT("a\nb"), VIEW_INIT("a"), -1, "a|b|", ""},
    {"white space at the end", VIEW_INIT("a \t \nb\t\n"), VIEW_INIT("a"), -1, "a|b|",
     ""},
    {"white space before", VIEW_INIT(" \ta\n"), VIEW_INIT(" \ta"), -1, " \ta|", ""},
    {"white space alone", VIEW_INIT(" \t\n"), VIEW_INIT(""), -1, "", ""},
    {"CR LF", VIEW_INIT("a\r\nb\r\n"), VIEW_INIT("a"), -1, "a|b|", ""},
    {"space CR LF", VIEW_INIT("a \r\n"), VIEW_INIT("a"), -1, "a|", ""},
    {"CR elsewhere", VIEW_INIT("a\rb\r \nc\r"), VIEW_INIT("a\rb\r"), -1, "a\rb\r|c\r|",
     ""},
    {"comment", VIEW_INIT("#x\ny\n"), VIEW_INIT("#x"), -1, "y|", ""},
    {"no comment", VIEW_INIT(" #x\n"), VIEW_INIT(" #x"), -1, " #x|", ""},
    {"NUL", VIEW_INIT("a\0b:c\0\0#d\n"), VIEW_INIT("a\0b:c\0\0#d"), -1, "a|b:c|#d|",
     "b=c|"},
    {"NUL at the ends", VIEW_INIT("\0a\0\n"), VIEW_INIT("\0a\0"), -1, "a|", ""},
    {"map", VIEW_INIT("a:b\nc:\n:d\ne:f:g\nh\n"), VIEW_INIT("a:b"), -1,
     "a:b|c:|:d|e:f:g|h|", "a=b|c=|=d|e=f:g|"},
    {"equal keys", VIEW_INIT("A:1\na:2\n"), VIEW_INIT("A:1"), -1, "A:1|a:2|", "a=2|"},
    {"8-bit", VIEW_INIT("\xe4\xff\n"), VIEW_INIT("\xe4\xff"), -1, "\xe4\xff|", ""},
    {"number", VIEW_INIT("20\n"), VIEW_INIT("20"), 20, "20|", ""},
    {"number with text", VIEW_INIT("20 seconds\n"), VIEW_INIT("20 seconds"), 20,
     "20 seconds|", ""},
    {"zero", VIEW_INIT("0"), VIEW_INIT("0"), 0, "0|", ""},
    {"leading zeros", VIEW_INIT("0012"), VIEW_INIT("0012"), 12, "0012|", ""},
    {"the largest", VIEW_INIT("2147483647"), VIEW_INIT("2147483647"), 2147483647,
     "2147483647|", ""},
    {"larger", VIEW_INIT("2147483648"), VIEW_INIT("2147483648"), 2147483647,
     "2147483648|", ""},
    {"beyond 32 bits", VIEW_INIT("4294967297"), VIEW_INIT("4294967297"), 2147483647,
     "4294967297|", ""},
    {"beyond 64 bits", VIEW_INIT("18446744073709551617"),
     VIEW_INIT("18446744073709551617"), 2147483647, "18446744073709551617|", ""},
    {"negative", VIEW_INIT("-5"), VIEW_INIT("-5"), -1, "-5|", ""},
    {"space before digits", VIEW_INIT(" 7"), VIEW_INIT(" 7"), -1, " 7|", ""},
};

/* Trouble, which must not pass for an absent file. */
static const struct {
    const char *name, *file;
    enum control_result result;
} troubles[] = {
    {"absent", "absent", CONTROL_ABSENT},
    {"directory", "directory", CONTROL_FAILED},
    {"dangling link", "dangling", CONTROL_FAILED},
    {"link to itself", "loop", CONTROL_FAILED},
    {"no permission", "secret", CONTROL_FAILED},
};

static void show_list(const struct control_list *list, struct bytes *out)
{
    struct view rest = bytes_view(&list->entries), entry;
    bytes_clear(out);
    while (control_list_next(&rest, &entry)) {
        bytes_add(out, entry);
        bytes_add_byte(out, '|');
        if (!control_list_has(list, entry))
            bytes_add_text(out, "(not found)");
    }
}

/* Every key=value| of want is there, and no other. */
static bool map_is(const struct control_list *map, struct view want)
{
    size_t count = 0;
    while (want.len) {
        struct view pair = view_cut(&want, '|'), value;
        struct view key = view_cut(&pair, '=');
        if (!table_find(&map->table, key, &value) || !view_equal(value, pair))
            return false;
        count++;
    }
    return map->table.count == count;
}

static void kinds(void)
{
    struct bytes value = {0}, shown = {0};
    struct control_list list = {0}, map = {0};

    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *name = cases[i].name;
        uint64_t number = 99;
        make_file("control/file", cases[i].content);
        ok(control_line("file", &value) == CONTROL_READ, name, "line");
        same(bytes_view(&value), cases[i].line, name);
        bool has = cases[i].number != -1;
        ok(control_number("file", &number) == (has ? CONTROL_READ : CONTROL_ABSENT),
           name, "number");
        same_number(number, has ? (uint64_t)cases[i].number : 99, name);
        number = 99;
        ok(control_size("file", &number) == (has ? CONTROL_READ : CONTROL_ABSENT), name,
           "size");
        ok(has || number == 99, name, "no size changes nothing");
        ok(control_read_list("file", &list) == CONTROL_READ, name, "list");
        show_list(&list, &shown);
        same(bytes_view(&shown), view_of(cases[i].list), name);
        ok(control_read_list_at("control/file", &list) == CONTROL_READ, name, "at");
        ok(control_read_map("file", &map) == CONTROL_READ &&
               map_is(&map, view_of(cases[i].map)),
           name, "map");
    }
    make_file("control/file", VIEW("One\ntwo\n"));
    control_read_list("file", &list);
    ok(control_list_has(&list, VIEW("oNE")) && !control_list_has(&list, VIEW("on")),
       "entries without regard to case", NULL);
    control_list_free(&list);
    control_list_free(&map);
    bytes_free(&value);
    bytes_free(&shown);
}

static void trouble(void *arg)
{
    enum control_result want = troubles[*(size_t *)arg].result;
    const char *file = troubles[*(size_t *)arg].file;
    struct bytes value = {0}, shown = {0};
    struct control_list list = {0};
    uint64_t number = 99;

    if (geteuid() == 0 && (setgid(65534) == -1 || setuid(65534) == -1))
        _exit(9);
    bytes_set(&value, VIEW("old"));
    control_read_list("old", &list);
    if (control_line(file, &value) != want || !view_is(bytes_view(&value), "old"))
        _exit(1);
    if (control_number(file, &number) != want || number != 99)
        _exit(2);
    if (control_read_list(file, &list) != want || control_read_map(file, &list) != want)
        _exit(3);
    show_list(&list, &shown);
    if (!view_is(bytes_view(&shown), "kept|"))
        _exit(4);
    if (control_line_or_me(file, "literal", &value) !=
        (want == CONTROL_ABSENT ? CONTROL_READ : want))
        _exit(5);
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){3, 3});
    _exit(control_line("old", &value) == CONTROL_FAILED && errno == EMFILE ? 0 : 6);
}

static void defaults(void)
{
    struct bytes value = {0};

    unlink("control/file");
    ok(control_line_or_me("file", NULL, &value) == CONTROL_ABSENT, "nothing", NULL);
    ok(control_line_or_me("file", "literal", &value) == CONTROL_READ, "literal", NULL);
    same(bytes_view(&value), VIEW("literal"), "literal");
    make_file("control/me", VIEW("my.name \n"));
    ok(control_line_or_me("file", "literal", &value) == CONTROL_READ, "me", NULL);
    same(bytes_view(&value), VIEW("my.name"), "me");
    make_file("control/me", VIEW(""));
    ok(control_line_or_me("file", "literal", &value) == CONTROL_READ, "empty me", NULL);
    same(bytes_view(&value), VIEW(""), "empty me");
    make_file("control/file", VIEW(""));
    make_file("control/me", VIEW("my.name\n"));
    ok(control_line_or_me("file", "literal", &value) == CONTROL_READ, "empty file",
       NULL);
    same(bytes_view(&value), VIEW(""), "empty file");
    unlink("control/file");
    unlink("control/me");
    ok(mkdir("control/me", 0755) == 0, "me", "made a directory");
    ok(control_line_or_me("file", "literal", &value) == CONTROL_FAILED,
       "me cannot be read", NULL);
    bytes_free(&value);
}

static const struct {
    const char *value; /* NULL: unset */
    uint64_t want;
} variables[] = {
    {NULL, 7}, {"", 7},        {"x", 7},
    {" 5", 7}, {"-5", 7},      {"0", 0},
    {"5", 5},  {"5 bytes", 5}, {"99999999999999999999", UINT64_MAX},
};

static void environment(void)
{
    for (size_t i = 0; i < COUNT(variables); i++) {
        uint64_t n = 7;
        if (variables[i].value)
            setenv("DATABYTES", variables[i].value, 1);
        else
            unsetenv("DATABYTES");
        control_environment("DATABYTES", &n);
        same_number(n, variables[i].want, "environment");
    }
}

int main(void)
{
    environment();
    scratch();
    chmod(".", 0755);
    mkdir("control", 0755);
    kinds();
    make_file("control/old", VIEW("kept\n"));
    make_file("control/secret", VIEW("1\n"));
    chmod("control/old", 0644);
    chmod("control/secret", 0);
    ok(mkdir("control/directory", 0755) == 0 &&
           symlink("nowhere", "control/dangling") == 0 &&
           symlink("loop", "control/loop") == 0,
       "made", NULL);
    for (size_t i = 0; i < COUNT(troubles); i++)
        same_number((uint64_t)run_apart(trouble, &i, NULL), 0, troubles[i].name);
    defaults();
    return tap_done();
}
