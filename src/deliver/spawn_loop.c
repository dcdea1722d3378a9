#include "deliver/spawn.h"

#include "base/clock.h"
#include "base/die.h"
#include "base/fd.h"
#include "base/heap.h"
#include "base/identity.h"
#include "base/loop.h"
#include "base/os.h"
#include "base/sandbox.h"
#include "base/signals.h"
#include "base/writer.h"
#include "mail/queue_dir.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    INPUT_STEP = 65536,  /* bytes of commands read at a time: all that a pipe holds */
    OUTPUT_STEP = 16384, /* bytes of a child's output */
    FDS_EACH = 2,        /* descriptors of a delivery: its pipes, or one and its
                            message */
    FDS_OTHER = 10,      /* all others */
    RETRY_S = 1,         /* between attempts to get memory */
    FILE_TIME_US = 20000 /* times of files may be so much behind the clock */
};

/* The first two wants of the loop never move while they are there. */
enum { WANT_SIGNALS, WANT_INPUT, FIXED_WANTS };

static struct {
    const struct spawn_role *role;
    uid_t owner;         /* of message files: qmailq */
    struct rlimit files; /* what we were given, and children are given */
    bool raised;         /* ours is a higher one */

    unsigned limit;                 /* of deliveries at a time */
    struct spawn_delivery **slots;  /* those that run, by slot */
    struct spawn_delivery **by_pid; /* chains of those that have a child */
    size_t pid_mask;                /* one less than the number of chains */
    unsigned running;

    struct loop loop;
    struct spawn_source **sources; /* by want, from FIXED_WANTS on */
    size_t source_room;
    int64_t silent_us; /* wall clock: what comes was written after that */
    bool input_ended;
    bool deaf; /* qmail-send reads no more reports */
    struct spawn_command command;
    struct spawn_gathering gathering; /* to begin, when all commands are taken */
    struct bytes text;                /* of one report */
    struct bytes reports;             /* to be written */
} self;

uid_t spawn_owner(void)
{
    return self.owner;
}

/* Children and their pids */

static struct spawn_delivery **chain_of(pid_t pid)
{
    return &self.by_pid[(size_t)pid & self.pid_mask];
}

static void remember_child(struct spawn_delivery *d, pid_t pid)
{
    struct spawn_delivery **chain = chain_of(pid);
    d->pid = pid;
    d->next = *chain;
    *chain = d;
}

/* The delivery of a child that has died, which now has none; or NULL. */
static struct spawn_delivery *forget_child(pid_t pid)
{
    for (struct spawn_delivery **at = chain_of(pid); *at; at = &(*at)->next) {
        struct spawn_delivery *d = *at;
        if (d->pid != pid)
            continue;
        *at = d->next;
        d->pid = 0;
        return d;
    }
    return NULL;
}

/* Pipes */

static void listen_to(struct spawn_delivery *d, enum spawn_pipe which, int fd)
{
    struct spawn_source *s = &d->pipes[which];
    s->fd = fd;
    s->want = loop_want(&self.loop, fd, POLLIN);
    if (s->want >= self.source_room) {
        self.source_room = s->want * 2 + 16;
        self.sources =
            heap_resize(self.sources, self.source_room, sizeof(struct spawn_source *));
    }
    self.sources[s->want] = s;
}

static void stop_listening(struct spawn_source *s)
{
    size_t last = loop_drop(&self.loop, s->want);
    self.sources[s->want] = self.sources[last];
    self.sources[s->want]->want = s->want;
    fd_close(&s->fd);
}

static bool open_pipe(bool wanted, int ends[2])
{
    ends[0] = ends[1] = -1;
    return !wanted || fd_pipe(ends);
}

bool spawn_start(struct spawn_delivery *d, struct process *p, int input, bool split,
                 struct bytes *report)
{
    int text[2], answer[2] = {-1, -1};
    const char *why = "Zqmail-spawn unable to create pipe. (#4.3.0)\n";

