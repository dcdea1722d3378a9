/* Whole sessions over a maildir of three messages, each with a maildir anew. */
#include "mailbox/pop3d.h"

#include "base/fd.h"
#include "base/file.h"

#include "tap.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OK "+OK \r\n"
#define ONE "Subject: one\r\n\r\nbody\r\n..dot\r\n\r\n.\r\n"

enum { NOW = 5000 };

static const struct {
    const char *path, *text;
    time_t mtime;
} messages[] = {
    {"new/100.a", "Subject: one\n\nbody\n.dot", 1000},
    {"cur/200.b:2,S", "Subject: two\n\nb\n", 2000},
    {"new/300.c", "x", 3000},
    {"new/400.now", "x", NOW},
    {"new/.hidden", "x", 1},
};

static const struct {
    const char *name, *input, *output, *left;
} cases[] = {
    {"nothing", "", "", "new/100.a cur/200.b:2,S new/300.c"},
    {"quit", "QUIT\r\nSTAT\r\n", OK, "cur/100.a:2, cur/200.b:2,S cur/300.c:2,"},
    {"any case, LF", "sTaT\nnoop x\n", "+OK 3 40\r\n" OK, NULL},
    {"list", "LIST\r\nLIST 2\r\nLIST 02 x\r\n",
     OK "1 23\r\n2 16\r\n3 1\r\n.\r\n+OK 2 16\r\n+OK 2 16\r\n", NULL},
    {"uidl", "UIDL\r\nUIDL   2\r\n",
     OK "1 100.a\r\n2 200.b\r\n3 300.c\r\n.\r\n+OK 2 200.b\r\n", NULL},
    {"retr", "RETR 1 1\r\nRETR 3\r\n", OK ONE OK "x\r\n\r\n.\r\n",
     "new/100.a cur/200.b:2,S new/300.c"},
    {"top", "TOP 1 0\r\nTOP 1 1\r\nTOP 1\r\nTOP 1 x\r\nTOP 1   0\r\n",
     OK "Subject: one\r\n\r\n\r\n.\r\n" OK
        "Subject: one\r\n\r\nbody\r\n\r\n.\r\n" OK ONE OK ONE OK
        "Subject: one\r\n\r\n\r\n.\r\n",
     NULL},
    {"numbers",
     "RETR\r\nDELE x\r\nTOP -1 1\r\nLIST 0\r\nUIDL 4\r\nDELE 18446744073709551617\r\n",
     "-ERR syntax error\r\n-ERR syntax error\r\n-ERR syntax error\r\n"
     "-ERR messages are counted from 1\r\n-ERR not that many messages\r\n"
     "-ERR not that many messages\r\n",
     NULL},
    {"dele", "DELE 2\r\nDELE 2\r\nRETR 2\r\nSTAT\r\nLIST\r\nQUIT\r\n",
     OK "-ERR already deleted\r\n-ERR already deleted\r\n+OK 2 24\r\n" OK
        "1 23\r\n3 1\r\n.\r\n" OK,
     "cur/100.a:2, cur/300.c:2,"},
    {"all of them", "DELE 1\r\nDELE 2\r\nDELE 3\r\nSTAT\r\nUIDL\r\nQUIT\r\n",
     OK OK OK "+OK 0 0\r\n" OK ".\r\n" OK, ""},
    {"no quit, no change", "DELE 1\r\nDELE 2\r\n", OK OK,
     "new/100.a cur/200.b:2,S new/300.c"},
    {"last",
     "LAST\r\nRETR 3\r\nLAST\r\nDELE 2\r\nDELE 1\r\nLAST\r\nRSET\r\nLAST\r\nSTAT\r\n",
     "+OK 0\r\n" OK "x\r\n\r\n.\r\n+OK 0\r\n" OK OK "+OK 2\r\n" OK
     "+OK 0\r\n+OK 3 40\r\n",
     NULL},
    {"unknown", "\r\nUSER x\r\nSTATS\r\n STAT\r\n",
     "-ERR unimplemented\r\n-ERR unimplemented\r\n-ERR unimplemented\r\n"
     "-ERR unimplemented\r\n",
     NULL},
    {"capa", "CAPA\r\n",
     OK "USER\r\nTOP\r\nUIDL\r\nPIPELINING\r\nIMPLEMENTATION qmail\r\n.\r\n", NULL},
    {"part of a line", "STAT", "", NULL},
};

static void make_maildir(void)
{
    static const char *const dirs[] = {"new", "cur"};
    for (size_t i = 0; i < COUNT(dirs); i++)
        mkdir(dirs[i], 0700);
    for (size_t i = 0; i < COUNT(messages); i++) {
        struct timespec times[2] = {{.tv_sec = messages[i].mtime},
                                    {.tv_sec = messages[i].mtime}};
        make_file(messages[i].path, view_of(messages[i].text));
        utimensat(AT_FDCWD, messages[i].path, times, 0);
    }
}

/* The paths of what is there of the first three messages, in their order. */
static struct view left(void)
{
    static struct bytes out;
    static const char *const names[] = {"new/100.a", "cur/100.a:2,", "cur/200.b:2,S",
                                        "new/300.c", "cur/300.c:2,"};
    bytes_clear(&out);
    for (size_t i = 0; i < COUNT(names); i++)
        if (access(names[i], F_OK) == 0)
            bytes_add_format(&out, "%s%s", out.len ? " " : "", names[i]);
    return bytes_view(&out);
}

static void clear_maildir(void)
{
    for (size_t i = 0; i < COUNT(messages); i++)
        remove(messages[i].path);
    remove("cur/100.a:2,");
    remove("cur/300.c:2,");
}

static void session(void *arg)
{
    static struct pop3d p;
    const char *input = arg;

    make_file("input", view_of(input));
    int fd = fd_open_read("input");
    if (dup2(fd, 0) == -1)
        _exit(111);
    pop3_open(&p.pop3);
    if (!pop3d_open(&p, NOW))
        _exit(1);
    pop3d_serve(&p);
    _exit(0);
}

static struct view talk(const char *input)
{
    static struct bytes out;
    bytes_clear(&out);
    same_number((uint64_t)run_apart(session, (void *)(uintptr_t)input, &out), 0,
                "exit");
    return bytes_view(&out);
}

static void changed_by_others(void)
{
    make_maildir();
    struct view out = talk("RETR 1\r\n");
    ok(view_starts(out, VIEW(OK OK)), "a message that is there", NULL);
    clear_maildir();
    ok(!pop3d_open(&(struct pop3d){0}, NOW) || rmdir("new") == 0, "new", "removed");
    ok(!pop3d_open(&(struct pop3d){0}, NOW), "without new", NULL);
}

int main(void)
{
    scratch();
    for (size_t i = 0; i < COUNT(cases); i++) {
        make_maildir();
        struct bytes want = {0};
        bytes_add_format(&want, OK "%s", cases[i].output);
        same(talk(cases[i].input), bytes_view(&want), cases[i].name);
        if (cases[i].left)
            same(left(), view_of(cases[i].left), "what is left");
        bytes_free(&want);
        clear_maildir();
    }
    changed_by_others();
    return tap_done();
}
