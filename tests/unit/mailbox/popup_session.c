/* Whole sessions up to the login: the client's words in a file, scripts as the
 * programs that know the password. */
#include "mailbox/popup.h"

#include "base/fd.h"
#include "base/signals.h"

#include "tap.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define OK "+OK \r\n"
#define FAILED "-ERR authorization failed\r\n"
#define FIRST "-ERR authorization first\r\n"
#define SYNTAX "-ERR syntax error\r\n"
#define CAPA "+OK \r\nUSER\r\nTOP\r\nUIDL\r\nPIPELINING\r\nIMPLEMENTATION qmail\r\n"
#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

/* Shows descriptor 3, with NULs as commas and the timestamp's numbers left out, and
 * what the client says after the password. */
static const char show[] =
    "#!/bin/sh\n"
    "printf '%s ' \"$1\"; tr '\\0' , <&3 | sed 's/<[0-9]*[.][0-9]*@/<@/'; cat\n";

enum tls { NO_TLS, TLS_OFFERED, TLS_REQUIRED, TLS_MISSING, TLS_ACTIVE };

static const struct session_case {
    const char *name;
    enum tls tls;
    const char *program, *input, *output;
} cases[] = {
    {"nothing", NO_TLS, "exit 0", "", ""},
    {"quit", NO_TLS, "exit 0", "QUIT\r\nNOOP\r\n", OK},
    {"noop", NO_TLS, "exit 0", "noop x\nNOOP\n", OK OK},
    {"user", NO_TLS, "exit 0", "USER\r\nUSER \r\nUSER joe\r\n", SYNTAX SYNTAX OK},
    {"pass", NO_TLS, "exit 0", "PASS\r\nPASS x\r\nUSER joe\r\nPASS\r\nPASS  \r\n",
     "-ERR USER first\r\n-ERR USER first\r\n" OK SYNTAX SYNTAX},
    {"apop", NO_TLS, "exit 0", "APOP\r\nAPOP joe\r\n", SYNTAX SYNTAX},
    {"others", NO_TLS, "exit 0", "STAT\r\n\r\n USER joe\r\nSTLS\r\n",
     FIRST FIRST FIRST FIRST},
    {"login", NO_TLS, "show", "USER jim\r\nUSER  joe doe \r\nPASS se cret \r\n",
     OK OK "arg joe doe ,se cret ,<@pop.test>,"},
    {"apop login", NO_TLS, "show", "APOP joe  di gest\r\n",
     "arg joe, di gest,<@pop.test>,"},
    {"8 bit", NO_TLS, "show", "USER j\xf6\r\nPASS \xff\r\n",
     OK "arg j\xf6,\xff,<@pop.test>,"},
    {"what follows is the program's", NO_TLS, "show",
     "USER joe\r\nPASS x\r\nSTAT\r\nQUIT\r\n",
     OK "arg joe,x,<@pop.test>,STAT\r\nQUIT\r\n"},
    {"exit 0", NO_TLS, "exit 0", "USER joe\r\nPASS x\r\nNOOP\r\n", OK},
    {"exit 1", NO_TLS, "exit 1", "USER joe\r\nPASS x\r\nNOOP\r\n", OK FAILED},
    {"exit 111", NO_TLS, "exit 111", "USER joe\r\nPASS x\r\n", OK FAILED},
    {"killed", NO_TLS, "kill -9 $$", "USER joe\r\nPASS x\r\n",
     OK "-ERR aack, child crashed\r\n"},
    {"not there", NO_TLS, NULL, "USER joe\r\nPASS x\r\n", OK FAILED},
    {"509 bytes", NO_TLS, "wc -c <&3",
     "USER 123456789\r\nPASS " HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED "\r\n", NULL},
    {"510 bytes", NO_TLS, "wc -c <&3",
     "USER " TEN "\r\nPASS " HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED "\r\n", OK FAILED},
    {"capa", NO_TLS, "exit 0", "CAPA\r\n", CAPA ".\r\n"},
    {"capa with TLS", TLS_OFFERED, "exit 0", "CAPA\r\nUSER x\r\n",
     CAPA "STLS\r\n.\r\n" OK},
    {"TLS wanted", TLS_REQUIRED, "exit 0",
     "USER x\r\nPASS x\r\nAPOP x y\r\nNOOP\r\nQUIT\r\n",
     "-ERR STLS first\r\n-ERR STLS first\r\n-ERR STLS first\r\n" OK OK},
    {"TLS wanted but not there", TLS_MISSING, "exit 0", "USER x\r\nSTLS\r\n",
     "-ERR STLS first\r\n" FIRST},
    {"TLS active", TLS_ACTIVE, "exit 0", "STLS\r\nCAPA\r\nUSER x\r\n",
     SYNTAX CAPA ".\r\n" OK},
};

static void set_tls(struct popup *p, enum tls tls)
{
    p->tls.offered = tls == TLS_OFFERED || tls == TLS_REQUIRED;
    p->tls.required = tls >= TLS_REQUIRED;
    p->tls_active = tls == TLS_ACTIVE;
}

static void session(void *arg)
{
    static struct popup p;
    static char program[] = "./program", argument[] = "arg";
    char *argv[] = {program, argument, NULL};
    const struct session_case *c = arg;

    signals_ignore(SIGPIPE);
    make_file("input", view_of(c->input));
    if (dup2(fd_open_read("input"), 0) == -1)
        _exit(111);
    pop3_open(&p.pop3);
    p.host = "pop.test";
    p.program = argv;
    set_tls(&p, c->tls);
    popup_serve(&p);
    _exit(1);
}

static void make_program(const char *what)
{
    struct bytes text = {0};

    remove("program");
    if (!what)
        return;
    if (view_is(view_of(what), "show"))
        bytes_add_text(&text, show);
    else
        bytes_add_format(&text, "#!/bin/sh\n%s\n", what);
    make_file("program", bytes_view(&text));
    chmod("program", 0700);
    bytes_free(&text);
}

int main(void)
{
    scratch();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bytes out = {0};
        make_program(cases[i].program);
        int code = run_apart(session, (void *)(uintptr_t)&cases[i], &out);
        same_number((uint64_t)code, 1, cases[i].name);
        struct view rest = bytes_view(&out);
        struct view greeting = view_cut(&rest, '\n');
        ok(view_starts(greeting, VIEW("+OK <")) &&
               view_ends(greeting, VIEW("@pop.test>\r")),
           cases[i].name, "greeting");
        if (cases[i].output)
            same(rest, view_of(cases[i].output), cases[i].name);
        else
            ok(view_starts(rest, VIEW(OK)) && !view_ends(rest, VIEW(FAILED)),
               cases[i].name, "was run");
        bytes_free(&out);
    }
    return tap_done();
}