    if (!open_pipe(true, text) || !open_pipe(split, answer))
        goto failed;
    p->fds[0] = (struct process_fd){.have = input, .want = 0};
    p->fds[1] = (struct process_fd){.have = split ? answer[1] : text[1], .want = 1};
    p->fds[2] = (struct process_fd){.have = text[1], .want = 2};
    p->fd_count = 3;
    p->default_sigpipe = true;
    p->files = self.raised ? &self.files : NULL;
    pid_t pid = process_start(p);
    if (pid == -1) {
        why = "Zqmail-spawn unable to fork. (#4.3.0)\n";
        goto failed;
    }
    fd_close(&input);
    fd_close(&text[1]);
    fd_close(&answer[1]);
    remember_child(d, pid);
    listen_to(d, SPAWN_TEXT, text[0]);
    if (split)
        listen_to(d, SPAWN_ANSWER, answer[0]);
    return true;

failed:
    fd_close(&input);
    for (int i = 0; i < 2; i++) {
        fd_close(&text[i]);
        fd_close(&answer[i]);
    }
    bytes_add_text(report, why);
    return false;
}

/* Reports */

static void add_report(unsigned slot, struct view text)
{
    delivery_add_slot(&self.reports, slot);
    bytes_add(&self.reports, text);
    bytes_add_byte(&self.reports, '\0');
}

/* qmail-send must not wait for reports that will not come: it sees the end of the pipe.
 * The descriptor stays taken. */
static void be_deaf(void)
{
    self.deaf = true;
    dup2(0, 1);
}

/* Reports that come together go together: each one wakes qmail-send, which never waits
 * to write a command, so it always comes to read. */
static void send_reports(void)
{
    if (self.reports.len && !self.deaf && !write_all(1, bytes_view(&self.reports)))
        be_deaf();
    bytes_clear(&self.reports);
}

/* Deliveries */

/* A delivery as the command asks for it, or NULL where there is no memory. */
static struct spawn_delivery *new_delivery(void)
{
    struct spawn_delivery *d = heap_try(1, sizeof *d);
    void *state = heap_try(1, self.role->state_size);
    if (!d || !state) {
        heap_free(d);
        heap_free(state);
        return NULL;
    }
    memset(state, 0, self.role->state_size);
    *d = (struct spawn_delivery){.slot = spawn_command_slot(&self.command),
                                 .state = state};
    for (int i = 0; i < SPAWN_PIPES; i++)
        d->pipes[i] = (struct spawn_source){.delivery = d, .fd = -1};
    spawn_command_move(&self.command, &d->strings);
    spawn_split_strings(&d->strings, &d->message, &d->sender, &d->recipient);
    return d;
}

static void free_delivery(struct spawn_delivery *d)
{
    self.role->forget(d);
    heap_free(d->state);
    bytes_free(&d->strings);
    heap_free(d);
}

/* All their reports are there: the slots are free. */
static void end_deliveries(struct spawn_delivery *d)
{
    while (d) {
        struct spawn_delivery *other = d->others;
        self.slots[d->slot] = NULL;
        self.running--;
        free_delivery(d);
        d = other;
    }
}

/* There is no child, and that is what is to be said of each of them. */
static void end_alike(struct spawn_delivery *d, struct view text)
{
    for (const struct spawn_delivery *each = d; each; each = each->others)
        add_report(each->slot, text);
    end_deliveries(d);
}

static void end_if_done(struct spawn_delivery *d)
{
    if (d->pid || d->pipes[SPAWN_TEXT].fd != -1 || d->pipes[SPAWN_ANSWER].fd != -1)
        return;
    bytes_clear(&self.text);
    if (self.role->ended(d, &self.text))
        return;
    add_report(d->slot, bytes_view(&self.text));
    size_t number = 0;
    for (const struct spawn_delivery *other = d->others; other; other = other->others) {
        bytes_clear(&self.text);
        self.role->ended_other(d, ++number, &self.text);
        add_report(other->slot, bytes_view(&self.text));
    }
    end_deliveries(d);
}

/* Whether the open message can be another one than qmail-send has meant. If it has
 * died, another qmail-send may have ended the message by now, and its number and name
 * be those of a new one; unless this one was there before the command was written. */
