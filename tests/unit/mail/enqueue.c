#include "mail/enqueue.h"

#include "base/clock.h"
#include "base/fd.h"

#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Queue programs, as shell scripts, and what is said of them. All get a message of
 * a few bytes and an envelope. */
static const struct {
    const char *name, *script;
    enum enqueue_verdict verdict;
    const char *text;
} cases[] = {
    {"queued", "cat >m; cat <&1 >e; exit 0", ENQUEUE_QUEUED, ""},
    {"reads nothing", "sleep 0.3; exit 0", ENQUEUE_QUEUED,
     ""}, /* all fits into the pipe */
    {"too long", "cat >m; exit 11", ENQUEUE_PERM,
     "envelope address too long for qq (#5.1.3)"},
    {"refused", "exit 31", ENQUEUE_PERM,
     "mail server permanently rejected message (#5.3.0)"},
    {"disk full", "cat >m; cat <&1 >e; exit 53", ENQUEUE_TEMP,
     "qq write error or disk full (#4.3.0)"},
    {"own code", "exit 99", ENQUEUE_TEMP, "qq temporary problem (#4.3.0)"},
    {"killed", "kill -9 $$", ENQUEUE_TEMP, "qq crashed (#4.3.0)"},
    {"own text", "printf 'Dgo away (#5.7.1)' >&6; exit 82", ENQUEUE_PERM,
     "go away (#5.7.1)"},
    {"own text, temporary", "printf 'Zlater' >&6; exit 82", ENQUEUE_TEMP, "later"},
    {"own text, other letter", "printf 'Xlater' >&6; exit 82", ENQUEUE_TEMP, "later"},
    {"own text, a line", "printf 'Done\\r\\ntwo' >&6; exit 82", ENQUEUE_PERM, "one"},
    {"own text with a NUL", "printf 'Dab\\0cd' >&6; exit 82", ENQUEUE_PERM, "ab"},
    {"own text, odd bytes", "printf 'Da\\t\\377b' >&6; exit 82", ENQUEUE_PERM, "a??b"},
    {"own text, three bytes", "printf 'Dab' >&6; exit 82", ENQUEUE_PERM, "ab"},
    {"own text, two bytes", "printf 'Da' >&6; exit 82", ENQUEUE_TEMP,
     "qq temporary problem (#4.3.0)"},
    {"own text, two bytes of a line", "printf 'Da\\nmore' >&6; exit 82", ENQUEUE_TEMP,
     "qq temporary problem (#4.3.0)"},
    {"no own text", "exit 82", ENQUEUE_TEMP, "qq temporary problem (#4.3.0)"},
    {"own text, another code", "printf 'Dxxxxx' >&6; exit 53", ENQUEUE_TEMP,
     "qq write error or disk full (#4.3.0)"},
    {"text closed early", "exec 6>&-; cat >m; cat <&1 >e; exit 0", ENQUEUE_QUEUED, ""},
    {"a child keeps the text", "cat >m; cat <&1 >e; sleep 20 0</dev/null 1>&0 & exit 0",
     ENQUEUE_QUEUED, ""},
};

static char program[300];

static void use_script(const char *script)
{
    char text[1000];
    snprintf(text, sizeof text, "#!/bin/sh\n%s\n", script);
    make_file("script", view_of(text));
    chmod("script", 0755);
    setenv("QMAILQUEUE", program, 1);
}

static void give(struct enqueue *e, struct enqueue_answer *answer)
{
    enqueue_message(e, VIEW("Subject: x\n\n"));
    enqueue_message(e, VIEW("body\0\n"));
    enqueue_sender(e, VIEW("s@x"));
    enqueue_recipient(e, VIEW("a@b"));
    enqueue_recipient(e, VIEW(""));
    enqueue_finish(e, answer);
}

static struct enqueue e;
static struct enqueue_answer answer;

static void scripts(void)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        use_script(cases[i].script);
        int64_t begun = clock_steady_ms();
        ok(enqueue_start(&e, NULL), cases[i].name, "started");
        pid_t pid = e.pid;
        give(&e, &answer);
        ok(answer.verdict == cases[i].verdict && answer.pid == pid, cases[i].name,
           "verdict");
        same(view_of(answer.text), view_of(cases[i].text), cases[i].name);
        ok(clock_steady_ms() - begun < 5000, cases[i].name, "in time");
        ok(e.message_fd == -1 && e.envelope_fd == -1 && e.text_fd == -1, cases[i].name,
           "all closed");
        if (i == 0) {
            same(content_of("m"), VIEW("Subject: x\n\nbody\0\n"), "the message");
            same(content_of("e"), VIEW("Fs@x\0Ta@b\0T\0\0"), "the envelope");
        }
    }
    use_script("printf 'D' >&6; i=0; while [ $i -lt 30000 ]; do echo "
               "-n xxxxxxxxx >&6; i=$((i+1)); done; exit 82");
    ok(enqueue_start(&e, NULL), "endless text", "started");
    give(&e, &answer);
    ok(answer.verdict == ENQUEUE_PERM && strlen(answer.text) == ENQUEUE_MAX_TEXT - 1,
       "endless text", "is cut, and the program not killed");
}

