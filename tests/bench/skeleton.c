/* skeleton - a mail system's processes and syncs, and nothing else.
 *
 * usage    skeleton server|check|queue|send|local
 *          server under tcpserver, in the directory of the queue; send beside it
 *
 * One process for each connection, one that checks the recipient, one that writes the
 * message into the queue, one that delivers it; what is synced is what must be. No
 * address is parsed, nothing is logged, no limit is kept: what this cannot do faster,
 * no system with these processes can. HOME of send is where Maildir is. */
#include "base/die.h"
#include "base/error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 65536, AT_ONCE = 20, NAME_ROOM = 300 };

extern char **environ;
static const char *self;
static char block[BLOCK];

static _Noreturn void die_unable(const char *deed)
{
    die_temp("unable to %s: %s", deed, error_text(errno));
}

static int create(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd == -1)
        die_unable("create");
    return fd;
}

static void write_all(int fd, const char *data, size_t len)
{
    for (ssize_t n; len; data += n, len -= (size_t)n)
        if ((n = write(fd, data, len)) == -1)
            die_unable("write");
}

static void copy(int from, int to)
{
    ssize_t n;
    while ((n = read(from, block, sizeof block)) > 0)
        write_all(to, block, (size_t)n);
    if (n == -1)
        die_unable("read");
}

static void sync_dir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd == -1 || fsync(fd) == -1)
        die_unable("sync a directory");
    (void)close(fd);
}