static bool may_be_another(int message)
{
    struct stat st;
    if (!fd_hung_up(0, 1))
        return false;
    if (fstat(message, &st) == -1)
        return true;
    int64_t queued_us =
        (int64_t)st.st_ctim.tv_sec * 1000000 + st.st_ctim.tv_nsec / 1000;
    return queued_us + FILE_TIME_US >= self.silent_us;
}

/* That is asked when the file is open: if qmail-send lives then, nobody has ended the
 * message before. */
static int open_message(const struct spawn_delivery *d, const char **why)
{
    int message = spawn_open_message(d->message.data, self.owner, why);
    if (message != -1 && may_be_another(message)) {
        fd_close(&message);
        *why = "Zqmail-send has died.\n"; /* so nobody reads this */
    }
    return message;
}

static void begin_delivery(struct spawn_delivery *d)
{
    const char *why;
    int message = open_message(d, &why);

    if (message == -1) {
        end_alike(d, view_of(why));
        return;
    }
    bytes_clear(&self.text);
    if (!self.role->begin(d, message, &self.text))
        end_alike(d, bytes_view(&self.text));
}

static void accept(struct spawn_delivery *d)
{
    const char *why = spawn_check_names(d->message, d->recipient);

    self.slots[d->slot] = d;
    self.running++;
    if (why)
        end_alike(d, view_of(why));
    else if (self.role->most > 1)
        spawn_gather(&self.gathering, d, self.role->most);
    else
        begin_delivery(d);
}

static void begin_gathered(void)
{
    struct spawn_delivery *d = spawn_gathered(&self.gathering);
    while (d) {
        struct spawn_delivery *later = d->later;
        begin_delivery(d);
        d = later;
    }
}

static void refuse(const char *why)
{
    add_report(spawn_command_slot(&self.command), view_of(why));
}

/* Carries out the command that is complete. */
static void obey(void)
{
    unsigned slot = spawn_command_slot(&self.command);
    struct spawn_delivery *d = NULL;

    if (self.command.lost)
        refuse("Zqmail-spawn out of memory. (#4.3.0)\n");
    else if (slot >= self.limit)
        refuse("ZInternal error: delnum too big. (#4.3.5)\n");
    else if (self.slots[slot])
        refuse("ZInternal error: delnum in use. (#4.3.5)\n");
    else if (!(d = new_delivery()))
        refuse("Zqmail-spawn out of memory. (#4.3.0)\n");
    else
        accept(d);
    spawn_command_clear(&self.command);
}

/* What the loop serves */

static void serve_input(void)
{
    static char data[INPUT_STEP];
    ssize_t n = read(0, data, sizeof data);
    if (n == -1 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK))
        return;
    if (n <= 0) {
        self.input_ended = true; /* with it goes an unfinished command */
        return;
    }
    struct view input = view_at(data, (size_t)n);
    while (spawn_command_take(&self.command, &input))
        obey();
    begin_gathered();
}

static void serve_child(struct spawn_source *s)
{
    static char data[OUTPUT_STEP];
    struct spawn_delivery *d = s->delivery;
    ssize_t n = read(s->fd, data, sizeof data);
    if (n == -1 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK))
        return;
    if (n > 0) {
        enum spawn_pipe from = s == &d->pipes[SPAWN_TEXT] ? SPAWN_TEXT : SPAWN_ANSWER;
        self.role->take(d, from, view_at(data, (size_t)n));
        return;
    }
    stop_listening(s);
    end_if_done(d);
}

static void serve_deaths(void)
{
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid == -1 && errno == EINTR)
            continue;
        if (pid <= 0)
            return;
        struct spawn_delivery *d = forget_child(pid);
        if (!d)
            continue; /* not of our making: left by the program we were before */
        d->status = status;
        end_if_done(d);
    }
}

/* One turn. Pipes are served from the last to the first, because a want that is
 * dropped gets the place of the last one. What a child has written is read before
 * its death is noticed. */
