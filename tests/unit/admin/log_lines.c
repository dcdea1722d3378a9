#include "admin/log.h"

#include "tap.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static struct log_lines lines;

static void open_with(struct view content)
{
    make_file("log", content);
    log_lines_open(&lines, open("log", O_RDONLY));
}

static void expect(struct view want, const char *name)
{
    struct view line;
    if (log_lines_next(&lines, &line))
        same(line, want, name);
    else
        ok(false, name, "is there");
}

static void expect_end(const char *name)
{
    struct view line;
    ok(!log_lines_next(&lines, &line), name, "end");
    ok(lines.error == 0, name, "no error");
    close(lines.fd);
}

/* A line of many times the block, between two others. */
static void long_lines(struct bytes *content)
{
    bytes_set(content, VIEW("first\n"));
    for (int i = 0; i < 1000000; i++)
        bytes_add_byte(content, 'x');
    size_t at = content->len;
    bytes_add_text(content, "\nlast\n");
    open_with(bytes_view(content));
    expect(VIEW("first"), "before a long line");
    expect(view_at(content->data + 6, LOG_MAX_LINE), "a long line is cut");
    expect(VIEW("last"), "after a long line");
    expect_end("long line");
    same_number(lines.cut, 1, "lines cut");
    same_number(lines.bytes, content->len, "bytes");

    bytes_cut(content, at);
    open_with(bytes_view(content));
    expect(VIEW("first"), "before a long last line");
    expect(view_at(content->data + 6, LOG_MAX_LINE), "a long last line is cut");
    expect_end("long last line");
}

/* One byte more or less than fits, and a line end on the edge of a block. */
static void edges(struct bytes *content)
{
    for (size_t len = LOG_MAX_LINE - 1; len <= LOG_MAX_LINE + 1; len++) {
        bytes_clear(content);
        for (size_t i = 0; i < len; i++)
            bytes_add_byte(content, 'y');
        bytes_add_text(content, "\nz\n");
        open_with(bytes_view(content));
        expect(view_at(content->data, len < LOG_MAX_LINE ? len : LOG_MAX_LINE), "edge");
        expect(VIEW("z"), "behind the edge");
        expect_end("edge");
        same_number(lines.cut, len > LOG_MAX_LINE, "edge: cut");
    }
    bytes_clear(content);
    while (content->len < 3 * LOG_BLOCK)
        bytes_add_text(content, "0123456789abcdef0123456789abcd\n");
    open_with(bytes_view(content));
    size_t count = 0;
    struct view line;
    while (log_lines_next(&lines, &line))
        count += view_is(line, "0123456789abcdef0123456789abcd");
    same_number(count, content->len / 31, "lines over the ends of blocks");
    close(lines.fd);
}

int main(void)
{
    struct bytes content = {0};

    scratch();
    open_with(VIEW(""));
    expect_end("empty");
    open_with(VIEW("a\n\nb\0c\n"));
    expect(VIEW("a"), "a line");
    expect(VIEW(""), "an empty line");
    expect(VIEW("b\0c"), "NUL");
    expect_end("three lines");
    ok(!lines.broken, "three lines", "whole");
    open_with(VIEW("a\nend msg 1"));
    expect(VIEW("a"), "before a broken end");
    expect_end("broken end");
    ok(lines.broken, "broken end", "said");
    long_lines(&content);
    edges(&content);
    log_lines_open(&lines, -1);
    struct view line;
    ok(!log_lines_next(&lines, &line) && lines.error, "no descriptor", NULL);
    bytes_free(&content);
    return tap_done();
}
