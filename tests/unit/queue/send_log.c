#include "queue/send.h"

#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct {
    const char *name;
    struct view text;
    const char *shown;
} cases[] = {
    {"plain", VIEW_INIT("joe@x.test"), "joe@x.test"},
    {"line feed", VIEW_INIT("a\nb\n"), "a/b/"},
    {"space and tab", VIEW_INIT("a b\tc"), "a_b_c"},
    {"percent", VIEW_INIT("a%s%n"), "a_s_n"},
    {"edges", VIEW_INIT("\x20\x21\x7e\x7f"), "_!~_"},
    {"8-bit", VIEW_INIT("\x80\xe4\xff"), "___"},
    {"NUL and CR", VIEW_INIT("\0\r"), "__"},
    {"empty", VIEW_INIT(""), ""},
};

int main(void)
{
    int pair[2];
    static char got[70000], long_text[60000];

    /* a read gives what one write has written */
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == -1)
        skip_rest("no socket pair");
    log_open(pair[0]);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bytes want = {0};
        log_begin("delivery %d: ", 7);
        log_safe(cases[i].text);
        log_text(" end");
        log_end();
        log_flush();
        bytes_add_format(&want, "delivery 7: %s end\n", cases[i].shown);
        ssize_t n = read(pair[1], got, sizeof got);
        same(view_at(got, n > 0 ? (size_t)n : 0), bytes_view(&want), cases[i].name);
        bytes_free(&want);
    }
    log_line("status: local");
    log_line("status: exiting");
    ssize_t n = recv(pair[1], got, sizeof got, MSG_DONTWAIT);
    ok(n == -1, "lines are kept", NULL);
    log_flush();
    log_flush();
    n = read(pair[1], got, sizeof got);
    same(view_at(got, n > 0 ? (size_t)n : 0), VIEW("status: local\nstatus: exiting\n"),
         "and written together");
    size_t lines = 0, whole = 0;
    for (; whole == 0 && lines < sizeof got; lines++) {
        log_line("0123456");
        n = recv(pair[1], got, sizeof got, MSG_DONTWAIT);
        whole = n > 0 ? (size_t)n : 0;
    }
    same_number(whole, 4096, "of many, as many as a pipe takes at once");
    same_number(lines, 4096 / 8 + 1, "when one more comes");
    log_line("before");
    log_flush();
    n = read(pair[1], got, sizeof got);
    same(view_at(got, n > 0 ? (size_t)n : 0), VIEW("0123456\nbefore\n"), "the rest");
    log_line("before");
    memset(long_text, 'x', sizeof long_text);
    log_begin("x");
    log_safe(view_at(long_text, sizeof long_text));
    log_end();
    n = read(pair[1], got, sizeof got);
    same(view_at(got, n > 0 ? (size_t)n : 0), VIEW("before\n"),
         "what came before a long line");
    n = read(pair[1], got, sizeof got);
    same_number((uint64_t)n, sizeof long_text + 2, "a long line, in one write");
    close(pair[0]);
    close(pair[1]);
    log_line("nobody hears this");
    log_flush();
    ok(true, "a log that is gone stops nothing", NULL);
    return tap_done();
}
