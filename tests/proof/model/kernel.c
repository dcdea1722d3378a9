/* The system calls of qmail-send: sim_CALL() for CALL, each with the arguments that it
 * has. What a power cut may leave is as in disk.py: data is stable after fsync(2) of
 * the file, a name after fsync(2) of its directory; of what is not, any part is lost.
 */
#include "model.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

enum {
    NODES = 8192,
    ENTRIES = 8192,
    BUCKETS = 4096,
    DIRS = 11 + 4 + 4 * CONF_SPLIT,
    NAME_LEN = 28,
    FDS = 1024,
    PIPES = 256,
    STREAMS = 8,
    LOWEST_NUMBER = 1000
};

#define HOME CONF_QMAIL "/"

struct entry {
    int dir;
    char name[NAME_LEN];
    struct node *now, *stable;
    struct entry *same_bucket;
    struct entry *next; /* of the directory, in the order in which they are read */
    uint32_t key;
};

static struct dir {
    char path[NAME_LEN];
    struct entry *first;
} dirs[DIRS];

enum kind {
    KIND_NODE,
    KIND_DIR,
    KIND_PIPE_IN,
    KIND_PIPE_OUT,
    KIND_LISTEN,
    KIND_SOCKET,
    KIND_NULL
};

struct file {
    enum kind kind;
    int refs;
    struct node *node;
    off_t at;
    int flags;
    int dir;
    struct pipe *in, *out;
};

struct stream {
    bool open;
    int dir;
    uint32_t cursor;
    bool begun;
    struct dirent entry;
};

static struct node nodes[NODES];
static struct entry entries[ENTRIES], *buckets[BUCKETS];
static unsigned node_count, entry_count;
static struct pipe pipes[PIPES];

static struct {
    struct file *fds[FDS];
    struct file files[FDS];
    int fd_max;
    char cwd[64]; /* relative to HOME */
    mode_t umask;
    struct stream streams[STREAMS];
    void (*handlers[32])(int);
    bool pending[32], blocked, in_signal;
    struct {
        struct pipe *in, *out;
    } backlog[8];
    unsigned backlog_count;
    struct file *listener;
    unsigned trigger_readers;
    uint64_t trigger_bytes;
    rlim_t nofile;
    int turn_begins; /* calls until the signals have been taken */
} os;

bool signal_come[32];
bool in_child;
static jmp_buf child_jump;
static int child_code;

/* Chance: splitmix64 */

static uint64_t chance_state;

