#include "mailbox/pop3d_text.h"

#include "base/fd.h"
#include "base/file.h"

#include "tap.h"

#include <fcntl.h>
#include <unistd.h>

static const struct {
    const char *name, *text;
    uint64_t lines;
    const char *want;
} cases[] = {
    {"empty", "", UINT64_MAX, "\r\n.\r\n"},
    {"one line feed", "\n", UINT64_MAX, "\r\n\r\n.\r\n"},
    {"spec", "A: b\n\nx\n.y\nz", UINT64_MAX, "A: b\r\n\r\nx\r\n..y\r\nz\r\n\r\n.\r\n"},
    {"spec, top 0", "A: b\n\nx\n.y\nz", 0, "A: b\r\n\r\n\r\n.\r\n"},
    {"spec, top 1", "A: b\n\nx\n.y\nz", 1, "A: b\r\n\r\nx\r\n\r\n.\r\n"},
    {"spec, top 3", "A: b\n\nx\n.y\nz", 3, "A: b\r\n\r\nx\r\n..y\r\nz\r\n\r\n.\r\n"},
    {"spec, top 9", "A: b\n\nx\n.y\nz", 9, "A: b\r\n\r\nx\r\n..y\r\nz\r\n\r\n.\r\n"},
    {"header alone, top 0", "A: b\nC: d", 0, "A: b\r\nC: d\r\n\r\n.\r\n"},
    {"empty lines in the body count", "A\n\n\n\nx\n", 2, "A\r\n\r\n\r\n\r\n\r\n.\r\n"},
    {"a dot alone", ".", UINT64_MAX, "..\r\n\r\n.\r\n"},
    {"dots", "..\n.\n a.b\n", UINT64_MAX, "...\r\n..\r\n a.b\r\n\r\n.\r\n"},
    {"CRs stay", "a\r\nb\rc\n\r\n", UINT64_MAX, "a\r\r\nb\rc\r\n\r\r\n\r\n.\r\n"},
    {"a CR is no empty line", "a\n\r\nb\n", 0, "a\r\n\r\r\nb\r\n\r\n.\r\n"},
    {"no header", "\nx\ny\n", 1, "\r\nx\r\n\r\n.\r\n"},
    {"8 bit", "\xff\x80\n", UINT64_MAX, "\xff\x80\r\n\r\n.\r\n"},
};

/* Sends text in pieces of so many bytes. */
static struct view sent(struct view text, uint64_t lines, size_t piece)
{
    static struct writer out;
    struct pop3d_text t;
    int fd = fd_open("out", O_WRONLY | O_CREAT | O_TRUNC, 0600);

    writer_open(&out, fd, 0);
    pop3d_text_begin(&t, lines);
    while (text.len) {
        size_t len = text.len < piece ? text.len : piece;
        if (!pop3d_text_send(&t, view_before(text, len), &out))
            break;
        text = view_from(text, len);
    }
    pop3d_text_end(&t, &out);
    writer_finish(&out, WRITER_CLOSE);
    return content_of("out");
}

int main(void)
{
    scratch();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct view text = view_of(cases[i].text);
        same(sent(text, cases[i].lines, text.len + 1), view_of(cases[i].want),
             cases[i].name);
        same(sent(text, cases[i].lines, 1), view_of(cases[i].want), "byte by byte");
    }
    same(sent(VIEW("a\0b\n"), UINT64_MAX, 9), VIEW("a\0b\r\n\r\n.\r\n"), "NUL");
    return tap_done();
}