/* More than a pipe holds. */
static void large(void)
{
    static char part[100000];
    use_script("exec 0</dev/null; cat <&1 >/dev/null; exit 0");
    ok(enqueue_start(&e, NULL), "large, not read", "started");
    for (int i = 0; i < 20; i++)
        enqueue_message(&e, view_at(part, sizeof part));
    enqueue_sender(&e, VIEW("s@x"));
    enqueue_finish(&e, &answer);
    ok(answer.verdict == ENQUEUE_TEMP, "large, not read", "verdict");
    same(view_of(answer.text), VIEW("qq read error (#4.3.0)"), "large, not read");

    use_script("exec 3<&1; wc -c >m; tr -d '\\0' <&3 | wc -c >e; exit 0");
    ok(enqueue_start(&e, NULL), "large", "started");
    for (int i = 0; i < 20; i++)
        enqueue_message(&e, view_at(part, sizeof part));
    enqueue_message(&e, view_at(part, 1));
    enqueue_sender(&e, VIEW("s"));
    for (int i = 0; i < 30000; i++)
        enqueue_recipient(&e, VIEW("abcdefghi"));
    enqueue_finish(&e, &answer);
    ok(answer.verdict == ENQUEUE_QUEUED, "large", "verdict");
    same(content_of("m"), VIEW("2000001\n"), "large: message");
    same(content_of("e"), VIEW("300002\n"), "large: envelope");

    /* writes much on 6 before it reads: neither waits for the other */
    use_script("head -c 300000 /dev/zero >&6; cat >/dev/null; cat <&1 >/dev/null");
    ok(enqueue_start(&e, NULL), "text first", "started");
    for (int i = 0; i < 20; i++)
        enqueue_message(&e, view_at(part, sizeof part));
    enqueue_sender(&e, VIEW("s"));
    enqueue_finish(&e, &answer);
    ok(answer.verdict == ENQUEUE_QUEUED, "text first", "verdict");
}

static void withheld(void)
{
    use_script("cat >m; cat <&1 >e; exit 0");
    ok(enqueue_start(&e, NULL), "withheld", "started");
    enqueue_message(&e, VIEW("x"));
    enqueue_sender(&e, VIEW("s"));
    enqueue_recipient(&e, VIEW("r"));
    enqueue_withhold(&e);
    enqueue_recipient(&e, VIEW("r"));
    enqueue_finish(&e, &answer);
    ok(answer.verdict == ENQUEUE_TEMP, "withheld", "is never queued");
    ok(!view_ends(content_of("e"), VIEW("\0\0")), "withheld", "no complete envelope");
    ok(enqueue_start(&e, NULL), "withheld at once", "started");
    enqueue_withhold(&e);
    enqueue_message(&e, VIEW("x"));
    enqueue_sender(&e, VIEW("s"));
    enqueue_finish(&e, &answer);
    same(content_of("e"), VIEW(""), "withheld at once: no envelope");
}

/* What the program finds: directory, environment, descriptors; and that our ends do
 * not block while its ends do. */