/* Begins another role; message is its descriptor 0 unless it is -1. */
static pid_t begin(const char *role, const char *argument, int message)
{
    char *argv[] = {(char[]){"skeleton"}, (char[20]){0}, (char[NAME_ROOM]){0}, NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;
    (void)snprintf(argv[1], 20, "%s", role);
    (void)snprintf(argv[2], NAME_ROOM, "%s", argument);
    if (posix_spawn_file_actions_init(&actions) != 0 ||
        (message != -1 &&
         posix_spawn_file_actions_adddup2(&actions, message, 0) != 0) ||
        posix_spawn(&pid, self, &actions, NULL, argv, environ) != 0)
        die_unable("start a process");
    (void)posix_spawn_file_actions_destroy(&actions);
    return pid;
}

static void end(pid_t pid)
{
    int status;
    if (waitpid(pid, &status, 0) != pid || status != 0)
        die_temp("a process has failed");
}

/* queue: fd 0 is the message. */

static void queue(void)
{
    char mess[NAME_ROOM], intd[NAME_ROOM], todo[NAME_ROOM];
    long pid = (long)getpid(), second = (long)time(NULL);
    (void)snprintf(mess, sizeof mess, "mess/%ld.%ld", second, pid);
    (void)snprintf(intd, sizeof intd, "intd/%ld.%ld", second, pid);
    (void)snprintf(todo, sizeof todo, "todo/%ld.%ld", second, pid);
    int message = create(mess), envelope = create(intd);
    copy(0, message);
    write_all(envelope, "envelope", 8);
    if (fsync(message) == -1 || fsync(envelope) == -1)
        die_unable("sync");
    sync_dir("mess");
    if (link(intd, todo) == -1)
        die_unable("link");
    sync_dir("todo");
    int trigger = open("trigger", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (trigger != -1)
        write_all(trigger, "", 1);
}

/* server: fd 0 and 1 are the connection. */

static void say(const char *line)
{
    write_all(1, line, strlen(line));
}

static size_t held; /* in block, of what the client has sent */

static void fill(void)
{
    ssize_t n = read(0, block + held, sizeof block - held);
    if (n <= 0)
        _exit(0);
    held += (size_t)n;
}

static void drop(size_t n)
{
    memmove(block, block + n, held - n);
    held -= n;
}

static const char dot[] = "\r\n.\r\n";

static const char *find_dot(void)
{
    const char *at = block, *last = block + held;
    while ((at = memchr(at, '\r', (size_t)(last - at))) &&
           (size_t)(last - at) >= sizeof dot - 1) {
        if (memcmp(at, dot, sizeof dot - 1) == 0)
            return at;
        at++;
    }
    return NULL;
}

static void take_message(int fd)
{
    const size_t tail = sizeof dot - 2; /* of it, which the next block may complete */
    for (;;) {
        const char *at = find_dot();
        if (at) {
            write_all(fd, block, (size_t)(at - block));
            drop((size_t)(at - block) + sizeof dot - 1);
            return;
        }
        if (held > tail) {
            size_t n = held - tail;
            write_all(fd, block, n);
            drop(n);
        }
        fill();
    }
}

static void data(void)
{
    int ends[2];
    if (pipe(ends) == -1 || fcntl(ends[1], F_SETFD, FD_CLOEXEC) == -1)
        die_unable("make a pipe");
    pid_t pid = begin("queue", "", ends[0]);
    (void)close(ends[0]);
    say("354 go\r\n");
    take_message(ends[1]);
    (void)close(ends[1]);
    end(pid);
    say("250 ok\r\n");
}

static void serve(void)
{
    say("220 skeleton\r\n");
    for (;;) {
        const char *at = held ? memchr(block, '\n', held) : NULL;
        char verb[4];
        if (!at || at - block < 4) {
            fill();
            continue;
        }
        memcpy(verb, block, sizeof verb);
        drop((size_t)(at - block) + 1);
        if (strncasecmp(verb, "data", sizeof verb) == 0) {
            data();
            continue;
        }
        if (strncasecmp(verb, "rcpt", sizeof verb) == 0)
            end(begin("check", "", -1));
        bool quit = strncasecmp(verb, "quit", sizeof verb) == 0;
        say(quit ? "221 ok\r\n" : "250 ok\r\n");
        if (quit)
            return;
    }
}

/* local: delivers a message of the queue. */

static void local(const char *name)
{
    char from[NAME_ROOM], tmp[NAME_ROOM], new[NAME_ROOM];
    const char *home = getenv("HOME");
    (void)snprintf(from, sizeof from, "mess/%s", name);
    (void)snprintf(tmp, sizeof tmp, "%s/Maildir/tmp/%s", home, name);
    (void)snprintf(new, sizeof new, "%s/Maildir/new/%s", home, name);
    int message = open(from, O_RDONLY | O_CLOEXEC), fd = create(tmp);
    if (message == -1)
        die_unable("open");
    copy(message, fd);
    if (fsync(fd) == -1 || link(tmp, new) == -1)
        die_unable("deliver");
    (void)snprintf(new, sizeof new, "%s/Maildir/new", home);
    sync_dir(new);
    (void)unlink(tmp);
}

/* send: delivers what comes into todo/. */

static struct {
    pid_t pid;
    char name[NAME_ROOM];
} running[AT_ONCE];
static unsigned count;

static bool is_running(const char *name)
{
    for (unsigned i = 0; i < count; i++)
        if (strcmp(running[i].name, name) == 0)
            return true;
    return false;
}

/* Ends what has ended; waits for one if all places are taken. */
static void reap(void)
{
    static const char *const trees[] = {"mess", "intd", "todo"};
    char path[NAME_ROOM * 2];
    int status;
    pid_t pid;
    while (count && (pid = waitpid(-1, &status, count == AT_ONCE ? 0 : WNOHANG)) > 0)
        for (unsigned i = 0; i < count; i++)
            if (running[i].pid == pid) {
                for (size_t t = 0; t < sizeof trees / sizeof *trees && status == 0;
                     t++) {
                    (void)snprintf(path, sizeof path, "%s/%s", trees[t],
                                   running[i].name);
                    (void)unlink(path);
                }
                running[i] = running[--count];
                break;
            }
}

static void scan(void)
{
    const struct dirent *entry;
    DIR *dir = opendir("todo");
    if (!dir)
        die_unable("read todo");
    while ((entry = readdir(dir))) {
        reap();
        if (entry->d_name[0] == '.' || is_running(entry->d_name))
            continue;
        (void)snprintf(running[count].name, NAME_ROOM, "%s", entry->d_name);
        running[count].pid = begin("local", entry->d_name, -1);
        count++;
    }
    (void)closedir(dir);
}

static void send(void)
{
    enum { LOOK_MS = 20 }; /* for children, while there are some */
    int trigger = open("trigger", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (trigger == -1)
        die_unable("open trigger");
    for (;;) {
        struct pollfd want = {.fd = trigger, .events = POLLIN};
        (void)poll(&want, 1, count ? LOOK_MS : -1);
        bool pulled = read(trigger, block, sizeof block) > 0;
        reap();
        if (pulled)
            scan();
    }
}

int main(int argc, char **argv)
{
    const char *role = argc > 1 ? argv[1] : "";
    die_name("skeleton");
    self = getenv("SKELETON");
    if (strcmp(role, "check") == 0)
        return 0;
    if (strcmp(role, "queue") == 0)
        queue();
    else if (strcmp(role, "server") == 0)
        serve();
    else if (strcmp(role, "local") == 0 && argc == 3)
        local(argv[2]);
    else if (strcmp(role, "send") == 0)
        send();
    else
        die_perm("usage: skeleton server|check|queue|send|local");
    return 0;
}