uint64_t rnd(void)
{
    uint64_t z = chance_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

unsigned below(unsigned n)
{
    return (unsigned)((rnd() >> 32) * n >> 32);
}

bool chance(unsigned of_a_million)
{
    return of_a_million && below(1000000) < of_a_million;
}

int64_t between(int64_t from, int64_t to)
{
    return from + (int64_t)(rnd() % (uint64_t)(to - from + 1));
}

/* Bytes */

void buf_clear(struct buf *b)
{
    b->len = 0;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
    if (b->len + len + 1 > b->room) {
        b->room = (b->len + len + 1) * 2;
        b->data = realloc(b->data, b->room);
        if (!b->data)
            abort();
    }
    if (len)
        memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void buf_text(struct buf *b, const char *text)
{
    buf_add(b, text, strlen(text));
}

void buf_format(struct buf *b, const char *format, ...)
{
    char text[1024];
    va_list list;
    va_start(list, format);
    int n = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (n < 0 || (size_t)n >= sizeof text)
        abort();
    buf_add(b, text, (size_t)n);
}

void buf_drop(struct buf *b, size_t len)
{
    memmove(b->data, b->data + len, b->len - len);
    b->len -= len;
}

bool buf_same(const struct buf *a, const struct buf *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

size_t buf_count(const struct buf *b, const char *text)
{
    size_t count = 0, len = strlen(text);
    for (size_t i = 0; i + len <= b->len; i++)
        if (b->data[i] == text[0] && memcmp(b->data + i, text, len) == 0)
            count++;
    return count;
}

/* The disk */

static int find_dir(const char *path, size_t len)
{
    for (int i = 0; i < DIRS; i++)
        if (strncmp(dirs[i].path, path, len) == 0 && dirs[i].path[len] == '\0')
            return i;
    return -1;
}

static unsigned bucket_of(int dir, const char *name)
{
    unsigned h = (unsigned)dir * 31 + 7;
    for (; *name; name++)
        h = h * 33 + (unsigned char)*name;
    return h % BUCKETS;
}

static struct entry *find_entry(int dir, const char *name)
{
    struct entry *e = buckets[bucket_of(dir, name)];
    while (e && (e->dir != dir || strcmp(e->name, name) != 0))
        e = e->same_bucket;
    return e;
}

/* The place where a name is or would be; NULL: there is no such directory. */
static struct entry *place(const char *path, bool make)
{
    const char *slash = strrchr(path, '/');
    int dir = slash ? find_dir(path, (size_t)(slash - path)) : find_dir("", 0);
    const char *name = slash ? slash + 1 : path;
    if (dir == -1)
        return NULL;
    struct entry *e = find_entry(dir, name);
    if (e || !make)
        return e;
    if (entry_count == ENTRIES)
        violation("the model's disk is full");
    e = &entries[entry_count++];
    *e = (struct entry){.dir = dir, .key = (uint32_t)rnd() | 1};
    snprintf(e->name, sizeof e->name, "%s", name);
    unsigned b = bucket_of(dir, name);
    e->same_bucket = buckets[b];
    buckets[b] = e;
    struct entry **at = &dirs[dir].first;
    while (*at && (*at)->key < e->key)
        at = &(*at)->next;
    if (*at && (*at)->key == e->key)
        e->key++; /* who comes after the cursor is all that counts */
    e->next = *at;
    *at = e;
    return e;
}

struct node *disk_find(const char *path)
{
    struct entry *e = place(path, false);
    return e ? e->now : NULL;
}

bool disk_name_is_stable(const char *path)
{
    struct entry *e = place(path, false);
    return e && e->now && e->now == e->stable;
}

bool disk_is_stable(const char *path)
{
    return disk_name_is_stable(path) && !disk_find(path)->dirty;
}

static bool is_used(const struct node *n)
{
    return n->names || n->stable_names || n->opens;
}

struct node *disk_number(ino_t number)
{
    for (unsigned i = 0; i < node_count; i++)
        if (nodes[i].number == number && is_used(&nodes[i]))
            return &nodes[i];
    return NULL;
}

/* A node with a number that nobody has: often one that somebody had. The number of
 * nodes in use is small, and so are the numbers. */
static struct node *new_node(void)
{
    unsigned i = 0;
    unsigned start = node_count ? below(node_count) : 0;
    for (; i < node_count; i++)
        if (!is_used(&nodes[(start + i) % node_count]))
            break;
    struct node *n;
    if (i < node_count && (node_count > 200 || chance(800000))) {
        n = &nodes[(start + i) % node_count];
    } else {
        if (node_count == NODES)
            abort();
        n = &nodes[node_count];
        n->number = LOWEST_NUMBER + node_count++;
    }
    buf_clear(&n->data);
    buf_clear(&n->stable);
    n->names = n->stable_names = n->opens = 0;
    n->dirty = false;
    return n;
}

static void touch(struct node *n)
{
    n->mtime_ms = n->atime_ms = n->ctime_ms = sim.steady_ms + sim.offset_ms;
}

/* The message that a path belongs to. */
static ino_t number_of(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    return slash && slash[1] >= '1' && slash[1] <= '9'
               ? (ino_t)strtoull(slash + 1, NULL, 10)
               : 0;
}

struct node *disk_make(const char *path, enum type type, mode_t mode)
{
    struct node *n = new_node();
    n->type = type;
    n->owner = number_of(path);
    n->mode = n->stable_mode = mode;
    n->dirty = true;
    touch(n);
    n->stable_mtime_ms = n->mtime_ms;
    n->stable_ctime_ms = n->ctime_ms;
    struct entry *e = place(path, true);
    if (e->now)
        abort();
    e->now = n;
    n->names = 1;
    return n;
}

void disk_write(struct node *n, const char *data, size_t len)
{
    buf_add(&n->data, data, len);
    n->dirty = true;
    touch(n);
}

static void sync_node(struct node *n)
{
    if (!n->dirty)
        return;
    buf_clear(&n->stable);
    buf_add(&n->stable, n->data.data, n->data.len);
    n->stable_mode = n->mode;
    n->stable_mtime_ms = n->mtime_ms;
    n->stable_ctime_ms = n->ctime_ms;
    n->dirty = false;
}

static void make_stable(struct entry *e)
{
    if (e->stable == e->now)
        return;
    if (e->stable)
        e->stable->stable_names--;
    e->stable = e->now;
    if (e->now)
        e->now->stable_names++;
}

void disk_sync(const char *path)
{
    struct entry *e = place(path, false);
    sync_node(e->now);
    make_stable(e);
}

void disk_link(const char *from, const char *to)
{
    struct node *n = disk_find(from);
    struct entry *e = place(to, true);
    e->now = n;
    n->names++;
    n->owner = number_of(to);
}

void disk_remove(const char *path)
{
    struct entry *e = place(path, false);
    e->now->names--;
    e->now = NULL;
}

void disk_each(const char *dir, void (*each)(void *arg, const char *name), void *arg)
{
    struct entry *next;
    for (struct entry *e = dirs[find_dir(dir, strlen(dir))].first; e; e = next) {
        next = e->next;
        if (e->now)
            each(arg, e->name);
    }
}

/* What is left of a file that was not synced. */
static void cut_node(struct node *n)
{
    if (!n->dirty || n->type != TYPE_FILE)
        return;
    switch (below(4)) {
    case 0:
        buf_clear(&n->data);
        buf_add(&n->data, n->stable.data, n->stable.len);
        break;
    case 1: /* of what was appended, a part */
        if (n->data.len > n->stable.len)
            n->data.len =
                n->stable.len + below((unsigned)(n->data.len - n->stable.len));
        break;
    case 2: { /* each byte that changed in place for itself */
        size_t len = n->data.len < n->stable.len ? n->data.len : n->stable.len;
        for (size_t i = 0; i < len; i++)
            if (chance(500000))
                n->data.data[i] = n->stable.data[i];
        break;
    }
    case 3:
        break;
    }
    if (chance(500000))
        n->mode = n->stable_mode;
    if (chance(500000)) {
        n->mtime_ms = n->stable_mtime_ms;
        n->ctime_ms = n->stable_ctime_ms;
    }
    sync_node(n);
    n->dirty = false;
}

/* Names of a message whose text is gone lead nowhere (README): they are taken away, so
 * that nobody has to judge what becomes of them. */
static void drop_stale(struct entry *e)
{
    char tree[16] = "";
    ino_t n = (ino_t)strtoull(e->name, NULL, 10);
    if (!e->now || !n || sscanf(dirs[e->dir].path, "queue/%15[a-z]", tree) != 1 ||
        strcmp(tree, "mess") == 0 || disk_find(split_path("mess", n)))
        return;
    e->now->names--;
    e->now = NULL;
    make_stable(e);
}

void power_cut(void)
{
    trace("power cut");
    for (unsigned i = 0; i < entry_count; i++) {
        struct entry *e = &entries[i];
        if (e->now == e->stable)
            continue;
        if (chance(500000)) { /* not written */
            if (e->now)
                e->now->names--;
            e->now = e->stable;
            if (e->now)
                e->now->names++;
        }
        make_stable(e);
    }
    for (unsigned i = 0; i < entry_count; i++)
        drop_stale(&entries[i]);
    for (unsigned i = 0; i < node_count; i++)
        if (nodes[i].names)
            cut_node(&nodes[i]);
}

const char *split_path(const char *tree, ino_t n)
{
    static char text[8][48];
    static unsigned at;
    at = (at + 1) % 8;
    uintmax_t number = n;
    snprintf(text[at], sizeof text[at], "queue/%s/%ju/%ju", tree, number % CONF_SPLIT,
             number);
    return text[at];
}

const char *flat_path(const char *dir, ino_t n)
{
    static char text[8][48];
    static unsigned at;
    at = (at + 1) % 8;
    snprintf(text[at], sizeof text[at], "queue/%s/%ju", dir, (uintmax_t)n);
    return text[at];
}

static void make_dirs(void)
{
    static const char *const flat[] = {"",
                                       "control",
                                       "queue",
                                       "queue/pid",
                                       "queue/mess",
                                       "queue/intd",
                                       "queue/todo",
                                       "queue/info",
                                       "queue/local",
                                       "queue/remote",
                                       "queue/bounce",
                                       "queue/lock",
                                       "queue/order"};
    static const char *const split[] = {"mess", "info", "local", "remote"};
    int n = 0;
    for (size_t i = 0; i < sizeof flat / sizeof *flat; i++)
        snprintf(dirs[n++].path, NAME_LEN, "%s", flat[i]);
    for (size_t i = 0; i < sizeof split / sizeof *split; i++)
        for (int s = 0; s < CONF_SPLIT; s++)
            snprintf(dirs[n++].path, NAME_LEN, "queue/%s/%d", split[i], s);
    for (; n < DIRS; n++)
        snprintf(dirs[n].path, NAME_LEN, "?");
}

void kernel_reset(void)
{
    if (!dirs[1].path[0])
        make_dirs();
    for (unsigned i = 0; i < node_count; i++)
        nodes[i].names = nodes[i].stable_names = nodes[i].opens = 0;
    for (int i = 0; i < DIRS; i++)
        dirs[i].first = NULL;
    memset(buckets, 0, sizeof buckets);
    node_count = entry_count = 0;
    for (int i = 0; i < PIPES; i++)
        pipes[i].used = false;
    chance_state = sim.seed * UINT64_C(0xd1342543de82ef95) + 1;
    disk_make("queue/lock/sendmutex", TYPE_FILE, 0600);
    disk_sync("queue/lock/sendmutex");
    disk_make("queue/lock/trigger", TYPE_FIFO, 0622);
    disk_sync("queue/lock/trigger");
}

/* Pipes */

struct pipe *pipe_new(size_t cap)
{
    for (int i = 0; i < PIPES; i++)
        if (!pipes[i].used) {
            struct pipe *p = &pipes[i];
            buf_clear(&p->data);
            p->cap = cap;
            p->readers = p->writers = 1;
            p->used = true;
            return p;
        }
    abort();
}

static void pipe_forget(struct pipe *p)
{
    if (p->readers == 0 && p->writers == 0)
        p->used = false;
}

void pipe_close_reader(struct pipe *p)
{
    p->readers--;
    pipe_forget(p);
}

void pipe_close_writer(struct pipe *p)
{
    p->writers--;
    pipe_forget(p);
}

/* Descriptors */

static struct file *new_file(enum kind kind, int flags)
{
    for (int i = 0; i < FDS; i++)
        if (os.files[i].refs == 0) {
            os.files[i] = (struct file){.kind = kind, .refs = 1, .flags = flags};
            return &os.files[i];
        }
    abort();
}

static int put_fd(struct file *f, int from)
{
    for (int fd = from; fd < FDS; fd++)
        if (!os.fds[fd]) {
            os.fds[fd] = f;
            if (fd >= os.fd_max)
                os.fd_max = fd + 1;
            return fd;
        }
    abort();
}

static void drop_file(struct file *f)
{
    if (--f->refs)
        return;
    if (f->node) {
        f->node->opens--;
        if (f->node->type == TYPE_FIFO && --os.trigger_readers == 0)
            os.trigger_bytes = 0;
    }
    if (f->in)
        pipe_close_reader(f->in);
    if (f->out)
        pipe_close_writer(f->out);
    if (f == os.listener) {
        os.listener = NULL;
        for (unsigned i = 0; i < os.backlog_count; i++) {
            pipe_close_reader(os.backlog[i].in);
            pipe_close_writer(os.backlog[i].out);
        }
        os.backlog_count = 0;
    }
}

static struct file *file_of(int fd)
{
    struct file *f = fd >= 0 && fd < FDS ? os.fds[fd] : NULL;
    if (!f)
        errno = EBADF;
    return f;
}

void give_fd(int fd, struct pipe *p, bool writes)
{
    struct file *f = new_file(writes ? KIND_PIPE_OUT : KIND_PIPE_IN, 0);
    if (writes)
        f->out = p;
    else
        f->in = p;
    os.fds[fd] = f;
    if (fd >= os.fd_max)
        os.fd_max = fd + 1;
}

void life_begin(int64_t descriptors)
{
    os.nofile = (rlim_t)descriptors;
    os.umask = 022;
    os.cwd[0] = '\0';
    snprintf(os.cwd, sizeof os.cwd, "/");
    os.blocked = os.in_signal = in_child = false;
    os.turn_begins = 0;
    memset(os.handlers, 0, sizeof os.handlers);
    memset(os.pending, 0, sizeof os.pending);
    memset(signal_come, 0, sizeof signal_come);
    os.backlog_count = 0;
    os.listener = NULL;
    os.trigger_readers = 0;
    os.trigger_bytes = 0;
    os.fds[0] = new_file(KIND_NULL, O_WRONLY); /* the log */
    os.fd_max = 7;
}

void life_end(void)
{
    for (int fd = 0; fd < os.fd_max; fd++)
        if (os.fds[fd]) {
            drop_file(os.fds[fd]);
            os.fds[fd] = NULL;
        }
    for (int i = 0; i < STREAMS; i++)
        os.streams[i].open = false;
    os.fd_max = 0;
}

bool socket_connect(struct pipe **to, struct pipe **from)
{
    if (!os.listener || !disk_find("queue/order/socket") || os.backlog_count == 8)
        return false;
    *to = pipe_new(chance(100000) ? 3 : 4096);
    *from = pipe_new(chance(100000) ? 2 : 4096);
    os.backlog[os.backlog_count].in = *to;
    os.backlog[os.backlog_count++].out = *from;
    return true;
}

bool trigger_pull(void)
{
    if (!sim.alive || os.trigger_readers == 0)
        return false;
    os.trigger_bytes++;
    return true;
}

/* Signals */

void send_signal(int sig)
{
    trace("signal %d", sig);
    os.pending[sig] = true;
}

static bool deliver_signals(void)
{
    static const int all[] = {SIGHUP, SIGALRM, SIGTERM};
    bool some = false;
    if (os.blocked || os.in_signal || in_child)
        return false;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        int sig = all[i];
        if (!os.pending[sig])
            continue;
        os.pending[sig] = false;
        if (!os.handlers[sig] || os.handlers[sig] == SIG_DFL) { /* too early: killed */
            trace("killed by signal %d", sig);
            longjmp(sim.life, 1);
        }
        signal_come[sig] = some = true;
        os.in_signal = true;
        os.handlers[sig](sig);
        os.in_signal = false;
    }
    return some;
}

/* Each call begins here. */
static void enter(const char *call)
{
    sim.calls++;
    if (in_child || os.in_signal)
        return;
    if (!sim.calm && chance(plan.crash)) {
        sim.power_cut = plan.powercuts && chance(500000);
        trace("crash in %s", call);
        longjmp(sim.life, 1);
    }
    if (os.turn_begins) { /* what comes while signals are taken may be taken, or not */
        os.turn_begins--;
        return;
    }
    if (chance(plan.race))
        world_run_early();
    deliver_signals();
}

/* Whether the call fails now, and how. */
static bool fails(const char *call, ino_t number, const char *errors)
{
    static const struct {
        char letter;
        int error;
    } known[] = {{'s', ENOSPC}, {'i', EIO},    {'m', ENOMEM}, {'f', EMFILE},
                 {'n', ENFILE}, {'a', EACCES}, {'g', EAGAIN}, {'w', EWOULDBLOCK}};
    if (sim.calm || os.in_signal || !chance(plan.fault))
        return false;
    char letter = errors[below((unsigned)strlen(errors))];
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].letter == letter)
            errno = known[i].error;
    trace("fault: %s of %ju: %s", call, (uintmax_t)number, strerror(errno));
    judge_fault(number);
    return true;
}