static void surroundings(void)
{
    char want[300];

    mkdir("home", 0755);
    use_script("cat >/dev/null; cat <&1 >/dev/null; pwd >../found; echo $VARIABLE "
               ">>../found; for fd in 0 1 6 7 8; do test -e /dev/fd/$fd && grep flags "
               "/proc/$$/fdinfo/$fd | grep -c '04...$' >>../found || echo none "
               ">>../found; done; exit 0");
    setenv("VARIABLE", "kept", 1);
    int ours = fd_open("/dev/null", O_RDONLY, 0);
    dup2(ours, 7);
    fd_close_on_exec(7, true);
    ok(enqueue_start(&e, "home"), "surroundings", "started");
    ok((fcntl(e.message_fd, F_GETFL) & O_NONBLOCK) &&
           (fcntl(e.envelope_fd, F_GETFL) & O_NONBLOCK) &&
           (fcntl(e.text_fd, F_GETFL) & O_NONBLOCK),
       "our ends", "do not block");
    give(&e, &answer);
    close(7);
    fd_close(&ours);
    char cwd[200];
    if (getcwd(cwd, sizeof cwd))
        snprintf(want, sizeof want,
                 "%s/home\nkept\n0\nnone\n0\nnone\n0\nnone\nnone\nnone\n", cwd);
    same(content_of("found"), view_of(want),
         "its directory, environment and descriptors, which block");
    ok(enqueue_start(&e, "absent"), "no home", "started");
    give(&e, &answer);
    same(view_of(answer.text), VIEW("qq trouble in home directory (#4.3.0)"),
         "no home");
    for (int i = 0; i < 2; i++) {
        setenv("QMAILQUEUE", i ? "" : "/no/such/program", 1);
        ok(enqueue_start(&e, NULL), "no program", "started");
        give(&e, &answer);
        same(view_of(answer.text), VIEW("unable to exec qq (#4.3.0)"), "no program");
    }
    mkdir("bin", 0755);
    unsetenv("QMAILQUEUE");
    make_file("bin/qmail-queue", VIEW("#!/bin/sh\nexit 31\n"));
    chmod("bin/qmail-queue", 0755);
    ok(enqueue_start(&e, NULL), "the default", "started");
    give(&e, &answer);
    ok(answer.verdict == ENQUEUE_PERM, "the default", "is run");
}

/* The verbs for a daemon. */
static void step_by_step(void)
{
    static char part[1000000];
    use_script("sleep 0.2; cat >m; cat <&1 >e; printf 'Dabc' >&6; exec 0</dev/null; "
               "sleep 0.2; exit 82");
    int null = fd_open("/dev/null", O_RDWR, 0);
    ok(enqueue_start_with(&e, NULL, null), "daemon", "started");
    fd_close(&null);
    size_t taken = enqueue_write_now(&e, &e.message_fd, view_at(part, sizeof part));
    ok(taken > 0 && taken < sizeof part, "daemon", "writes what the pipe takes");
    same_number(enqueue_write_now(&e, &e.message_fd, VIEW("x")), 0, "the pipe is full");
    ok(!enqueue_ended(&e, &answer), "daemon", "runs");
    fd_close(&e.message_fd);
    same_number(enqueue_write_now(&e, &e.envelope_fd, VIEW("Fs\0Tr\0\0")), 7,
                "envelope");
    fd_close(&e.envelope_fd);
    int64_t end = clock_steady_ms() + 10000;
    while (!enqueue_ended(&e, &answer) && clock_steady_ms() < end) {
        fd_wait(e.text_fd, POLLIN, 50);
        enqueue_read_text(&e);
    }
    ok(answer.verdict == ENQUEUE_PERM && strcmp(answer.text, "abc") == 0, "daemon",
       "answer");
    same_number(content_of("m").len, taken, "daemon: message");

    use_script("exit 0");
    ok(enqueue_start(&e, NULL), "gone", "started");
    while (!fd_wait(e.message_fd, POLLERR, 5000))
        ;
    same_number(enqueue_write_now(&e, &e.message_fd, VIEW("abc")), 3,
                "broken: takes all");
    ok(e.broken, "broken", "is noted");
    enqueue_finish(&e, &answer);
    ok(answer.verdict == ENQUEUE_TEMP, "broken", "is not queued");
    signal(SIGCHLD, SIG_IGN);
    ok(enqueue_start(&e, NULL), "nobody to wait for", "started");
    give(&e, &answer);
    same(view_of(answer.text), VIEW("qq waitpid surprise (#4.3.0)"),
         "nobody to wait for");
    signal(SIGCHLD, SIG_DFL);
}

static void no_descriptors(void *arg)
{
    (void)arg;
    for (rlim_t limit = 3; limit < 9; limit++) {
        setrlimit(RLIMIT_NOFILE, &(struct rlimit){limit, 100});
        if (enqueue_start(&e, NULL) || errno != EMFILE)
            _exit(1);
        for (int fd = 3; fd < 20; fd++)
            if (fcntl(fd, F_GETFD) != -1)
                _exit(2); /* left open */
    }
    _exit(0);
}

int main(void)
{
    scratch();
    signal(SIGPIPE, SIG_IGN);
    if (!getcwd(program, sizeof program - 10))
        skip_rest("no directory");
    strcat(program, "/script");
    for (int fd = 3; fd < 100; fd++)
        close(fd);
    scripts();
    large();
    withheld();
    surroundings();
    step_by_step();
    same_number((uint64_t)run_apart(no_descriptors, NULL, NULL), 0, "no descriptors");
    return tap_done();
}
