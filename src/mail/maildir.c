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
    MAX_HOST = 64 /* bytes of its name that are used */,
    TRIES = 3,
    PAUSE_S = 2
};

/* The file that is being written: names from where the process is. */
static struct {
    struct bytes tmp, new, new_dir;
    void (*timed_out)(void);
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

/* Sets the names of a file that nobody else makes: TIME.PID.HOST. */
static void set_names(const char *dir)
{
    char host[MAX_HOST + 1] = "";
    struct bytes name = {0};

    gethostname(host, sizeof host); /* a longer name fails, and is cut */
    host[MAX_HOST] = '\0';
    bytes_add_format(&name, "%" PRId64 ".%jd.", clock_now(), (intmax_t)getpid());
    maildir_add_host(&name, view_of(host));

    bytes_set(&file.new_dir, view_of(dir));
    bytes_add_text(&file.new_dir, "/new");
    bytes_set(&file.new, bytes_view(&file.new_dir));
    bytes_add_byte(&file.new, '/');
    bytes_add(&file.new, bytes_view(&name));
    bytes_set(&file.tmp, view_of(dir));
    bytes_add_text(&file.tmp, "/tmp/");
    bytes_add(&file.tmp, bytes_view(&name));
    bytes_free(&name);
}

static void on_alarm(int sig)
{
    (void)sig;
    if (file.exists)
        unlink(file.tmp.data);
    file.timed_out();
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

/* Creates the file below tmp/: -1 where that fails. A name that is taken will be free
 * with a later time in it. */
static int create(const char *dir)
{
    for (int try = 1;; try++) {
        set_names(dir);
        int fd = fd_open(bytes_cstring(&file.tmp), O_WRONLY | O_CREAT | O_EXCL, 0644);
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
    const char *new = bytes_cstring(&file.new);
    if (link(file.tmp.data, new) == -1)
        return MAILDIR_TROUBLE;
    if (dir_sync(bytes_cstring(&file.new_dir)))
        return MAILDIR_DONE;
    unlink(new);
    return MAILDIR_TROUBLE;
}

static enum maildir_result deliver(const char *dir, struct view head, int message)
{
    if (access(dir, X_OK) == -1)
        return error_is_temporary(errno) ? MAILDIR_TROUBLE : MAILDIR_NO_DIRECTORY;
    start_timer();
    int fd = create(dir);
    enum maildir_result result = MAILDIR_TROUBLE;
    if (fd != -1) {
        file.exists = 1;
        result = fill(fd, head, message);
    }
    alarm(0); /* no timer may come between the file's name and the report of it */
    if (result == MAILDIR_DONE)
        result = publish();
    if (file.exists)
        unlink(file.tmp.data);
    file.exists = 0;
    return result;
}

static void leave(void)
{
    _exit(MAILDIR_TIMEOUT);
}

/* In a process of its own, and so under a name of its own. */
static enum maildir_result deliver_apart(const char *dir, struct view head, int message)
{
    int status;

    pid_t pid = fork();
    if (pid == 0) {
        file.timed_out = leave;
        _exit((int)deliver(dir, head, message));
    }
    if (pid == -1)
        return MAILDIR_NO_PROCESS;
    if (!process_wait(pid, &status) || !WIFEXITED(status))
        return MAILDIR_CRASHED;
    int code = WEXITSTATUS(status);
    return code < MAILDIR_CRASHED ? (enum maildir_result)code : MAILDIR_TROUBLE;
}

enum maildir_result maildir_deliver(const char *dir, struct view head, int message,
                                    void (*timed_out)(void))
{
    static bool before;

    if (before)
        return deliver_apart(dir, head, message);
    before = true;
    file.timed_out = timed_out;
    return deliver(dir, head, message);
}