/* A signal that interrupts nothing we know of. */
static bool interrupted(void)
{
    if (sim.calm || os.in_signal || !chance(plan.fault))
        return false;
    errno = EINTR;
    return true;
}

static void pass(int64_t ms)
{
    sim.steady_ms += ms;
}

static void disk_waits(void)
{
    if (plan.slow_disk && chance(plan.slow_disk))
        pass(between(1, 150));
}

/* Names */

/* path relative to HOME, or NULL: it leads elsewhere. */
static const char *resolve(const char *path)
{
    static char text[160];
    if (path[0] == '/' || os.cwd[0] == '/') {
        char whole[160];
        snprintf(whole, sizeof whole, "%s%s", path[0] == '/' ? "" : os.cwd, path);
        if (strcmp(whole, CONF_QMAIL) == 0)
            return "";
        if (strncmp(whole, HOME, strlen(HOME)) != 0)
            return NULL;
        snprintf(text, sizeof text, "%s", whole + strlen(HOME));
    } else {
        snprintf(text, sizeof text, "%s%s%s", os.cwd, os.cwd[0] ? "/" : "", path);
    }
    return text;
}

static void fill_stat(const struct node *n, int dir, struct stat *st)
{
    memset(st, 0, sizeof *st);
    if (dir >= 0) {
        st->st_mode = S_IFDIR | 0700;
        return;
    }
    st->st_ino = n->number;
    st->st_mode = n->mode | (n->type == TYPE_FIFO     ? S_IFIFO
                             : n->type == TYPE_SOCKET ? S_IFSOCK
                                                      : S_IFREG);
    st->st_size = (off_t)n->data.len;
    st->st_nlink = n->names;
    st->st_mtim.tv_sec = n->mtime_ms / 1000;
    st->st_mtim.tv_nsec = n->mtime_ms % 1000 * 1000000;
    st->st_atim.tv_sec = n->atime_ms / 1000;
    st->st_atim.tv_nsec = n->atime_ms % 1000 * 1000000;
    st->st_ctim.tv_sec = n->ctime_ms / 1000;
}

