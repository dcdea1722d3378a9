#include "admin/showctl.h"
#include "conf.h"

#include "tap.h"

static const struct {
    const char *name, *file;
    struct view content;
    const char *want; /* places and how findings begin, a line each */
} cases[] = {
    {"a good list", "locals", VIEW_INIT("a.test\n# remark \r\n\n \t\nb.test"), ""},
    {"spaces at the end", "locals", VIEW_INIT("a.test \n#x \nb.test\t\n"),
     "1: ends in white space\n3: ends in white space\n"},
    {"a carriage return", "locals", VIEW_INIT("a.test\r\n"), "1: ends in a carriage\n"},
    {"one in the last line", "locals", VIEW_INIT("a.test\r"), "1: holds a carriage\n"},
    {"one inside", "locals", VIEW_INIT("a\rb\n"), "1: holds a carriage\n"},
    {"NUL", "rcpthosts", VIEW_INIT("a.test\nb\0c\n"), "2: holds a NUL\n"},
    {"an odd domain", "rcpthosts", VIEW_INIT("a.test\n*.test\n"),
     "2: \"*.test\" cannot be a domain\n"},
    {"no colon", "virtualdomains", VIEW_INIT("a.test\n"), "1: \"a.test\" has no co\n"},
    {"a key twice", "virtualdomains", VIEW_INIT("a.test:x\nb.test:x\nA.test:y\n"),
     "3: \"A.test:y\" has a key that stands\n"},
    {"the same twice", "smtproutes", VIEW_INIT("a.test:x.test\na.test:x.test\n"), ""},
    {"two families", "outgoingip", VIEW_INIT("192.0.2.1\n[2001:db8::1]\n"), ""},
    {"two of one", "outgoingip", VIEW_INIT("192.0.2.1\n192.0.2.2\n"),
     "2: \"192.0.2.2\" has a key that stands\n"},
    {"a number", "queuelifetime", VIEW_INIT("100\nten\n"), ""},
    {"no number", "queuelifetime", VIEW_INIT("ten\n"), "1: \"ten\" is no number\n"},
    {"an empty file", "queuelifetime", VIEW_INIT(""), "\"\" is no number\n"},
    {"a large number", "queuelifetime", VIEW_INIT("2147483648\n"),
     "1: \"2147483648\" is too large\n"},
    {"the largest", "queuelifetime", VIEW_INIT("2147483647\n"), ""},
    {"a large size", "databytes", VIEW_INIT("2147483648\n"), ""},
    {"concurrency", "concurrencylocal", VIEW_INIT("65536\n"),
     "1: \"65536\" is above the limit\n"},
    {"a line", "me", VIEW_INIT("mail.test\nand more\n"), ""},
    {"a line with spaces", "me", VIEW_INIT("mail.test  \n"),
     "1: ends in white space\n"},
    {"an empty name", "helohost", VIEW_INIT("\n"), "1: \"\" the name is empty\n"},
    {"a database is not text", "morercpthosts.cdb", VIEW_INIT("\0\r"), ""},
    {"odd bytes are not shown", "locals", VIEW_INIT("\033[2J\351\n"),
     "1: \"?[2J?\" cannot be\n"},
};

/* Whether findings begin as the lines of want say. */
static void compare(struct view got, struct view want, const char *file,
                    const char *name)
{
    struct bytes start = {0};
    while (want.len && got.len) {
        struct view line = view_cut(&got, '\n'), wanted = view_cut(&want, '\n');
        bytes_clear(&start);
        bytes_add_format(&start, CONF_QMAIL "/control/%s:", file);
        bytes_add_text(&start, byte_is_digit(wanted.data[0]) ? "" : " ");
        bytes_add(&start, wanted);
        if (!view_starts(line, bytes_view(&start)))
            same(line, bytes_view(&start), name);
    }
    same(got, want, name);
    bytes_free(&start);
}

int main(void)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct showctl_findings f = {0};
        showctl_check_lines(&f, showctl_file_named(cases[i].file), cases[i].content);
        compare(bytes_view(&f.out), view_of(cases[i].want), cases[i].file,
                cases[i].name);
        bytes_free(&f.out);
    }
    struct showctl_findings f = {.as_json = true};
    showctl_check_lines(&f, showctl_file_named("locals"), VIEW("a\"b\n"));
    same(bytes_view(&f.out),
         VIEW("{\"file\":\"" CONF_QMAIL "/control/locals\",\"line\":1,"
              "\"entry\":\"a\\\"b\",\"problem\":\"cannot be a domain\","
              "\"remedy\":\"correct it\"}"),
         "as JSON");
    bytes_free(&f.out);
    return tap_done();
}
