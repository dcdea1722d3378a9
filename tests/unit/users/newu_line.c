#include "users/newu.h"

#include "tap.h"

#define TAIL \
    "u\0"    \
    "1\0"    \
    "2\0/h\0"

static const struct {
    const char *name;
    struct view line;
    enum newu_line kind;
    struct view key, data;
} cases[] = {
    {"simple", VIEW_INIT("=joe:u:1:2:/h:::"), NEWU_RECORD, VIEW_INIT("!joe\0"),
     VIEW_INIT(TAIL "\0")},
    {"dash and ext", VIEW_INIT("=joe:u:1:2:/h:-:ext:"), NEWU_RECORD,
     VIEW_INIT("!joe\0"), VIEW_INIT(TAIL "-\0ext")},
    {"upper case", VIEW_INIT("=Joe.X:U:1:2:/H:-:E:"), NEWU_RECORD,
     VIEW_INIT("!joe.x\0"),
     VIEW_INIT("U\0"
               "1\0"
               "2\0/H\0-\0E")},
    {"wildcard", VIEW_INIT("+joe-:u:1:2:/h:-::"), NEWU_RECORD, VIEW_INIT("!joe-"),
     VIEW_INIT(TAIL "-\0")},
    {"wildcard that ends in a capital", VIEW_INIT("+MailX:u:1:2:/h:-::"), NEWU_RECORD,
     VIEW_INIT("!mailx"), VIEW_INIT(TAIL "-\0")},
    {"wildcard again", VIEW_INIT("+sue-:u:1:2:/h:-:pre:"), NEWU_RECORD,
     VIEW_INIT("!sue-"), VIEW_INIT(TAIL "-\0pre")},
    {"catch-all", VIEW_INIT("+:u:1:2:/h:-::"), NEWU_RECORD, VIEW_INIT("!"),
     VIEW_INIT(TAIL "-\0")},
    {"empty local part", VIEW_INIT("=:u:1:2:/h:::"), NEWU_RECORD, VIEW_INIT("!\0"),
     VIEW_INIT(TAIL "\0")},
    {"other first byte", VIEW_INIT("#joe:u:1:2:/h:::"), NEWU_RECORD,
     VIEW_INIT("!joe\0"), VIEW_INIT(TAIL "\0")},
    {"more behind", VIEW_INIT("=joe:u:1:2:/h:::rest:x"), NEWU_RECORD,
     VIEW_INIT("!joe\0"), VIEW_INIT(TAIL "\0")},
    {"odd fields", VIEW_INIT("=joe::x::::e\tf:"), NEWU_RECORD, VIEW_INIT("!joe\0"),
     VIEW_INIT("\0x\0\0\0\0e\tf")},
    {"six colons", VIEW_INIT("=joe:u:1:2:/h:-:e"), NEWU_BAD, {NULL, 0}, {NULL, 0}},
    {"no colon", VIEW_INIT("=joe"), NEWU_BAD, {NULL, 0}, {NULL, 0}},
    {"one byte", VIEW_INIT("="), NEWU_BAD, {NULL, 0}, {NULL, 0}},
    {"empty", VIEW_INIT(""), NEWU_BAD, {NULL, 0}, {NULL, 0}},
    {"colon first", VIEW_INIT(":joe:u:1:2:/h:::"), NEWU_BAD, {NULL, 0}, {NULL, 0}},
    {"NUL", VIEW_INIT("=joe:u:1:2:/h\0:::"), NEWU_BAD, {NULL, 0}, {NULL, 0}},
    {"NUL behind the last colon",
     VIEW_INIT("=joe:u:1:2:/h:::\0"),
     NEWU_BAD,
     {NULL, 0},
     {NULL, 0}},
    {"end", VIEW_INIT("."), NEWU_END, {NULL, 0}, {NULL, 0}},
    {"end with more", VIEW_INIT(".anything\0"), NEWU_END, {NULL, 0}, {NULL, 0}},
};

int main(void)
{
    struct newu_wildcards wildcards = {0};
    struct bytes key = {0}, data = {0};

    for (size_t i = 0; i < COUNT(cases); i++) {
        enum newu_line kind = newu_read(cases[i].line, &key, &data, &wildcards);
        same_number(kind, cases[i].kind, cases[i].name);
        if (kind != NEWU_RECORD)
            continue;
        same(bytes_view(&key), cases[i].key, cases[i].name);
        same(bytes_view(&data), cases[i].data, cases[i].name);
    }
    same(bytes_view(&wildcards.list), VIEW("-x"), "wildcard bytes");
    bytes_free(&wildcards.list);
    bytes_free(&key);
    bytes_free(&data);
    return tap_done();
}