static ino_t owner_of(const struct file *f)
{
    return f->node ? f->node->owner : 0;
}

#define CALL(type, name, ...)     \
    type sim_##name(__VA_ARGS__); \
    type sim_##name(__VA_ARGS__)

CALL(int, open, const char *path, int flags, ...)
{
    enter("open");
    mode_t mode = 0;
    if (flags & O_CREAT) {
        va_list list;
        va_start(list, flags);
        mode = va_arg(list, mode_t);
        va_end(list);
    }
    if (strcmp(path, "/dev/null") == 0) {
        if (fails("open", 0, "fn"))
            return -1;
        return put_fd(new_file(KIND_NULL, flags), 0);
    }
    const char *full = resolve(path);
    if (!full) {
        errno = ENOENT;
        return -1;
    }
    if (fails("open", number_of(full), flags & O_CREAT ? "sifm" : "ifm"))
        return -1;
    int dir = find_dir(full, strlen(full));
    if (dir != -1) {
        struct file *f = new_file(KIND_DIR, flags);
        f->dir = dir;
        return put_fd(f, 0);
    }
    struct node *n = disk_find(full);
    if (n && flags & O_EXCL) {
        errno = EEXIST;
        return -1;
    }
    if (!n && !(flags & O_CREAT)) {
        errno = ENOENT;
        return -1;
    }
    if (!n) {
        n = disk_make(full, TYPE_FILE, mode & ~os.umask);
        trace("create %s", full);
    }
    if (strncmp(full, "queue/bounce/", 13) == 0 && (flags & O_ACCMODE) == O_RDONLY)
        judge_bounce_opened(n->owner);
    struct file *f = new_file(KIND_NODE, flags);
    f->node = n;
    n->opens++;
    if (n->type == TYPE_FIFO)
        os.trigger_readers++;
    return put_fd(f, 0);
}

CALL(int, close, int fd)
{
    enter("close");
    struct file *f = file_of(fd);
    if (!f)
        return -1;
    bool failed =
        f->kind == KIND_NODE && f->flags & O_WRONLY && fails("close", owner_of(f), "i");
    int error = errno;
    drop_file(f);
    os.fds[fd] = NULL;
    errno = error;
    return failed ? -1 : 0;
}

