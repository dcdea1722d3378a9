/* Everybody but qmail-send: what they do next is on an agenda, ordered by time. */
#include "model.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum {
    AGENDA_MAX = 8192,
    PROGRAMS = 32,
    CLIENTS = 12,
    WRITERS = 64, /* of new messages */
    REPORT_MAX = 12000,
    ABANDONED_S = 129600
};

enum deed {
    READ_COMMANDS, /* a: channel */
    ANSWER,        /* a: channel, b: delivery */
    FLUSH,         /* a: channel */
    GARBAGE,       /* a: channel */
    CLEAN,
    PROGRAM,       /* a */
    WRITE_MESSAGE, /* a: writer */
    CLIENT,        /* a */
    ORDER,
    NEW_MESSAGE,
    SIGNAL, /* a: number */
    CONTROLS,
    JUMP,
    DEATH, /* a: 0, 1 a spawner, 2 qmail-clean */
    PULL
};

struct event {
    int64_t at;
    uint64_t order;
    enum deed deed;
    int a, b;
    unsigned life; /* 0: of any */
};

static struct {
    struct event list[AGENDA_MAX]; /* a heap */
    unsigned count;
    uint64_t added;
} agenda;

static unsigned life;

/* The agenda */

static bool is_before(const struct event *a, const struct event *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void push_event(struct event e)
{
    if (agenda.count == AGENDA_MAX)
        violation("the model's agenda is full");
    unsigned at = agenda.count++;
    while (at && is_before(&e, &agenda.list[(at - 1) / 2])) {
        agenda.list[at] = agenda.list[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    agenda.list[at] = e;
}

static void add_event(int64_t in_ms, enum deed deed, int a, int b, bool of_life)
{
    push_event((struct event){sim.steady_ms + in_ms, agenda.added++, deed, a, b,
                              of_life ? life : 0});
}

static struct event take_event(void)
{
    struct event first = agenda.list[0], last = agenda.list[--agenda.count];
    unsigned at = 0;
    for (;;) {
        unsigned child = at * 2 + 1;
        if (child >= agenda.count)
            break;
        if (child + 1 < agenda.count &&
            is_before(&agenda.list[child + 1], &agenda.list[child]))
            child++;
        if (!is_before(&agenda.list[child], &last))
            break;
        agenda.list[at] = agenda.list[child];
        at = child;
    }
    agenda.list[at] = last;
    return first;
}

int64_t world_next(void)
{
    return agenda.count ? agenda.list[0].at : INT64_MAX;
}

/* Soon, or after a while. */
static int64_t some_time(int64_t most)
{
    return chance(300000) ? between(0, 3) : between(0, most);
}

/* Control files */

static int version;
static unsigned concurrency[CHANNELS], announced[CHANNELS], lifetime;

static void write_control(const char *name, const char *text)
{
    char path[48];
    snprintf(path, sizeof path, "control/%s", name);
    if (disk_find(path))
        disk_remove(path);
    if (text) {
        disk_write(disk_make(path, TYPE_FILE, 0644), text, strlen(text));
        disk_sync(path);
    }
}

static void write_number(const char *name, unsigned n)
{
    char text[24];
    snprintf(text, sizeof text, "%u\n", n);
    write_control(name, text);
}

static void write_version(void)
{
    write_control("locals",
                  version ? "l.test\nme.test\nR.test\n" : "l.test\nme.test\n");
    write_control("virtualdomains",
                  version ? "v.test:bob\n"
                          : "v.test:joe\nann@a.test:special\n.w.test:joew\n"
                            "not.v.test:\n");
}

int world_version(void)
{
    return version;
}

unsigned world_control(const char *name)
{
    return strcmp(name, "queuelifetime") == 0
               ? lifetime
               : concurrency[strcmp(name, "concurrencyremote") == 0];
}

unsigned world_announced(int channel)
{
    return announced[channel];
}

static void choose_limits(void)
{
    for (int c = 0; c < CHANNELS; c++) {
        concurrency[c] = !sim.draining && chance(20000) ? 0
                         : chance(600000)               ? 1 + below(3)
                                                        : 1 + below(30);
        announced[c] = chance(200000) ? 1 + below(3) : 120;
    }
    write_number("concurrencylocal", concurrency[0]);
    write_number("concurrencyremote", concurrency[1]);
}

/* Spawners */

static struct spawner {
    struct pipe *commands, *reports;
    bool dead;
    struct buf written; /* not taken apart yet */
    uint64_t bytes, read;
    struct delivery {
        bool used, taken;
        unsigned slot;
        uint64_t end; /* in bytes written */
    } deliveries[SLOTS_MAX];
    struct buf out; /* to be written to reports */
} spawners[CHANNELS];

static void take_command(int c, const char *data, size_t len)
{
    struct spawner *s = &spawners[c];
    const char *name = data + 1;
    const char *sender = name + strlen(name) + 1;
    const char *recipient = sender + strlen(sender) + 1;
    unsigned slot = (unsigned char)data[0];
    judge_command(c, slot, name, sender, recipient);
    for (int i = 0; i < SLOTS_MAX; i++)
        if (!s->deliveries[i].used) {
            s->deliveries[i] = (struct delivery){true, false, slot, s->bytes + len};
            return;
        }
    abort();
}

void world_command_written(int c, const char *data, size_t len)
{
    struct spawner *s = &spawners[c];
    buf_add(&s->written, data, len);
    for (;;) {
        size_t nuls = 0, end = 1;
        while (end < s->written.len && nuls < 3)
            nuls += s->written.data[end++] == '\0';
        if (nuls < 3)
            break;
        take_command(c, s->written.data, end);
        s->bytes += end;
        buf_drop(&s->written, end);
    }
    add_event(some_time(plan.answer_ms / 10 + 1), READ_COMMANDS, c, 0, true);
}

static void read_commands(int c)
{
    struct spawner *s = &spawners[c];
    if (s->dead)
        return;
    size_t n = s->commands->data.len;
    if (n > 1 && chance(200000)) {
        n = 1 + below((unsigned)n);
        add_event(some_time(20), READ_COMMANDS, c, 0, true);
    }
    buf_drop(&s->commands->data, n);
    s->read += n;
    for (int i = 0; i < SLOTS_MAX; i++) {
        struct delivery *d = &s->deliveries[i];
        if (d->used && !d->taken && d->end <= s->read) {
            d->taken = true;
            add_event(sim.draining ? between(0, 20) : some_time(plan.answer_ms), ANSWER,
                      c, i, true);
        }
    }
}

/* The letter and text of a report. */
static size_t make_report(char *text)
{
    static const char *const words[] = {
        "done\n", "", "one\n\ntwo\n", "\nfirst\n", "no", "50% \x80\n", "a\n\n", "\n"};
    char letter = 'K';
    if (chance(plan.failures))
        letter = 'D';
    else if (chance(sim.draining ? 10000 : plan.deferrals))
        letter = 'Z';
    if (plan.garbage && chance(20000)) {
        if (chance(300000))
            return 0;
        letter = 'x';
    }
    text[0] = letter;
    if (chance(2000)) {
        size_t len = 9990 + below(1000);
        memset(text + 1, 'y', len);
        return len + 1;
    }
    const char *word = words[chance(700000) ? 0 : below(sizeof words / sizeof *words)];
    memcpy(text + 1, word, strlen(word));
    return 1 + strlen(word);
}

static void report(int c, unsigned slot, const char *text, size_t len)
{
    struct spawner *s = &spawners[c];
    char byte = (char)slot;
    judge_report(c, slot, text, len);
    buf_add(&s->out, &byte, 1);
    buf_add(&s->out, text, len);
    buf_add(&s->out, "", 1);
    add_event(0, FLUSH, c, 0, true);
}

static void answer(int c, int i)
{
    static char text[REPORT_MAX];
    struct spawner *s = &spawners[c];
    if (s->dead)
        return;
    s->deliveries[i].used = false;
    report(c, s->deliveries[i].slot, text, make_report(text));
}

static void flush(int c)
{
    struct spawner *s = &spawners[c];
    if (s->dead || s->out.len == 0)
        return;
    size_t n = s->out.len;
    if (n > 1 && chance(100000)) {
        n = 1 + below((unsigned)n - 1);
        add_event(some_time(10), FLUSH, c, 0, true);
    }
    if (s->reports->readers)
        buf_add(&s->reports->data, s->out.data, n);
    buf_drop(&s->out, n);
}

/* A report that nobody asked for. */
static void garbage(int c)
{
    if (spawners[c].dead)
        return;
    unsigned slot = below(8) ? below(8) : below(256);
    /* where a command may be half written nobody but qmail-send knows its slot */
    if (spawners[c].commands->cap > 1000 && !judge_is_slot_used(c, slot))
        report(c, slot, "Kgarbage\n", 9);
}

/* qmail-clean */

static struct {
    struct pipe *requests, *answers;
    bool dead;
    struct buf written, todo; /* not judged yet; judged, to be done */
} clean;

void world_clean_written(const char *data, size_t len)
{
    buf_add(&clean.written, data, len);
    char *end;
    while ((end = memchr(clean.written.data, '\0', clean.written.len))) {
        size_t whole = (size_t)(end - clean.written.data) + 1;
        char verb[8] = "";
        unsigned long long n = 0;
        if (sscanf(clean.written.data, "%5[a-z]/%llu", verb, &n) != 2)
            violation("qmail-clean is asked \"%s\"", clean.written.data);
        judge_clean(verb, (ino_t)n);
        buf_add(&clean.todo, clean.written.data, whole);
        buf_drop(&clean.written, whole);
    }
    add_event(some_time(chance(100000) ? 3000 : 30), CLEAN, 0, 0, true);
}

static void remove_if_there(const char *path)
{
    if (disk_find(path))
        disk_remove(path);
}

static void serve_clean(void)
{
    if (clean.dead)
        return;
    buf_clear(&clean.requests->data); /* they are in todo */
    while (clean.todo.len) {
        char verb[8];
        unsigned long long number;
        sscanf(clean.todo.data, "%5[a-z]/%llu", verb, &number);
        ino_t n = (ino_t)number;
        buf_drop(&clean.todo, strlen(clean.todo.data) + 1);
        char reply = !sim.draining && chance(plan.trouble) ? '!' : '+';
        if (reply == '+' || chance(500000))
            remove_if_there(flat_path("intd", n));
        if (reply == '+')
            remove_if_there(strcmp(verb, "foop") == 0 ? split_path("mess", n)
                                                      : flat_path("todo", n));
        trace("qmail-clean %s/%llu: %c", verb, number, reply);
        judge_cleaned(verb, n, reply);
        if (clean.answers->readers)
            buf_add(&clean.answers->data, &reply, 1);
        if (chance(200000)) {
            add_event(some_time(10), CLEAN, 0, 0, true);
            return;
        }
    }
}

/* New messages */

struct writer {
    bool used;
    int step;
    ino_t number;
    char sender[ADDRESS_MAX];
    char to[RECIPIENTS_MAX][ADDRESS_MAX];
    unsigned count;
    pid_t pid;
    unsigned uid;
    bool quick; /* all at once */
};
static struct writer writers[WRITERS];
static pid_t last_pid;
static unsigned serial;

static void make_envelope(struct buf *out, const struct writer *w)
{
    buf_format(out, "u%u%cp%ld%cF%s", w->uid, 0, (long)w->pid, 0, w->sender);
    buf_add(out, "", 1);
    for (unsigned i = 0; i < w->count; i++) {
        buf_text(out, "T");
        buf_add(out, w->to[i], strlen(w->to[i]) + 1);
    }
}

/* todo/N gets its name. */
static void queue_it(struct writer *w)
{
    if (message_count == MESSAGES_MAX)
        return;
    disk_link(flat_path("intd", w->number), flat_path("todo", w->number));
    disk_sync(flat_path("todo", w->number));
    struct message *m = &messages[message_count++];
    struct buf notes = m->notes;
    *m = (struct message){.number = w->number,
                          .uid = w->uid,
                          .pid = w->pid,
                          .count = w->count,
                          .notes = notes};
    buf_clear(&m->notes);
    memcpy(m->sender, w->sender, sizeof m->sender);
    for (unsigned i = 0; i < w->count; i++)
        memcpy(m->to[i].address, w->to[i], ADDRESS_MAX);
    trace("queued %ju from <%s>, %u recipients", (uintmax_t)m->number, m->sender,
          m->count);
    judge_queued(m);
    if (chance(920000))
        m->pulled = trigger_pull();
}

static void write_step(struct writer *w)
{
    switch (w->step++) {
    case 0: {
        char text[80];
        w->pid = ++last_pid;
        disk_make("queue/pid/x", TYPE_FILE, 0644);
        w->number = disk_find("queue/pid/x")->number;
        disk_link("queue/pid/x", split_path("mess", w->number));
        disk_remove("queue/pid/x");
        struct node *n = disk_find(split_path("mess", w->number));
        int len = snprintf(text, sizeof text,
                           "Received: (qmail %ld invoked)\nSubject: %u\n\n",
                           (long)w->pid, serial);
        disk_write(n, text, (size_t)len);
        for (unsigned i = chance(20000) ? below(3000) : below(4); i; i--)
            disk_write(n, "a line of text, and some more\n", 30);
        disk_sync(split_path("mess", w->number));
        return;
    }
    case 1: {
        struct buf envelope = {0};
        struct node *n = disk_make(flat_path("intd", w->number), TYPE_FILE, 0644);
        make_envelope(&envelope, w);
        disk_write(n, envelope.data, envelope.len);
        free(envelope.data);
        disk_sync(flat_path("intd", w->number));
        return;
    }
    case 2:
        queue_it(w);
        w->used = false;
        return;
    }
}

static void write_on(int i)
{
    struct writer *w = &writers[i];
    if (!w->used)
        return;
    do
        write_step(w);
    while (w->used && w->quick);
    if (w->used)
        add_event(some_time(50), WRITE_MESSAGE, i, 0, false);
}

static void make_address(char *to)
{
    static const char *const forms[] = {
        "u%u@l.test", "u%u@r.test",     "u%u@v.test",         "u%u%%r.test@ph.test",
        "u%u",        "u%u@x.w.test",   "o d%u\n%%@far.test", "ann@a.test%.0u",
        "u%u@L.TEST", "bob-u%u@v.test", "u%u@not.v.test",     "x@u%u@V.test"};
    unsigned which = below(chance(500000) ? 2 : sizeof forms / sizeof *forms);
    serial++;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(to, ADDRESS_MAX, forms[which], serial);
#pragma GCC diagnostic pop
    if (which == 7)
        snprintf(to, ADDRESS_MAX, "ann@a.test");
}

static void make_sender(char *to)
{
    static const char *const forms[] = {
        "s%u@r.test", "s%u@l.test", "list%u-@h.test-@[]", "odd \"s%u@r.test", "s%u"};
    serial++;
    unsigned kind = below(20);
    if (kind < 2)
        snprintf(to, ADDRESS_MAX, "%s", kind ? "#@[]" : "");
    else
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(to, ADDRESS_MAX,
                 forms[kind < 12 ? below(2) : below(sizeof forms / sizeof *forms)],
                 serial);
#pragma GCC diagnostic pop
}

static struct writer *free_writer(int *i)
{
    for (*i = 0; *i < WRITERS; ++*i)
        if (!writers[*i].used)
            return &writers[*i];
    return NULL;
}

static void new_message(void)
{
    int i;
    struct writer *w = free_writer(&i);
    if (!w || message_count + WRITERS >= MESSAGES_MAX / 2)
        return;
    *w = (struct writer){
        .used = true, .uid = 100 + below(3), .quick = plan.flood || chance(700000)};
    make_sender(w->sender);
    w->count = chance(30000) ? 0 : 1 + below(chance(800000) ? 3 : RECIPIENTS_MAX);
    for (unsigned r = 0; r < w->count; r++)
        make_address(w->to[r]);
    write_on(i);
}

/* What a qmail-queue that died left behind, some time ago. */
static void leave_behind(void)
{
    int i;
    struct writer *w = free_writer(&i);
    *w = (struct writer){.used = true};
    write_step(w);
    if (chance(500000))
        write_step(w);
    w->used = false;
    struct node *n = disk_find(split_path("mess", w->number));
    n->mtime_ms -= between(0, 3 * (int64_t)ABANDONED_S) * 1000;
    n->atime_ms -= between(0, 3 * (int64_t)ABANDONED_S) * 1000;
}

/* qmail-queue for bounces */

static struct program {
    bool used, ended, reaped;
    pid_t pid;
    struct pipe *message, *envelope, *text;
    enum { ACCEPT, REFUSE, CRASH, REFUSE_LATE } way;
    struct buf content, records;
    int status;
} programs[PROGRAMS];

pid_t world_run_queue(struct pipe *message, struct pipe *envelope, struct pipe *text)
{
    for (int i = 0; i < PROGRAMS; i++) {
        struct program *p = &programs[i];
        if (p->used)
            continue;
        struct buf content = p->content, records = p->records;
        *p = (struct program){.used = true,
                              .pid = ++last_pid,
                              .message = message,
                              .envelope = envelope,
                              .text = text,
                              .content = content,
                              .records = records};
        buf_clear(&p->content);
        buf_clear(&p->records);
        p->way = !sim.draining && chance(plan.trouble) ? REFUSE + below(3) : ACCEPT;
        if (!message) { /* it could not even be executed */
            p->ended = true;
            p->status = 120 << 8;
        } else {
            add_event(some_time(20), PROGRAM, i, 0, false);
        }
        return p->pid;
    }
    violation("too many programs");
}

static void end_program(struct program *p, int status)
{
    p->status = status;
    p->ended = true;
    pipe_close_reader(p->message);
    pipe_close_reader(p->envelope);
    if (status == 82 << 8 && p->text->readers)
        buf_text(&p->text->data, "Zsome text\n");
    pipe_close_writer(p->text);
    if (!sim.alive)
        p->used = false;
}

static void accept_bounce(struct program *p)
{
    const char *sender = p->records.data + 1;
    const char *recipient = sender + strlen(sender) + 2;
    struct writer w = {.used = true, .uid = 507};
    if (p->records.data[0] != 'F' || recipient[-1] != 'T' ||
        recipient[strlen(recipient) + 1] != '\0' ||
        p->records.len != (size_t)(recipient - p->records.data) + strlen(recipient) + 2)
        violation("the envelope of a bounce");
    snprintf(w.sender, sizeof w.sender, "%s", sender);
    snprintf(w.to[0], ADDRESS_MAX, "%s", recipient);
    w.count = 1;
    judge_bounced(p->pid, &p->content, sender, recipient);
    while (w.used) {
        write_step(&w);
        if (w.step == 1)
            disk_write(disk_find(split_path("mess", w.number)), p->content.data,
                       p->content.len);
        if (w.step == 1)
            disk_sync(split_path("mess", w.number));
    }
}

static bool has_ended_envelope(const struct program *p)
{
    const struct buf *r = &p->records;
    return r->len >= 2 && r->data[r->len - 1] == '\0' && r->data[r->len - 2] == '\0' &&
           memchr(r->data, 'T', r->len);
}

static void run_program(int i)
{
    struct program *p = &programs[i];
    static const int codes[] = {31, 51, 53, 82, 81};
    if (!p->used || p->ended)
        return;
    buf_add(&p->content, p->message->data.data, p->message->data.len);
    buf_clear(&p->message->data);
    bool whole = p->message->writers == 0;
    if (whole) {
        buf_add(&p->records, p->envelope->data.data, p->envelope->data.len);
        buf_clear(&p->envelope->data);
    }
    if (p->way == REFUSE || (p->way == CRASH && (whole || chance(300000)))) {
        end_program(p, p->way == CRASH ? SIGKILL : codes[below(5)] << 8);
    } else if (whole && has_ended_envelope(p)) {
        if (p->way == ACCEPT)
            accept_bounce(p);
        end_program(p, p->way == ACCEPT ? 0 : codes[below(5)] << 8);
    } else if (whole && p->envelope->writers == 0) {
        end_program(p, 54 << 8);
    } else {
        add_event(between(1, 40), PROGRAM, i, 0, false);
    }
}

pid_t world_wait(pid_t pid, int *status)
{
    for (int i = 0; i < PROGRAMS; i++) {
        struct program *p = &programs[i];
        if (!p->used || p->pid != pid)
            continue;
        if (!p->ended)
            return 0;
        *status = p->status;
        p->used = false;
        judge_waited(pid);
        return pid;
    }
    errno = ECHILD;
    return -1;
}

/* The postmaster */

static struct client {
    bool used;
    struct pipe *to, *from;
    struct buf got;
    char verb[12];
    ino_t number;
    int64_t until;
} clients[CLIENTS];

static void add_client(const char *verb, ino_t n, bool rubbish)
{
    for (int i = 0; i < CLIENTS; i++) {
        struct client *c = &clients[i];
        struct pipe *to, *from;
        if (c->used)
            continue;
        if (!sim.alive || !socket_connect(&to, &from))
            return;
        struct buf got = c->got;
        *c = (struct client){.used = true,
                             .to = to,
                             .from = from,
                             .got = got,
                             .number = n,
                             .until = sim.steady_ms + 20000};
        buf_clear(&c->got);
        snprintf(c->verb, sizeof c->verb, "%s", rubbish ? "rubbish" : verb);
        const struct node *info = disk_find(split_path("info", n));
        int64_t birth = info ? info->mtime_ms : 0;
        if (rubbish && chance(500000))
            buf_format(&to->data, "%0*d", (int)below(200), 0);
        else if (!rubbish || chance(500000))
            buf_format(&to->data, "%s %ju %jd.%jd\n", rubbish ? "dance" : verb,
                       (uintmax_t)n, (intmax_t)(birth / 1000),
                       (intmax_t)(birth % 1000 * 1000000));
        trace("order %s %ju", c->verb, (uintmax_t)n);
        add_event(between(0, 30), CLIENT, i, 0, true);
        return;
    }
}

static void serve_client(int i)
{
    struct client *c = &clients[i];
    if (!c->used)
        return;
    buf_add(&c->got, c->from->data.data, c->from->data.len);
    buf_clear(&c->from->data);
    bool over = memchr(c->got.data, '\n', c->got.len) || c->from->writers == 0;
    if (memchr(c->got.data ? c->got.data : "", '\n', c->got.len))
        judge_order(c->verb, c->number, c->got.data);
    else if (!over && sim.steady_ms < c->until) {
        add_event(between(1, 300), CLIENT, i, 0, true);
        return;
    } else if (!over && !judge_had_fault()) {
        violation("no answer to an order");
    }
    pipe_close_writer(c->to);
    pipe_close_reader(c->from);
    c->used = false;
}

static void order(void)
{
    static const char *const verbs[] = {"state",   "try",    "hold",  "release",
                                        "release", "return", "delete"};
    if (message_count == 0)
        return;
    struct message *m =
        &messages[message_count - 1 - below(message_count < 8 ? message_count : 8)];
    add_client(verbs[below(sizeof verbs / sizeof *verbs)], m->number, chance(50000));
}

/* The rest */

static void perform(const struct event *e)
{
    switch (e->deed) {
    case READ_COMMANDS:
        read_commands(e->a);
        return;
    case ANSWER:
        answer(e->a, e->b);
        return;
    case FLUSH:
        flush(e->a);
        return;
    case GARBAGE:
        garbage(e->a);
        return;
    case CLEAN:
        serve_clean();
        return;
    case PROGRAM:
        run_program(e->a);
        return;
    case WRITE_MESSAGE:
        write_on(e->a);
        return;
    case CLIENT:
        serve_client(e->a);
        return;
    case ORDER:
        order();
        return;
    case NEW_MESSAGE:
        new_message();
        return;
    case SIGNAL:
        if (sim.alive)
            send_signal(e->a);
        return;
    case CONTROLS:
        version = !version;
        trace("controls: version %d", version);
        write_version();
        if (sim.alive && chance(800000))
            send_signal(SIGHUP);
        return;
    case JUMP: {
        int64_t ms = between(-20000, 100000);
        sim.offset_ms += ms;
        judge_jump(ms);
    }
        trace("clock jumps");
        return;
    case DEATH:
        if (e->a == 2 && !clean.dead) {
            trace("qmail-clean dies");
            clean.dead = true;
            pipe_close_reader(clean.requests);
            pipe_close_writer(clean.answers);
        } else if (e->a < 2 && !spawners[e->a].dead) {
            trace("spawner %d dies", e->a);
            struct spawner *s = &spawners[e->a];
            if (s->out.len &&
                s->reports->readers) /* what it said, and half of the next word */
                buf_add(&s->reports->data, s->out.data, s->out.len);
            s->dead = true;
            pipe_close_reader(s->commands);
            pipe_close_writer(s->reports);
        }
        return;
    case PULL:
        trigger_pull();
        return;
    }
}

void world_run(void)
{
    while (agenda.count && agenda.list[0].at <= sim.steady_ms) {
        struct event e = take_event();
        if (e.life && e.life != life)
            continue;
        sim.events++;
        perform(&e);
    }
}

void world_pass(int64_t ms)
{
    int64_t end = sim.steady_ms + ms;
    while (world_next() <= end) {
        if (world_next() > sim.steady_ms)
            sim.steady_ms = world_next();
        world_run();
    }
    sim.steady_ms = end;
}

void world_run_early(void)
{
    enum { EARLY_MS = 2000 };
    if (agenda.count == 0)
        return;
    const struct event *first = &agenda.list[0];
    if (first->at > sim.steady_ms + EARLY_MS || first->deed == CONTROLS ||
        first->deed == JUMP || (first->life && first->life != life))
        return;
    struct event e = take_event();
    sim.events++;
    perform(&e);
}

/* Beginning and end */

void world_reset(void)
{
    agenda.count = 0;
    agenda.added = 0;
    life = 0;
    serial = 0;
    last_pid = 100;
    version = 0;
    memset(writers, 0, sizeof writers);
    for (int i = 0; i < PROGRAMS; i++)
        programs[i].used = false;
    for (int i = 0; i < CLIENTS; i++)
        clients[i].used = false;
    write_control("me", "me.test\n");
    write_control("percenthack", "ph.test\n");
    write_control("envnoathost", "l.test\n");
    write_control("doublebounceto", chance(500000) ? "dbl\n" : NULL);
    write_control("doublebouncehost", chance(500000) ? "far.test\n" : NULL);
    lifetime = chance(300000) ? below(3000) : 604800;
    if (chance(300000)) {
        lifetime = 604800;
        write_control("queuelifetime", NULL);
    } else {
        write_number("queuelifetime", lifetime);
    }
    write_version();
    for (unsigned i = chance(100000) ? 1 + below(4) : 0; i; i--)
        leave_behind();

    unsigned count = plan.flood ? 40 + below(160) : 1 + below(chance(900000) ? 5 : 30);
    int64_t window = plan.flood ? between(1, 3000) : plan.length_ms;
    for (unsigned i = 0; i < count; i++)
        add_event(chance(300000) ? between(0, 1000) : between(0, window), NEW_MESSAGE,
                  0, 0, false);
    unsigned some = 1 + below(8);
    for (unsigned i = 0; i < some; i++) {
        if (plan.signals)
            add_event(between(0, plan.length_ms), SIGNAL, below(3) ? SIGALRM : SIGTERM,
                      0, false);
        if (plan.controls)
            add_event(between(0, plan.length_ms), CONTROLS, 0, 0, false);
        if (plan.jumps)
            add_event(between(0, plan.length_ms), JUMP, 0, 0, false);
        if (plan.orders)
            add_event(between(0, plan.length_ms), ORDER, 0, 0, false);
        if (chance(20000))
            add_event(between(0, plan.length_ms), PULL, 0, 0, false);
    }
    if (plan.orders) /* near the beginning more happens */
        for (unsigned i = 0; i < some; i++)
            add_event(between(0, 4000), ORDER, 0, 0, false);
}

void world_begin_life(void)
{
    life++;
    choose_limits();
    for (int c = 0; c < CHANNELS; c++) {
        struct spawner *s = &spawners[c];
        s->dead = false;
        s->commands = pipe_new(chance(100000) ? 1 + below(100) : 65536);
        s->reports = pipe_new(1 << 30);
        give_fd(c * 2 + 1, s->commands, true);
        give_fd(c * 2 + 2, s->reports, false);
        buf_clear(&s->written);
        buf_clear(&s->out);
        s->bytes = s->read = 0;
        memset(s->deliveries, 0, sizeof s->deliveries);
        char greeting = (char)announced[c];
        buf_add(&s->reports->data, &greeting, 1);
        if (plan.garbage && !sim.draining)
            for (unsigned i = below(4); i; i--)
                add_event(between(0, plan.length_ms / 10 + 10), GARBAGE, c, 0, true);
    }
    clean.dead = false;
    clean.requests = pipe_new(chance(100000) ? 1 + below(30) : 65536);
    clean.answers = pipe_new(1 << 30);
    give_fd(5, clean.requests, true);
    give_fd(6, clean.answers, false);
    buf_clear(&clean.written);
    buf_clear(&clean.todo);
    if (plan.deaths && !sim.draining && chance(500000))
        add_event(between(0, plan.length_ms / 2 + 1000), DEATH, (int)below(3), 0, true);
}

void world_end_life(void)
{
    for (int c = 0; c < CHANNELS; c++) {
        struct spawner *s = &spawners[c];
        if (s->dead)
            continue;
        pipe_close_reader(s->commands);
        pipe_close_writer(s->reports);
        s->dead = true;
    }
    if (!clean.dead) {
        if (chance(
                500000)) /* it does what it has been asked to before it sees the end */
            serve_clean();
        pipe_close_reader(clean.requests);
        pipe_close_writer(clean.answers);
        clean.dead = true;
    }
    for (int i = 0; i < CLIENTS; i++)
        if (clients[i].used) {
            pipe_close_writer(clients[i].to);
            pipe_close_reader(clients[i].from);
            clients[i].used = false;
        }
    for (int i = 0; i < PROGRAMS; i++)
        if (programs[i].ended)
            programs[i].used = false;
}

void world_power_cut(void)
{
    for (int i = 0; i < WRITERS; i++)
        writers[i].used = false;
    for (int i = 0; i < PROGRAMS; i++)
        if (programs[i].used && !programs[i].ended)
            end_program(&programs[i], SIGKILL);
}

void world_drain(void)
{
    unsigned count = agenda.count;
    sim.draining = sim.calm = true;
    agenda.count = 0;
    for (unsigned i = 0; i < count;
         i++) { /* what is read is never behind what is written */
        struct event e = agenda.list[i];
        if (e.deed < CLIENT + 1)
            push_event(e);
    }
}

bool world_is_dead(int who)
{
    return who == 2 ? clean.dead : spawners[who].dead;
}

void world_release(void)
{
    for (unsigned i = 0; i < message_count; i++)
        if (messages[i].stage == STAGE_TAKEN) {
            const struct node *info = disk_find(split_path("info", messages[i].number));
            if (info && info->mode == 0610)
                add_client("release", messages[i].number, false);
        }
}

bool world_is_quiet(void)
{
    for (int i = 0; i < WRITERS; i++)
        if (writers[i].used)
            return false;
    for (int i = 0; i < PROGRAMS; i++)
        if (programs[i].used && !programs[i].ended)
            return false;
    return true;
}
