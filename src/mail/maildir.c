#include "mail/maildir.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/process.h"
#include "base/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    COPY_ROOM = 65536,
    MAX_HOST = 64,   /* bytes of the host's name that are used */
    NAME_ROOM = 400, /* "tmp/", two numbers, the host, each byte of it as \NNN */
    TRIES = 3,
    PAUSE_S = 2
};

/* The file that is being written, for the process that writes it. */
static struct {
    char tmp[NAME_ROOM], new[NAME_ROOM];
    volatile sig_atomic_t exists; /* tmp is there, and ours */
} file;

void maildir_add_host(struct bytes *out, struct view host)
{
    for (size_t i = 0; i < host.len; i++) {
        if (host.data[i] == '/')
            bytes_add_text(out, "\\057");
        else if (host.data[i] == ':')
            bytes_add_text(out, "\\072");
        else
            bytes_add_byte(out, host.data[i]);
    }
}

/* This host's name as it stands in file names. */
static void own_host(struct bytes *out)
{
    char name[MAX_HOST + 1] = "";
    gethostname(name, sizeof name); /* a longer name fails, and is cut */
    name[MAX_HOST] = '\0';
    maildir_add_host(out, view_of(name));
    bytes_add_byte(out, '\0');
}

static void on_alarm(int sig)
{
    (void)sig;
    if (file.exists)
        unlink(file.tmp);
    _exit(MAILDIR_TIMEOUT);
}

static void start_timer(void)
{
    struct sigaction act = {.sa_handler = on_alarm};
    sigset_t alarm_alone;

    sigemptyset(&act.sa_mask);
    sigaction(SIGALRM, &act, NULL);
    sigemptyset(&alarm_alone);
    sigaddset(&alarm_alone, SIGALRM);
    sigprocmask(SIG_UNBLOCK, &alarm_alone, NULL);
    alarm(MAILDIR_LIMIT_S);
}

/* Creates a file below tmp/ whose name nobody else uses: -1 where that fails. A
 * name that is taken will be free with a later time in it. */
static int create(const char *host)
{
    for (int try = 1;; try++) {
        char name[NAME_ROOM];
        snprintf(name, sizeof name, "%" PRId64 ".%jd.%s", clock_now(),
                 (intmax_t)getpid(), host);
        snprintf(file.tmp, sizeof file.tmp, "tmp/%.*s", NAME_ROOM - 5, name);
        snprintf(file.new, sizeof file.new, "new/%.*s", NAME_ROOM - 5, name);
        int fd = fd_open(file.tmp, O_WRONLY | O_CREAT | O_EXCL, 0644);
        if (fd != -1 || errno != EEXIST || try == TRIES)
            return fd;
        struct timespec pause = {.tv_sec = PAUSE_S};
        while (nanosleep(&pause, &pause) == -1 && errno == EINTR)
            ;
    }
}

/* Writes the whole file and syncs it. Closes fd. */
static enum maildir_result fill(int fd, struct view head, int message)
{
    static struct writer out;
    static char block[COPY_ROOM];
    ssize_t n = 0;

    writer_open(&out, fd, 0);
    writer_add(&out, head);
    while (!out.error && (n = fd_read(message, block, sizeof block)) > 0)
        writer_add(&out, view_at(block, (size_t)n));
    if (n == -1) {
        fd_close(&fd);
        return MAILDIR_UNREADABLE;
    }
    return writer_finish(&out, WRITER_SYNC | WRITER_CLOSE) ? MAILDIR_DONE
                                                           : MAILDIR_TROUBLE;
}

static enum maildir_result publish(void)
{
    if (link(file.tmp, file.new) == -1)
        return MAILDIR_TROUBLE;
    if (dir_sync("new"))
        return MAILDIR_DONE;
    unlink(file.new);
    return MAILDIR_TROUBLE;
}

/* All that the process does; its exit code. */
static enum maildir_result deliver(const char *dir, const char *host, struct view head,
                                   int message)
{
    if (chdir(dir) == -1)
        return error_is_temporary(errno) ? MAILDIR_TROUBLE : MAILDIR_NO_DIRECTORY;
    start_timer();
    int fd = create(host);
    if (fd == -1)
        return MAILDIR_TROUBLE;
    file.exists = 1;
    enum maildir_result result = fill(fd, head, message);
    alarm(0); /* no timer may come between the file's name and the report of it */
    if (result == MAILDIR_DONE)
        result = publish();
    unlink(file.tmp);
    return result;
}

enum maildir_result maildir_deliver(const char *dir, struct view head, int message)
{
    struct bytes host = {0};
    int status;

    own_host(&host); /* here, so that the child needs no memory */
    pid_t pid = fork();
    if (pid == 0)
        _exit((int)deliver(dir, host.data, head, message));
    bytes_free(&host);
    if (pid == -1)
        return MAILDIR_NO_PROCESS;
    if (!process_wait(pid, &status) || !WIFEXITED(status))
        return MAILDIR_CRASHED;
    int code = WEXITSTATUS(status);
    return code < MAILDIR_CRASHED ? (enum maildir_result)code : MAILDIR_TROUBLE;
}