static size_t most(size_t len)
{
    return plan.fault && len > 1 && !sim.calm && chance(plan.fault * 4)
               ? 1 + below((unsigned)len - 1)
               : len;
}

static ssize_t take(struct file *f, struct buf *from, void *to, size_t room, bool open)
{
    if (from->len == 0) {
        if (!open)
            return 0;
        if (!(f->flags & O_NONBLOCK))
            violation("waits for ever in read(2)");
        errno = EAGAIN;
        return -1;
    }
    size_t len = from->len < room ? from->len : room;
    len = most(len);
    memcpy(to, from->data, len);
    buf_drop(from, len);
    return (ssize_t)len;
}

static ssize_t read_at(struct node *n, void *to, size_t room, off_t at)
{
    if (fails("read", n->owner, "i") || interrupted())
        return -1;
    if ((size_t)at >= n->data.len)
        return 0;
    size_t len = n->data.len - (size_t)at < room ? n->data.len - (size_t)at : room;
    len = most(len);
    memcpy(to, n->data.data + at, len);
    return (ssize_t)len;
}

/* Who has pulled it may have it open yet. */
static ssize_t read_trigger(size_t room)
{
    size_t n = os.trigger_bytes < room ? (size_t)os.trigger_bytes : room;
    os.trigger_bytes -= n;
    if (n || chance(500000))
        return (ssize_t)n;
    errno = EAGAIN;
    return -1;
}

CALL(ssize_t, read, int fd, void *to, size_t room)
{
    enter("read");
    struct file *f = file_of(fd);
    ssize_t n;
    if (!f)
        return -1;
    switch (f->kind) {
    case KIND_NODE:
        if (f->node->type == TYPE_FIFO)
            return read_trigger(room);
        n = read_at(f->node, to, room, f->at);
        if (n > 0)
            f->at += n;
        return n;
    case KIND_PIPE_IN:
    case KIND_SOCKET:
        if (interrupted())
            return -1;
        if (fd == 2 || fd == 4)
            sim.reporting = fd == 4;
        return take(f, &f->in->data, to, room, f->in->writers > 0);
    case KIND_NULL:
        return 0;
    default:
        errno = EISDIR;
        return -1;
    }
}

CALL(ssize_t, pread, int fd, void *to, size_t room, off_t at)
{
    enter("pread");
    struct file *f = file_of(fd);
    return f ? read_at(f->node, to, room, at) : -1;
}

static ssize_t write_node(struct file *f, const char *data, size_t len)
{
    struct node *n = f->node;
    if (fails("write", n->owner, "si") || interrupted())
        return -1;
    len = most(len);
    if (f->flags & O_APPEND)
        f->at = (off_t)n->data.len;
    if ((size_t)f->at != n->data.len)
        abort(); /* nobody does */
    disk_write(n, data, len);
    f->at += (off_t)len;
    return (ssize_t)len;
}

static ssize_t write_pipe(int fd, struct file *f, const char *data, size_t len)
{
    struct pipe *p = f->out;
    if (interrupted())
        return -1;
    if (p->readers == 0) {
        errno = EPIPE;
        return -1;
    }
    size_t room = p->data.len < p->cap ? p->cap - p->data.len : 0;
    if (room == 0) {
        if (!(f->flags & O_NONBLOCK))
            violation("waits for ever in write(2)");
        errno = EAGAIN;
        return -1;
    }
    if (len > room)
        len = room;
    buf_add(&p->data, data, len);
    if (fd == 1 || fd == 3)
        world_command_written(fd == 3, data, len);
    if (fd == 5)
        world_clean_written(data, len);
    return (ssize_t)len;
}

CALL(ssize_t, write, int fd, const void *data, size_t len)
{
    enter("write");
    struct file *f = file_of(fd);
    if (!f)
        return -1;
    if (fd == 0 && !in_child) {
        judge_lines(data, len);
        return (ssize_t)len;
    }
    switch (f->kind) {
    case KIND_NODE:
        return write_node(f, data, len);
    case KIND_PIPE_OUT:
    case KIND_SOCKET:
        return write_pipe(fd, f, data, len);
    default:
        return (ssize_t)len;
    }
}

CALL(ssize_t, pwrite, int fd, const void *data, size_t len, off_t at)
{
    enter("pwrite");
    struct file *f = file_of(fd);
    if (!f)
        return -1;
    struct node *n = f->node;
    ino_t number = n->owner;
    if (fails("pwrite", number, "i") || interrupted())
        return -1;
    if (len > 1 || (len == 1 && n->data.len == 1)) { /* once more, to be synced */
        if (at != 0 || len != n->data.len || memcmp(data, n->data.data, len) != 0)
            violation("a file of %ju is changed", (uintmax_t)number);
        n->dirty = true;
        touch(n);
        return (ssize_t)len;
    }
    if (len != 1 || (size_t)at >= n->data.len)
        violation("a mark beyond the file of %ju", (uintmax_t)number);
    for (int c = 0; c < CHANNELS; c++) {
        const char *tree = c ? "remote" : "local";
        if (disk_find(split_path(tree, number)) == n)
            judge_mark(tree, number, at, n);
    }
    n->data.data[at] = *(const char *)data;
    n->dirty = true;
    touch(n);
    trace("mark %ju at %jd", (uintmax_t)number, (intmax_t)at);
    return 1;
}

CALL(int, fsync, int fd)
{
    enter("fsync");
    struct file *f = file_of(fd);
    if (!f)
        return -1;
    disk_waits();
    if (f->kind == KIND_DIR) {
        if (fails("fsync of a directory", 0, "i"))
            return -1;
        for (struct entry *e = dirs[f->dir].first; e; e = e->next)
            make_stable(e);
        return 0;
    }
    if (fails("fsync", owner_of(f), "is"))
        return -1;
    sync_node(f->node);
    return 0;
}

CALL(int, ftruncate, int fd, off_t len)
{
    enter("ftruncate");
    struct file *f = file_of(fd);
    if (!f || fails("ftruncate", owner_of(f), "i"))
        return -1;
    if ((size_t)len < f->node->data.len)
        f->node->data.len = (size_t)len;
    f->node->dirty = true;
    touch(f->node);
    return 0;
}