static void turn(void)
{
    int64_t begun = clock_now_us();
    if (!loop_wait(&self.loop)) {
        sleep(RETRY_S); /* no memory to wait */
        return;
    }
    for (size_t want = self.loop.count; want-- > FIXED_WANTS;)
        if (loop_ready(&self.loop, want))
            serve_child(self.sources[want]);
    if (loop_ready(&self.loop, WANT_SIGNALS))
        signals_clear();
    if (signals_taken(SIGCHLD))
        serve_deaths();
    send_reports(); /* to begin the next ones takes a while */
    if (!self.input_ended && loop_ready(&self.loop, WANT_INPUT))
        serve_input();
    else
        self.silent_us = begun;
    send_reports();
    if (self.input_ended)
        self.loop.wants[WANT_INPUT].fd = -1;
}

/* Setting up */

unsigned spawn_limit(unsigned wanted, rlim_t files)
{
    if (files == RLIM_INFINITY || files >= (rlim_t)wanted * FDS_EACH + FDS_OTHER)
        return wanted;
    if (files < FDS_EACH + FDS_OTHER)
        return 1;
    return (unsigned)((files - FDS_OTHER) / FDS_EACH);
}

/* Gets the descriptors that all deliveries need at a time, or as many as there
 * are to be had. */
static void raise_limit(void)
{
    struct rlimit files;
    const rlim_t need = (rlim_t)CONF_SPAWN * FDS_EACH + FDS_OTHER;

    self.limit = CONF_SPAWN;
    if (getrlimit(RLIMIT_NOFILE, &self.files) == -1)
        return;
    files = self.files;
    if (files.rlim_cur == RLIM_INFINITY || files.rlim_cur >= need)
        return;
    files.rlim_cur = need;
    if (files.rlim_max != RLIM_INFINITY && files.rlim_max < need)
        files.rlim_max = need; /* for root alone */
    self.raised = setrlimit(RLIMIT_NOFILE, &files) == 0;
    if (self.raised)
        return;
    files.rlim_cur = files.rlim_max = self.files.rlim_max;
    self.raised = setrlimit(RLIMIT_NOFILE, &files) == 0;
    self.limit =
        spawn_limit(CONF_SPAWN, self.raised ? files.rlim_cur : self.files.rlim_cur);
}

/* Giving up would do running deliveries twice; but not for a qmail-send that is gone.
 */
static void wait_for_memory(void)
{
    struct pollfd commands = {.fd = 0};
    if (poll(&commands, 1, RETRY_S * 1000) == 1)
        _exit(DIE_TEMP);
}

void spawn_prepare_or_die(void)
{
    size_t chains = 64;

    if (!fd_fill_standard())
        _exit(DIE_TEMP);
    os_close_from(3);
    queue_enter_or_die(CONF_QMAIL);
    self.owner = identity_user_or_die(CONF_USER_QUEUE);
    heap_on_failure(die_of_memory); /* until there are deliveries */
    raise_limit();
    while (chains < self.limit)
        chains *= 2;
    self.pid_mask = chains - 1;
    self.by_pid = heap_array(chains, sizeof(struct spawn_delivery *));
    self.slots = heap_array(self.limit, sizeof(struct spawn_delivery *));
    for (size_t i = 0; i < chains; i++)
        self.by_pid[i] = NULL;
    for (size_t i = 0; i < self.limit; i++)
        self.slots[i] = NULL;
    signals_ignore(SIGPIPE);
    signals_survive(SIGXFSZ);
    if (!signals_catch(SIGCHLD))
        _exit(DIE_TEMP);
}

void spawn_serve(const struct spawn_role *role)
{
    self.role = role;
    if (chdir("mess") == -1)
        _exit(DIE_TEMP);
    sandbox_enter(SANDBOX_FILES | SANDBOX_PROGRAMS);
    delivery_add_slot(&self.reports, self.limit);
    send_reports();

    heap_on_failure(wait_for_memory);
    self.silent_us = clock_now_us();
    loop_begin(&self.loop);
    loop_want(&self.loop, signals_fd(), POLLIN);
    loop_want(&self.loop, 0, POLLIN);
    while (!self.input_ended || self.running)
        turn();
}
