#include "mail/maildir.h"

#include "fault.h"
#include "tap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct {
    const char *name, *host, *want;
} hosts[] = {
    {"plain", "mail.example", "mail.example"},
    {"slash and colon", "a/b:c", "a\\057b\\072c"},
    {"empty", "", ""},
};

static char dir[] = "/tmp/unit-maildir.XXXXXX";

static const char *below(const char *part)
{
    static char path[sizeof dir + 8];
    snprintf(path, sizeof path, "%s/%s", dir, part);
    return path;
}

/* Removes the files of a part of the maildir, the part too. The number of files. */
static uint64_t empty(const char *part)
{
    uint64_t count = 0;
    DIR *d = opendir(below(part));
    const struct dirent *entry;
    while (d && (entry = readdir(d)))
        if (entry->d_name[0] != '.') {
            unlinkat(dirfd(d), entry->d_name, 0);
            count++;
        }
    if (d)
        closedir(d);
    rmdir(below(part));
    return count;
}

static void empty_tmp(void)
{
    empty("tmp");
    mkdir(below("tmp"), 0700);
}

static uint64_t count(const char *part)
{
    uint64_t files = 0;
    DIR *d = opendir(below(part));
    const struct dirent *entry;
    while (d && (entry = readdir(d)))
        files += entry->d_name[0] != '.';
    if (d)
        closedir(d);
    return files;
}

/* Each call of a delivery fails in turn, in this process and in one of its own: a
 * file is in new/ exactly where that is the answer. */
static void each_call_fails(const char *message)
{
    static const int errors[] = {EIO, ENOSPC};
    unsigned done = 0, wrong = 0, left = 0;
    for (size_t i = 0; i < COUNT(errors); i++)
        for (int n = 1; n < 30; n++) {
            int fd = open(message, O_RDONLY);
            uint64_t before = count("new");
            fault_at(NULL, n, errors[i]);
            enum maildir_result result = maildir_deliver(dir, VIEW("A"), fd, NULL);
            fault_end();
            done += result == MAILDIR_DONE;
            wrong += count("new") - before != (result == MAILDIR_DONE);
            left += count("tmp") > 1;
            empty_tmp();
            close(fd);
        }
    ok(done > 2 && done < 50, "each call fails", "some do not matter");
    same_number(wrong, 0, "each call fails: in new/ if that is the answer");
    same_number(left, 0, "each call fails: what it left in tmp/");
}

static void steps_fail(const char *message)
{
    static const struct {
        const char *call;
        int nth, error;
        enum maildir_result want;
    } steps[] = {
        {"fork", 1, EAGAIN, MAILDIR_NO_PROCESS},
        {"waitpid", 1, ECHILD, MAILDIR_CRASHED},
        {"access", 1, EACCES, MAILDIR_NO_DIRECTORY},
        {"access", 1, EIO, MAILDIR_TROUBLE},
        {"open", 1, EEXIST, MAILDIR_DONE}, /* a name that is taken, once */
        {"open", 0, EEXIST, MAILDIR_TROUBLE},
        {"read", 1, EINTR, MAILDIR_DONE},
        {"read", 1, EIO, MAILDIR_UNREADABLE},
        {"write", 1, ENOSPC, MAILDIR_TROUBLE},
        {"fsync", 1, EIO, MAILDIR_TROUBLE}, /* the file */
        {"fsync", 2, EIO, MAILDIR_TROUBLE}, /* the directory */
        {"close", 1, EDQUOT, MAILDIR_TROUBLE},
        {"link", 1, EEXIST, MAILDIR_TROUBLE},
    };
    for (size_t i = 0; i < COUNT(steps); i++) {
        int fd = open(message, O_RDONLY);
        fault_at(steps[i].call, steps[i].nth, steps[i].error);
        same_number(maildir_deliver(dir, VIEW("A"), fd, NULL), steps[i].want,
                    steps[i].call);
        fault_end();
        close(fd);
    }
}

static void leave_first(void)
{
    _exit(77);
}

/* Alarms, until the process that waits for the message has gone. */
static void alarms(void)
{
    struct timespec pause = {.tv_nsec = 50000000};
    for (int i = 0; i < 1000; i++) {
        nanosleep(&pause, NULL);
        kill(0, SIGALRM);
    }
    _exit(0);
}

static void runs_out(void *arg)
{
    int ends[2], status;
    (void)arg;
    setpgid(0, 0);
    signal(SIGALRM, SIG_IGN);
    pid_t pid = fork();
    if (pid == 0)
        alarms();
    /* apart from us, as one was delivered before */
    enum maildir_result result =
        pipe(ends) == 0 ? maildir_deliver(dir, VIEW("A"), ends[0], NULL) : MAILDIR_DONE;
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    _exit((int)result);
}

static void runs_out_first(void *arg)
{
    int ends[2];
    (void)arg;
    setpgid(0, 0);
    signal(SIGALRM, SIG_IGN);
    if (fork() == 0) {
        signal(SIGALRM, SIG_DFL); /* ends with us */
        alarms();
    }
    if (pipe(ends) == 0)
        maildir_deliver(dir, VIEW("A"), ends[0], leave_first);
    _exit(1);
}

int main(void)
{
    struct bytes got = {0};
    for (size_t i = 0; i < COUNT(hosts); i++) {
        bytes_clear(&got);
        maildir_add_host(&got, view_of(hosts[i].host));
        same(bytes_view(&got), view_of(hosts[i].want), hosts[i].name);
    }
    bytes_free(&got);

    int message = open("/dev/null", O_RDONLY), unreadable = open("/", O_RDONLY);
    if (!mkdtemp(dir)) {
        skip_rest("no scratch directory");
        return tap_done();
    }
    mkdir(below("tmp"), 0700);
    mkdir(below("new"), 0700);
    same_number((uint64_t)run_apart(runs_out_first, NULL, NULL), 77,
                "the time is over");
    same_number(empty("tmp") + empty("new"), 0, "the time is over: files");
    same_number(maildir_deliver("/nonexistent", VIEW("A"), message, NULL),
                MAILDIR_NO_DIRECTORY, "no directory");
    same_number(maildir_deliver(dir, VIEW("A"), message, NULL), MAILDIR_TROUBLE,
                "no tmp");
    mkdir(below("tmp"), 0700);
    same_number(maildir_deliver(dir, VIEW("A"), message, NULL), MAILDIR_TROUBLE,
                "no new");
    mkdir(below("new"), 0700);
    same_number(maildir_deliver(dir, VIEW("A"), unreadable, NULL), MAILDIR_UNREADABLE,
                "a message that cannot be read");
    same_number(maildir_deliver(dir, VIEW("A"), message, NULL), MAILDIR_DONE,
                "delivered");
    same_number(maildir_deliver(dir, VIEW("A"), message, NULL), MAILDIR_DONE,
                "once more");
    same_number((uint64_t)run_apart(runs_out, NULL, NULL), MAILDIR_TIMEOUT,
                "the time is over, in a process of its own");
    same_number(empty("new"), 2, "files in new");
    same_number(empty("tmp"), 0, "files left in tmp");
    mkdir(below("tmp"), 0700);
    mkdir(below("new"), 0700);
    make_file(below("message"), VIEW("Subject: x\n\nx\n"));
    char path[sizeof dir + 8];
    strcpy(path, below("message"));
    steps_fail(path);
    each_call_fails(path);
    unlink(path);
    empty("new");
    empty("tmp");
    rmdir(dir);
    close(message);
    close(unreadable);
    return tap_done();
}