CALL(int, fstat, int fd, struct stat *st)
{
    enter("fstat");
    struct file *f = file_of(fd);
    if (!f || fails("fstat", owner_of(f), "i"))
        return -1;
    fill_stat(f->node, f->kind == KIND_DIR ? f->dir : -1, st);
    return 0;
}

CALL(int, stat, const char *path, struct stat *st)
{
    enter("stat");
    const char *full = resolve(path);
    if (full && fails("stat", number_of(full), "im"))
        return -1;
    int dir = full ? find_dir(full, strlen(full)) : -1;
    struct node *n = full ? disk_find(full) : NULL;
    if (!n && dir == -1) {
        errno = ENOENT;
        return -1;
    }
    fill_stat(n, dir, st);
    return 0;
}

CALL(int, lstat, const char *path, struct stat *st)
{
    return sim_stat(path, st);
}

CALL(int, unlink, const char *path)
{
    enter("unlink");
    const char *full = resolve(path);
    char name[160];
    snprintf(name, sizeof name, "%s", full);
    if (fails("unlink", number_of(name), "i"))
        return -1;
    if (!disk_find(name)) {
        errno = ENOENT;
        return -1;
    }
    ino_t number = number_of(name);
    if (number && !in_child) {
        char dir[16] = "";
        sscanf(name, "queue/%15[a-z]", dir);
        judge_unlink(dir, number);
    }
    trace("unlink %s", name);
    disk_remove(name);
    return 0;
}

CALL(int, fchmod, int fd, mode_t mode)
{
    enter("fchmod");
    struct file *f = file_of(fd);
    if (!f || fails("fchmod", owner_of(f), "i"))
        return -1;
    trace("mode %o of %ju", (unsigned)mode, (uintmax_t)owner_of(f));
    f->node->mode = mode;
    f->node->dirty = true;
    return 0;
}

/* Only after a file has been written once more: it is as old as it was. That this fails
 * is no history of its own: a message becomes younger. */
CALL(int, futimens, int fd, const struct timespec times[2])
{
    enter("futimens");
    struct file *f = file_of(fd);
    if (!f)
        return -1;
    f->node->mtime_ms = times[1].tv_sec * 1000 + times[1].tv_nsec / 1000000;
    f->node->ctime_ms = sim.steady_ms + sim.offset_ms;
    f->node->dirty = true;
    return 0;
}

CALL(int, utimensat, int at, const char *path, const struct timespec times[2],
     int flags)
{
    (void)at, (void)flags;
    enter("utimensat");
    const char *full = resolve(path);
    char name[160];
    snprintf(name, sizeof name, "%s", full);
    if (fails("utimensat", number_of(name), "i"))
        return -1;
    struct node *n = disk_find(name);
    if (!n) {
        errno = ENOENT;
        return -1;
    }
    n->atime_ms = times[0].tv_sec * 1000;
    n->mtime_ms = times[1].tv_sec * 1000;
    n->ctime_ms = sim.steady_ms + sim.offset_ms;
    n->dirty = true;
    char tree[16] = "";
    sscanf(name, "queue/%15[a-z]", tree);
    judge_times(tree, number_of(name), times[1].tv_sec);
    return 0;
}

CALL(int, chdir, const char *path)
{
    enter("chdir");
    const char *full = resolve(path);
    if (fails("chdir", 0, "im"))
        return -1;
    if (!full || find_dir(full, strlen(full)) == -1) {
        errno = ENOENT;
        return -1;
    }
    char name[64];
    snprintf(name, sizeof name, "%s", full);
    snprintf(os.cwd, sizeof os.cwd, "%s", name);
    return 0;
}

/* Directories */

CALL(DIR *, opendir, const char *path)
{
    enter("opendir");
    const char *full = resolve(path);
    int dir = find_dir(full, strlen(full));
    if (fails("opendir", 0, "fim"))
        return NULL;
    if (dir == -1) {
        errno = ENOENT;
        return NULL;
    }
    if (strcmp(full, "queue/todo") == 0)
        judge_scan();
    for (int i = 0; i < STREAMS; i++)
        if (!os.streams[i].open) {
            os.streams[i] = (struct stream){.open = true, .dir = dir};
            return (DIR *)(void *)&os.streams[i];
        }
    violation("directories are not closed");
}

CALL(struct dirent *, readdir, DIR *d)
{
    enter("readdir");
    struct stream *s = (struct stream *)(void *)d;
    if (fails("readdir", 0, "i"))
        return NULL;
    for (struct entry *e = dirs[s->dir].first; e; e = e->next)
        if (e->now && (!s->begun || e->key > s->cursor)) {
            s->begun = true;
            s->cursor = e->key;
            s->entry.d_ino = e->now->number;
            snprintf(s->entry.d_name, sizeof s->entry.d_name, "%s", e->name);
            return &s->entry;
        }
    return NULL;
}

CALL(int, closedir, DIR *d)
{
    enter("closedir");
    ((struct stream *)(void *)d)->open = false;
    return 0;
}

/* Descriptors */

CALL(int, fcntl, int fd, int command, ...)
{
    struct file *f = file_of(fd);
    va_list list;
    va_start(list, command);
    int arg = command == F_GETFD || command == F_GETFL ? 0 : va_arg(list, int);
    va_end(list);
    if (!f)
        return -1;
    switch (command) {
    case F_GETFL:
        return f->flags;
    case F_SETFL:
        f->flags = arg;
        return 0;
    case F_DUPFD_CLOEXEC:
        if (fails("fcntl", 0, "f"))
            return -1;
        f->refs++;
        return put_fd(f, arg);
    default:
        return 0;
    }
}

CALL(int, dup2, int from, int to)
{
    struct file *f = file_of(from);
    if (!f || fails("dup2", 0, "f"))
        return -1;
    f->refs++;
    if (os.fds[to])
        drop_file(os.fds[to]);
    os.fds[to] = f;
    if (to >= os.fd_max)
        os.fd_max = to + 1;
    return to;
}

