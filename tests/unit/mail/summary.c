#include "mail/summary.h"

#include "base/fd.h"
#include "base/writer.h"
#include "tap.h"

#include <unistd.h>

static const struct {
    const char *name, *message;
    size_t max;
    const char *return_path, *delivered_to, *from, *text;
} cases[] = {
    {"all fields",
     "Return-Path: <s@x>\nDelivered-To: r@y\nFrom: A <a@b>\nSubject: probe\n\nbody "
     "line\n",
     78, "<s@x>", "r@y", "From: A <a@b>", "probe//body line/"},
    {"nothing", "", 78, "", "", "", ""},
    {"no header", "\nbody", 78, "", "", "", "/body"},
    {"header alone", "Subject:  x\n", 78, "", "", "", "x/"},
    {"any case, blanks", "RETURN-path : \t<>  \nfrom:\ta \n\n", 78, "<>", "",
     "from:\ta", "/"},
    {"first fields", "From: a\nFrom: b\nReturn-Path: <1>\nReturn-Path: <2>\n\n", 78,
     "<1>", "", "From: a", "/"},
    {"every subject", "Subject: one\nSubject: two\n\nx", 78, "", "", "", "one/two//x"},
    {"several lines", "Subject: one\n two\nFrom: a\n b\n\n", 78, "", "", "From: a\n b",
     "one/ two//"},
    {"cut in the subject", "Subject: 0123456789\n\nbody", 4, "", "", "", "0123"},
    {"cut in the body", "Subject: 01\n\nbody", 6, "", "", "", "01//bo"},
    {"nothing wanted", "Subject: 01\nFrom: a\n\nbody", 0, "", "", "From: a", ""},
    {"commands for a terminal", "Subject: \033[2Jx\a\177\200\n\n\r\t", 78, "", "", "",
     "/[2Jx///////"},
};

int main(void)
{
    struct summary s = {0};

    for (size_t i = 0; i < COUNT(cases); i++) {
        int ends[2];
        if (!fd_pipe(ends) || !write_all(ends[1], view_of(cases[i].message)))
            skip_rest("no pipe");
        close(ends[1]);
        summary_read(&s, ends[0], cases[i].max);
        close(ends[0]);
        same(bytes_view(&s.return_path), view_of(cases[i].return_path), cases[i].name);
        same(bytes_view(&s.delivered_to), view_of(cases[i].delivered_to),
             cases[i].name);
        same(bytes_view(&s.from), view_of(cases[i].from), cases[i].name);
        same(bytes_view(&s.text), view_of(cases[i].text), cases[i].name);
    }
    summary_read(&s, -1, 10);
    same(bytes_view(&s.text), VIEW(""), "unreadable: nothing of the one before");
    summary_free(&s);
    return tap_done();
}
