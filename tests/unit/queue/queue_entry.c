#include "queue/queue.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/writer.h"
#include "conf.h"

#include "fault.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The steps in a queue of our own, and what each leaves behind when a later one
 * fails: nothing. What the disk does is the business of the system tests. */
static const struct queue_origin origin = {.pid = 25614, .uid = 1002, .time = 99};

static void make_queue(char *home)
{
    if (!mkdtemp(home) || chdir(home) == -1)
        skip_rest("no temporary directory");
    mkdir("pid", 0755), mkdir("mess", 0755), mkdir("intd", 0755), mkdir("todo", 0755);
    for (ino_t split = 0; split < CONF_SPLIT; split++)
        mkdir(queue_split_dir("mess", split).text, 0755);
}

static bool there(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

static void nothing_left(const struct queue_entry *e, const char *name)
{
    ok(!there(e->pid.text), name, "no pid file");
    ok(!there(e->mess.text), name, "no message");
    ok(!there(e->intd.text), name, "no envelope");
    ok(!there(e->todo.text), name, "nothing queued");
}

/* A descriptor from which bytes can be read. */
static int source(struct view bytes)
{
    int ends[2];
    if (!fd_pipe(ends) || !write_all(ends[1], bytes))
        skip_rest("no pipe");
    fd_close(&ends[1]);
    return ends[0];
}

static void close_files(struct queue_entry *e)
{
    fd_close(&e->mess_fd);
    fd_close(&e->intd_fd);
}

/* Descriptors of the entry are closed by the end of the process in earnest. */
static enum queue_exit run_with(struct queue_entry *e, int message_fd, int envelope_fd)
{
    enum queue_exit code = queue_entry_begin(e, &origin);
    if (code == QUEUE_OK)
        code = queue_entry_message(e, VIEW("first\n"), message_fd);
    if (code == QUEUE_OK)
        code = queue_entry_envelope(e, &origin, envelope_fd);
    if (code == QUEUE_OK)
        code = queue_entry_publish(e);
    if (code != QUEUE_OK)
        queue_entry_discard(e);
    return code;
}

static enum queue_exit run(struct queue_entry *e, struct view envelope)
{
    int message_fd = source(VIEW("a\0\r\nb")), envelope_fd = source(envelope);
    enum queue_exit code = run_with(e, message_fd, envelope_fd);
    fd_close(&message_fd);
    fd_close(&envelope_fd);
    close_files(e);
    return code;
}

static void queued(void)
{
    struct queue_entry e;
    struct bytes content = {0};
    struct stat intd, todo;

    same_number(run(&e, VIEW("Fa@b\0Tc@d\0\0Tmore")), QUEUE_OK, "queued");
    file_read(e.mess.text, 1000, &content);
    same(bytes_view(&content), VIEW("first\na\0\r\nb"), "message");
    file_read(e.todo.text, 1000, &content);
    same(bytes_view(&content), VIEW("u1002\0p25614\0Fa@b\0Tc@d\0"), "envelope");
    ok(stat(e.intd.text, &intd) == 0 && stat(e.todo.text, &todo) == 0 &&
           file_same(&intd, &todo),
       "intd and todo are one file", NULL);
    ok(!there(e.pid.text), "no pid file", NULL);
    unlink(e.mess.text), unlink(e.intd.text), unlink(e.todo.text);
    bytes_free(&content);
}

static void refused(struct view envelope, enum queue_exit want, const char *name)
{
    struct queue_entry e;
    same_number(run(&e, envelope), want, name);
    nothing_left(&e, name);
}

/* So much that it does not fit into the writer's room: the first write fails. */
static void no_room_for_recipients(void)
{
    struct queue_entry e;
    struct bytes envelope = {0};

    bytes_add(&envelope, VIEW("Fa@b\0"));
    while (envelope.len < 3 * WRITER_ROOM)
        bytes_add(&envelope, VIEW("Tcccccccccccccccccccccccccccccccccccccc@d\0"));
    make_file("envelope", bytes_view(&envelope));
    int message_fd = source(VIEW("a")), fd = fd_open_read("envelope");
    enum queue_exit code = queue_entry_begin(&e, &origin);
    if (code == QUEUE_OK)
        code = queue_entry_message(&e, VIEW("first\n"), message_fd);
    fault_at("write", 1, ENOSPC);
    if (code == QUEUE_OK)
        code = queue_entry_envelope(&e, &origin, fd);
    fault_end();
    same_number(code, QUEUE_WRITE, "no room for recipients");
    queue_entry_discard(&e);
    nothing_left(&e, "no room for recipients");
    fd_close(&message_fd), fd_close(&fd);
    close_files(&e);
    unlink("envelope");
    bytes_free(&envelope);
}

/* Names that are in the way belong to somebody else and stay. */
static void in_the_way(void)
{
    static const char *const trees[] = {"intd", "todo"};
    static const enum queue_exit codes[] = {QUEUE_INTD, QUEUE_TODO};

    for (size_t i = 0; i < COUNT(trees); i++) {
        struct queue_entry e;
        int envelope_fd = source(VIEW("Fa\0Tb\0\0"));
        ok(queue_entry_begin(&e, &origin) == QUEUE_OK, trees[i], "begin");
        const char *obstacle = i == 0 ? e.intd.text : e.todo.text;
        mkdir(obstacle, 0755);
        enum queue_exit code = queue_entry_envelope(&e, &origin, envelope_fd);
        if (code == QUEUE_OK)
            code = queue_entry_publish(&e);
        same_number(code, codes[i], trees[i]);
        queue_entry_discard(&e);
        ok(rmdir(obstacle) == 0, trees[i], "stays");
        nothing_left(&e, trees[i]);
        fd_close(&envelope_fd);
        close_files(&e);
    }
}

static void nine_names(void)
{
    struct queue_entry e;
    struct queue_path path;

    for (int k = 1; k <= 9; k++) {
        snprintf(path.text, sizeof path.text, "pid/25614.99.%d", k);
        ok(queue_entry_begin(&e, &origin) == QUEUE_OK, "name", path.text);
        queue_entry_discard(&e);
        nothing_left(&e, path.text);
        close_files(&e);
        int fd = fd_open(path.text, O_WRONLY | O_CREAT, 0644);
        fd_close(&fd);
    }
    same_number(queue_entry_begin(&e, &origin), QUEUE_PID_FILE, "a tenth");
    queue_entry_discard(&e);
    ok(there("pid/25614.99.9"), "the others' names stay", NULL);
    for (int k = 1; k <= 9; k++) {
        snprintf(path.text, sizeof path.text, "pid/25614.99.%d", k);
        unlink(path.text);
    }
}

static void intd_stays(void)
{
    struct queue_entry e;
    ok(queue_entry_begin(&e, &origin) == QUEUE_OK, "intd stays", "begin");
    e.has_intd = true; /* but it is a directory, which unlink(2) refuses */
    e.intd = queue_flat_path("intd", 1);
    mkdir(e.intd.text, 0755);
    queue_entry_discard(&e);
    ok(there(e.mess.text), "an envelope that stays", "keeps the message");
    rmdir(e.intd.text), unlink(e.mess.text);
    close_files(&e);
}

/* Removes what an entry left. */
static void sweep(const struct queue_entry *e)
{
    unlink(e->pid.text), unlink(e->mess.text);
    unlink(e->intd.text), unlink(e->todo.text);
}

/* Each call of the whole way fails in turn: todo/ has the name where the answer is
 * QUEUE_OK, and has it not where it is another. An envelope has its message. */
static void each_call_fails(void)
{
    static const int errors[] = {EIO, ENOSPC, EEXIST, EMFILE};
    unsigned wrong = 0, lone = 0, refused_count = 0;

    for (size_t i = 0; i < COUNT(errors); i++)
        for (int n = 1;; n++) {
            struct queue_entry e = {0};
            int message = source(VIEW("a\n")), envelope = source(VIEW("Fa\0Tb\0\0"));
            fault_at(NULL, n, errors[i]);
            enum queue_exit code = run_with(&e, message, envelope);
            bool failed = fault_end();
            fd_close(&message), fd_close(&envelope);
            close_files(&e);
            wrong += there(e.todo.text) != (code == QUEUE_OK);
            lone += there(e.intd.text) && !there(e.mess.text);
            refused_count += code != QUEUE_OK;
            sweep(&e);
            if (!failed)
                break;
        }
    same_number(wrong, 0, "each call fails: queued where it says so");
    same_number(lone, 0, "each call fails: no envelope without its message");
    ok(refused_count > 40, "each call fails", "most of them matter");
}

static void steps_fail(void)
{
    static const struct {
        const char *call;
        int nth, error;
        enum queue_exit want;
    } steps[] = {
        {"open", 1, EEXIST, QUEUE_OK}, /* another name, then */
        {"open", 1, EACCES, QUEUE_PID_FILE},
        {"fstat", 1, EIO, QUEUE_PID_FILE},
        {"link", 1, EDQUOT, QUEUE_MESS},
        {"unlink", 1, EIO, QUEUE_PID_FILE},
        {"read", 1, EINTR, QUEUE_OK},
        {"read", 1, EIO, QUEUE_READ},
        {"read", 3, EIO, QUEUE_READ}, /* the envelope */
        {"write", 1, ENOSPC, QUEUE_WRITE},
        {"write", 2, ENOSPC, QUEUE_WRITE}, /* the envelope */
        {"fsync", 1, EIO, QUEUE_WRITE},
        {"fsync", 2, EIO, QUEUE_WRITE},
        {"fsync", 3, EIO, QUEUE_MESS}, /* its directory */
        {"fsync", 4, EIO, QUEUE_TODO}, /* todo/ */
        {"link", 2, EDQUOT, QUEUE_TODO},
    };
    for (size_t i = 0; i < COUNT(steps); i++) {
        struct queue_entry e = {0};
        int message = source(VIEW("a\n")), envelope = source(VIEW("Fa\0Tb\0\0"));
        fault_at(steps[i].call, steps[i].nth, steps[i].error);
        same_number(run_with(&e, message, envelope), steps[i].want, steps[i].call);
        ok(fault_end(), "failed", steps[i].call);
        fd_close(&message), fd_close(&envelope);
        close_files(&e);
        sweep(&e);
    }
}

int main(void)
{
    char home[] = "/tmp/entry.XXXXXX";

    make_queue(home);
    queued();
    refused(VIEW(""), QUEUE_READ, "empty envelope");
    refused(VIEW("Fa\0Tb\0"), QUEUE_READ, "envelope ends early");
    refused(VIEW("Fa\0Xb\0\0"), QUEUE_ENVELOPE, "letter");
    no_room_for_recipients();
    in_the_way();
    nine_names();
    intd_stays();
    each_call_fails();
    steps_fail();
    for (ino_t split = 0; split < CONF_SPLIT; split++)
        rmdir(queue_split_dir("mess", split).text);
    rmdir("pid"), rmdir("mess"), rmdir("intd"), rmdir("todo");
    ok(chdir("/") == 0 && rmdir(home) == 0, "nothing else was made", NULL);
    return tap_done();
}