CALL(int, pipe2, int ends[2], int flags)
{
    enter("pipe2");
    if (fails("pipe2", 0, "fn"))
        return -1;
    struct pipe *p = pipe_new(chance(100000) ? 1 + below(200) : 65536);
    struct file *in = new_file(KIND_PIPE_IN, flags & O_NONBLOCK);
    in->in = p;
    ends[0] = put_fd(in, 0);
    struct file *out = new_file(KIND_PIPE_OUT, flags & O_NONBLOCK);
    out->out = p;
    ends[1] = put_fd(out, 0);
    return 0;
}

CALL(int, flock, int fd, int how)
{
    (void)how;
    enter("flock");
    if (!file_of(fd) || fails("flock", 0, "w"))
        return -1;
    return 0;
}

CALL(int, getrlimit, int which, struct rlimit *limit)
{
    (void)which;
    *limit = (struct rlimit){os.nofile, os.nofile};
    return 0;
}

CALL(int, sync_file_range, int fd, off_t at, off_t len, unsigned flags)
{
    (void)fd, (void)at, (void)len, (void)flags;
    return 0;
}

CALL(void, sync, void)
{
    violation("sync(2)");
}

CALL(mode_t, umask, mode_t mask)
{
    mode_t before = os.umask;
    os.umask = mask;
    return before;
}

CALL(char *, getenv, const char *name)
{
    (void)name;
    return NULL;
}

/* Sockets */

CALL(int, socket, int family, int type, int protocol)
{
    (void)family, (void)type, (void)protocol;
    enter("socket");
    if (fails("socket", 0, "fn"))
        return -1;
    return put_fd(new_file(KIND_LISTEN, 0), 0);
}

CALL(int, bind, int fd, const struct sockaddr *address, socklen_t len)
{
    (void)address, (void)len;
    enter("bind");
    if (!file_of(fd) || fails("bind", 0, "s"))
        return -1;
    if (disk_find("queue/order/socket")) {
        errno = EADDRINUSE;
        return -1;
    }
    disk_make("queue/order/socket", TYPE_SOCKET, 0700);
    return 0;
}

CALL(int, listen, int fd, int waiting)
{
    (void)waiting;
    os.listener = file_of(fd);
    return 0;
}

CALL(int, accept, int fd, struct sockaddr *address, socklen_t *len)
{
    (void)address, (void)len;
    enter("accept");
    struct file *listener = file_of(fd);
    if (!listener || fails("accept", 0, "fn") || interrupted())
        return -1;
    if (os.backlog_count == 0) {
        errno = EAGAIN;
        return -1;
    }
    struct file *f = new_file(KIND_SOCKET, 0);
    f->in = os.backlog[0].in;
    f->out = os.backlog[0].out;
    memmove(os.backlog, os.backlog + 1, --os.backlog_count * sizeof *os.backlog);
    return put_fd(f, 0);
}

CALL(int, connect, int fd, const struct sockaddr *address, socklen_t len)
{
    (void)fd, (void)address, (void)len;
    violation("connect(2)");
}

/* Time */

CALL(int, clock_gettime, clockid_t clock, struct timespec *t)
{
    int64_t ms =
        clock == CLOCK_MONOTONIC ? sim.steady_ms : sim.steady_ms + sim.offset_ms;
    t->tv_sec = ms / 1000;
    t->tv_nsec = ms % 1000 * 1000000;
    return 0;
}

CALL(time_t, time, time_t *t)
{
    (void)t;
    return (time_t)wall_s();
}

CALL(unsigned, sleep, unsigned seconds)
{
    enter("sleep");
    pass((int64_t)seconds * 1000);
    judge_pause((int64_t)seconds * 1000);
    return 0;
}

CALL(int, nanosleep, const struct timespec *request, struct timespec *left)
{
    (void)request, (void)left;
    violation("nanosleep(2)");
}

static short events_of(int fd)
{
    const struct file *f = os.fds[fd];
    if (!f)
        return POLLNVAL;
    switch (f->kind) {
    case KIND_NODE:
        return f->node->type == TYPE_FIFO ? (os.trigger_bytes ? POLLIN : 0)
                                          : POLLIN | POLLOUT;
    case KIND_PIPE_IN:
        return (short)((f->in->data.len ? POLLIN : 0) |
                       (f->in->writers == 0 ? POLLHUP : 0));
    case KIND_PIPE_OUT:
        return f->out->readers == 0             ? POLLERR
               : f->out->data.len < f->out->cap ? POLLOUT
                                                : 0;
    case KIND_SOCKET:
        return (short)((f->in->data.len || f->in->writers == 0 ? POLLIN : 0) |
                       (f->out->data.len < f->out->cap || f->out->readers == 0 ? POLLOUT
                                                                               : 0));
    case KIND_LISTEN:
        return os.backlog_count ? POLLIN : 0;
    default:
        return POLLIN | POLLOUT;
    }
}

static int look(struct pollfd *fds, nfds_t count)
{
    int ready = 0;
    for (nfds_t i = 0; i < count; i++) {
        fds[i].revents = 0;
        if (fds[i].fd < 0)
            continue;
        fds[i].revents = (short)(events_of(fds[i].fd) &
                                 (fds[i].events | POLLERR | POLLHUP | POLLNVAL));
        if (fds[i].revents & POLLNVAL)
            violation("waits for descriptor %d, which is closed", fds[i].fd);
        ready += fds[i].revents != 0;
    }
    return ready;
}

/* A turn of the main loop waits for the signals and for more. */
CALL(int, poll, struct pollfd *fds, nfds_t count, int timeout)
{
    bool is_turn = count >= 2;
    enter("poll");
    if (is_turn)
        judge_turn_end();
    if (fails("poll", 0, "m")) {
        if (is_turn) {
            judge_turn();
            os.turn_begins = 3; /* a line, a sleep */
        }
        return -1;
    }
    pass(is_turn && chance(100000) ? 1 : 0);
    int64_t begun = sim.steady_ms;
    int64_t end = timeout < 0 ? INT64_MAX : sim.steady_ms + timeout;
    int result;
    bool slept = false;
    for (;;) {
        if (is_turn)
            history_turn();
        world_run();
        bool signalled = deliver_signals();
        result = look(fds, count);
        if (signalled && !result) {
            errno = EINTR;
            result = -1;
        }
        if (result || sim.steady_ms >= end)
            break;
        if (is_turn && !slept)
            judge_sleep(end - sim.steady_ms);
        slept = true;
        int64_t next = world_next();
        if (next == INT64_MAX && end == INT64_MAX)
            violation("waits for ever in poll(2)");
        sim.steady_ms =
            next < end ? (next > sim.steady_ms ? next : sim.steady_ms) : end;
    }
    if (is_turn)
        judge_turn();
    else
        judge_pause(sim.steady_ms - begun);
    os.turn_begins = is_turn;
    return result;
}

