#include "mail/header.h"

#include "base/fd.h"
#include "base/writer.h"
#include "fault.h"
#include "tap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Fields are shown each ended by a bar, then the start of the body, then what the
 * reader has left. */
static const struct {
    const char *name, *input, *fields, *body;
} cases[] = {
    {"nothing", "", "", ""},
    {"one field", "A: b\n", "A: b\n|", ""},
    {"no line feed at the end", "A: b", "A: b\n|", ""},
    {"nor behind the colon", "A:", "A:\n|", ""},
    {"body", "A: b\n\nbody\n", "A: b\n|", "\nbody\n"},
    {"empty line first", "\nbody", "", "\nbody"},
    {"continuation", "A: b\n c\n\td\nE: f\n", "A: b\n c\n\td\n|E: f\n|", ""},
    {"continuation at the end", "A: b\n c", "A: b\n c\n|", ""},
    {"blank continuation", "A: b\n \nB: c\n", "A: b\n \n|B: c\n|", ""},
    {"continuation first", " a\nB: c\n", "", "\n a\nB: c\n"},
    {"From line", "From a@b\nA: b\n", "MBOX-Line: From a@b\n|A: b\n|", ""},
    {"From line later", "A: b\nFrom x\n y\n", "A: b\n|MBOX-Line: From x\n y\n|", ""},
    {"From line with a colon", "From : x\n", "MBOX-Line: From : x\n|", ""},
    {"From with a tab", "From\t: x\n", "From\t: x\n|", ""},
    {"from in small letters", "from x\n", "", "\nfrom x\n"},
    {"From alone", "From\n", "", "\nFrom\n"},
    {"white space before the colon", "A \t : b\n", "A \t : b\n|", ""},
    {"space in the name", "A: b\nC d: e\n", "A: b\n|", "\nC d: e\n"},
    {"no colon", "A: b\nCde\nF: g\n", "A: b\n|", "\nCde\nF: g\n"},
    {"no colon, no line feed", "A: b\nCde", "A: b\n|", "\nCde"},
    {"no name", "A: b\n: c\n", "A: b\n|", "\n: c\n"},
    {"eight bits in the name", "A\351: b\n", "", "\nA\351: b\n"},
    {"control byte in the name", "A\001: b\n", "", "\nA\001: b\n"},
    {"delete in the name", "A\177: b\n", "", "\nA\177: b\n"},
    {"any other byte may be in it", "!\"#(),;<>@[\\]~: b\n", "!\"#(),;<>@[\\]~: b\n|",
     ""},
    {"CR LF ends the header", "A: b\r\n\r\nc\r\n", "A: b\r\n|", "\n\r\nc\r\n"},
};

static int file_with(struct view content)
{
    char path[] = "/tmp/header.XXXXXX";
    int fd = mkstemp(path);
    if (fd == -1 || unlink(path) == -1 || !write_all(fd, content) ||
        lseek(fd, 0, SEEK_SET) == -1)
        abort();
    return fd;
}

static struct reader in;

static enum header_result read_all(struct header *h, struct view input,
                                   struct bytes *fields)
{
    struct bytes field = {0};
    enum header_result result;

    reader_open(&in, file_with(input), 0);
    header_open(h, &in);
    while ((result = header_next(h, &field)) == HEADER_FIELD) {
        bytes_add(fields, bytes_view(&field));
        bytes_add_byte(fields, '|');
    }
    bytes_free(&field);
    return result;
}

static void test_cases(void)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct header h;
        struct bytes fields = {0}, body = {0}, again = {0};
        struct view rest;
        ok(read_all(&h, view_of(cases[i].input), &fields) == HEADER_END, cases[i].name,
           "result");
        same(bytes_view(&fields), view_of(cases[i].fields), cases[i].name);
        ok(header_next(&h, &again) == HEADER_END, cases[i].name, "stays at its end");
        bytes_add(&body, header_body_start(&h));
        while (reader_peek(&in, &rest) == READ_ITEM) {
            bytes_add(&body, rest);
            reader_skip(&in, rest.len);
        }
        same(bytes_view(&body), view_of(cases[i].body), cases[i].name);
        header_free(&h);
        fd_close(&in.fd);
        bytes_free(&fields);
        bytes_free(&body);
        bytes_free(&again);
    }
}

/* head, then count times fill, then tail. */
static struct bytes long_text(const char *head, size_t count, char fill,
                              const char *tail)
{
    struct bytes text = {0};
    bytes_add_text(&text, head);
    bytes_reserve(&text, count);
    memset(text.data + text.len, fill, count);
    text.len += count;
    bytes_add_text(&text, tail);
    return text;
}

static void check_long(const char *name, struct bytes text, enum header_result want,
                       size_t want_fields)
{
    struct header h;
    struct bytes fields = {0};
    ok(read_all(&h, bytes_view(&text), &fields) == want, name, "result");
    same_number(fields.len, want_fields, name);
    header_free(&h);
    fd_close(&in.fd);
    bytes_free(&fields);
    bytes_free(&text);
}

static void test_limits(void)
{
    check_long("name over several buffers", long_text("", 100000, 'x', ": a\n"),
               HEADER_END, 100000 + 5);
    check_long("name at its limit", long_text("", HEADER_MAX_NAME, 'x', ":\n"),
               HEADER_END, HEADER_MAX_NAME + 3);
    check_long("name over its limit", long_text("", HEADER_MAX_NAME + 1, 'x', ":\n"),
               HEADER_END, 0);
    check_long("header at its limit", long_text("A:", HEADER_MAX - 3, 'x', "\n\nbody"),
               HEADER_END, HEADER_MAX + 1);
    check_long("another field, over the limit",
               long_text("A:", HEADER_MAX - 4, 'x', "\nB: c\n"), HEADER_TOO_LONG,
               HEADER_MAX);
    check_long("header over its limit", long_text("A:", HEADER_MAX - 2, 'x', "\n"),
               HEADER_TOO_LONG, 0);
}

static void test_failure(void)
{
    struct header h;
    struct bytes field = {0};
    reader_open(&in, -1, 0);
    header_open(&h, &in);
    ok(header_next(&h, &field) == HEADER_FAILED, "unreadable input", NULL);
    header_free(&h);
    bytes_free(&field);
}

/* Read byte by byte, the first of which fails: wherever that is, it is no end. */
static void test_faults(void)
{
    static const struct view text = VIEW_INIT("Ab: bc\n d\nE: f\n\nbody");
    unsigned failed = 0, ended = 0;
    for (int n = 1; n <= 16; n++) {
        struct header h;
        struct bytes field = {0};
        enum header_result result;
        int fd = file_with(text);
        reader_open(&in, fd, 0);
        reader_step(&in, 1);
        header_open(&h, &in);
        fault_at("read", n, EIO);
        while ((result = header_next(&h, &field)) == HEADER_FIELD)
            ;
        fault_end();
        failed += result == HEADER_FAILED;
        ended += result == HEADER_END;
        header_free(&h);
        bytes_free(&field);
        fd_close(&fd);
    }
    same_number(failed, 16, "each read fails");
    same_number(ended, 0, "each read fails: no header ends");
}

int main(void)
{
    test_cases();
    test_limits();
    test_failure();
    same(header_name(VIEW("Subject \t: a:b\n")), VIEW("Subject"), "name");
    same(header_value(VIEW("Subject \t: a:b\n")), VIEW(" a:b\n"), "value");
    test_faults();
    return tap_done();
}
