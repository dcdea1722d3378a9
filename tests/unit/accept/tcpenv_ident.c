#include "accept/tcpenv.h"

#include "tap.h"

#include <string.h>

static const struct {
    const char *name;
    struct view line;
    enum tcpenv_answer answer;
    const char *info;
} cases[] = {
    {"user", VIEW_INIT("1 , 2 : USERID : UNIX : joe\r\n"), TCPENV_INFO, "joe"},
    {"without blanks", VIEW_INIT("1,2:USERID:UNIX:joe\n"), TCPENV_INFO, "joe"},
    {"blanks inside", VIEW_INIT("1,2:USERID:UNIX: j o\te\r \r\n"), TCPENV_INFO, "joe"},
    {"colons inside", VIEW_INIT("1,2:USERID:UNIX:j:o::\n"), TCPENV_INFO, "j:o::"},
    {"odd bytes", VIEW_INIT("1,2:USERID:UNIX:\x1b\xff%s\n"), TCPENV_INFO, "\x1b\xff%s"},
    {"empty", VIEW_INIT("1,2:USERID:UNIX:\r\n"), TCPENV_INFO, ""},
    {"more behind it", VIEW_INIT("1,2:USERID:UNIX:joe\nmore\n"), TCPENV_INFO, "joe"},
    {"error", VIEW_INIT("1 , 2 : ERROR : NO-USER\r\n"), TCPENV_NONE, NULL},
    {"empty line", VIEW_INIT("\n"), TCPENV_NONE, NULL},
    {"something else", VIEW_INIT("220 x ESMTP\r\n"), TCPENV_NONE, NULL},
    {"NUL", VIEW_INIT("1,2:USERID:UNIX:jo\0e\n"), TCPENV_NONE, NULL},
    {"no line feed", VIEW_INIT("1,2:USERID:UNIX:joe"), TCPENV_MORE, NULL},
    {"nothing", VIEW_INIT(""), TCPENV_MORE, NULL},
};

static enum tcpenv_answer feed(struct tcpenv_ident *ident, struct view line,
                               size_t step)
{
    enum tcpenv_answer answer = TCPENV_MORE;
    while (line.len && answer == TCPENV_MORE) {
        size_t n = line.len < step ? line.len : step;
        answer = tcpenv_ident_add(ident, view_before(line, n));
        line = view_from(line, n);
    }
    return answer;
}

int main(void)
{
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t step = 1; step < 100; step += 98) {
            struct tcpenv_ident ident = {0};
            ok(feed(&ident, cases[i].line, step) == cases[i].answer, cases[i].name,
               "answer");
            if (cases[i].info)
                same(view_at(ident.info, ident.len), view_of(cases[i].info),
                     cases[i].name);
        }

    struct tcpenv_ident ident = {0};
    struct bytes line = {0};
    bytes_add_text(&line, ":::");
    for (size_t i = 1; i < TCPENV_MAX_INFO; i++)
        bytes_add_byte(&line, 'x');
    ok(tcpenv_ident_add(&ident, bytes_view(&line)) == TCPENV_MORE, "997 bytes", NULL);
    ok(tcpenv_ident_add(&ident, VIEW("yz")) == TCPENV_INFO, "998 are enough", NULL);
    same_number(ident.len, TCPENV_MAX_INFO, "998 bytes");
    ok(ident.info[TCPENV_MAX_INFO - 1] == 'y', "the last of them", NULL);

    memset(&ident, 0, sizeof ident);
    enum tcpenv_answer answer = TCPENV_MORE;
    size_t count = 0;
    while (answer == TCPENV_MORE && count <= TCPENV_MAX_LINE) {
        answer = tcpenv_ident_add(&ident, VIEW(" "));
        count++;
    }
    ok(answer == TCPENV_NONE, "a line without end", NULL);
    same_number(count, TCPENV_MAX_LINE + 1, "a line without end");
    bytes_free(&line);
    return tap_done();
}