/* Signals and processes */

CALL(int, sigaction, int sig, const struct sigaction *act, struct sigaction *old)
{
    (void)old;
    if (!in_child)
        os.handlers[sig] = act->sa_handler;
    return 0;
}

CALL(int, sigprocmask, int how, const sigset_t *set, sigset_t *old)
{
    (void)set;
    if (in_child)
        return 0;
    if (how == SIG_SETMASK && old)
        os.blocked = true; /* all of them, before a process starts */
    else if (how == SIG_SETMASK)
        os.blocked = false;
    return 0;
}

CALL(_Noreturn void, _exit, int code)
{
    if (in_child) {
        child_code = code;
        longjmp(child_jump, 1);
    }
    sim.exit_code = code;
    longjmp(sim.life, 2);
}

/* There are no threads: what they would do is done one after the other. */
CALL(int, pthread_create, pthread_t *thread, const pthread_attr_t *how,
     void *(*run)(void *arg), void *arg)
{
    (void)thread, (void)how, (void)run, (void)arg;
    return EAGAIN;
}

/* What os_spawn() does: child runs in a process of its own until it is another program,
 * which can be nothing but qmail-queue. */
CALL(pid_t, os_spawn, int (*child)(void *arg), void *arg)
{
    static struct file *kept[FDS];
    char cwd[64];
    enter("vfork");
    if (fails("vfork", 0, "gm"))
        return -1;
    int kept_max = os.fd_max;
    memcpy(kept, os.fds, (size_t)kept_max * sizeof *kept);
    memcpy(cwd, os.cwd, sizeof cwd);
    for (int fd = 0; fd < kept_max; fd++)
        if (os.fds[fd])
            os.fds[fd]->refs++;
    pid_t pid = -1;
    struct pipe *ends[3] = {NULL, NULL, NULL};
    child_code = 0;
    in_child = true;
    if (setjmp(child_jump) == 0) {
        child_code = child(arg);
    } else if (child_code == 0) { /* execve */
        if (os.cwd[0])
            violation("qmail-queue is not started in HOME");
        for (int i = 0; i < 3; i++) {
            struct file *f = file_of(i == 2 ? 6 : i);
            if (!f || f->kind != (i == 2 ? KIND_PIPE_OUT : KIND_PIPE_IN))
                violation("qmail-queue's descriptors");
            ends[i] = i == 2 ? f->out : f->in;
            if (i == 2)
                ends[i]->writers++;
            else
                ends[i]->readers++;
        }
    }
    in_child = false;
    for (int fd = 0; fd < os.fd_max; fd++)
        if (os.fds[fd])
            drop_file(os.fds[fd]);
    memset(os.fds, 0, (size_t)os.fd_max * sizeof *kept);
    memcpy(os.fds, kept, (size_t)kept_max * sizeof *kept);
    memcpy(os.cwd, cwd, sizeof cwd);
    pid = world_run_queue(ends[0], ends[1], ends[2]);
    judge_bounce_begin(pid);
    trace("started process %ld", (long)pid);
    return pid;
}

CALL(int, execve, const char *path, char *const argv[], char *const env[])
{
    (void)argv, (void)env;
    if (fails("execve", 0, "im"))
        return -1;
    if (strcmp(path, "bin/qmail-queue") != 0)
        violation("starts %s", path);
    child_code = 0;
    longjmp(child_jump, 1);
}

CALL(pid_t, fork, void)
{
    violation("fork(2)");
}

CALL(pid_t, waitpid, pid_t pid, int *status, int flags)
{
    enter("waitpid");
    if (!(flags & WNOHANG))
        violation("waits for a process");
    if (interrupted())
        return -1;
    return world_wait(pid, status);
}

/* Memory: of a life, all at once. What is handed out holds rubbish, always the same. */

enum { ARENA = 64 << 20, CLASSES = 40 };
static struct {
    char *data;
    size_t used;
    void *free[CLASSES];
} arena;

struct block {
    size_t room;
    size_t class;
};

void arena_reset(void);
void arena_reset(void)
{
    if (!arena.data)
        arena.data = malloc(ARENA);
    arena.used = 0;
    memset(arena.free, 0, sizeof arena.free);
}

static void *arena_get(size_t size)
{
    size_t class = 5;
    while (((size_t)1 << class) < size)
        class ++;
    char *p = arena.free[class];
    if (p) {
        memcpy(&arena.free[class], p, sizeof(void *));
    } else {
        size_t whole = ((size_t)1 << class) + sizeof(struct block);
        if (arena.used + whole > ARENA)
            return NULL;
        p = arena.data + arena.used + sizeof(struct block);
        arena.used += whole;
    }
    struct block b = {(size_t)1 << class, class};
    memcpy(p - sizeof b, &b, sizeof b);
    memset(p, 0xa5, size);
    return p;
}

CALL(void, free, void *p)
{
    if (!p)
        return;
    struct block b;
    memcpy(&b, (char *)p - sizeof b, sizeof b);
    memcpy(p, &arena.free[b.class], sizeof(void *));
    arena.free[b.class] = p;
}

CALL(void *, realloc, void *old, size_t size)
{
    if (fails("realloc", 0, "m"))
        return NULL;
    struct block b = {0, 0};
    if (old)
        memcpy(&b, (char *)old - sizeof b, sizeof b);
    if (size <= b.room)
        return old;
    void *p = arena_get(size);
    if (p && old) {
        memcpy(p, old, b.room);
        sim_free(old);
    }
    if (!p)
        violation("memory grows without end");
    return p;
}

CALL(void *, malloc, size_t size)
{
    return sim_realloc(NULL, size);
}
