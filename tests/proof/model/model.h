/* model - qmail-send's own code, run in a world that is made up.
 *
 * The objects of qmail-send are linked as they are, but for the names of the system
 * calls, which lead to kernel.c: a disk, pipes, a clock and signals in memory. Nothing
 * happens but in poll(2) and, now and then, between two other calls: world.c holds
 * spawners, qmail-clean, qmail-queue, the postmaster, and what they are about to do.
 * judge.c compares what qmail-send does with what spec and manuals say it must do, and
 * knows nothing of how it does it. main.c makes up histories, each from one number. */
#ifndef MODEL_H
#define MODEL_H

#include "conf.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    CHANNELS = 2,
    MESSAGES_MAX = 1024, /* of one history, bounces too */
    RECIPIENTS_MAX = 12,
    ADDRESS_MAX = 96,
    SLOTS_MAX = 256
};

/* Bytes that grow. */
struct buf {
    char *data;
    size_t len, room;
};
void buf_clear(struct buf *b);
void buf_add(struct buf *b, const void *data, size_t len);
void buf_text(struct buf *b, const char *text);
void buf_format(struct buf *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void buf_drop(struct buf *b, size_t len); /* from the front */
bool buf_same(const struct buf *a, const struct buf *b);
size_t buf_count(const struct buf *b, const char *text);

/* Chance. */
uint64_t rnd(void);
unsigned below(unsigned n);
bool chance(unsigned of_a_million);
int64_t between(int64_t from, int64_t to);

/* What this history is like, and what goes on. Rates are of a million. */
struct plan {
    unsigned fault, crash, race, slow_disk;
    bool powercuts, orders, garbage, deaths, jumps, signals, controls, flood;
    unsigned trouble; /* of qmail-queue and qmail-clean */
    unsigned deferrals, failures;
    int64_t length_ms, answer_ms;
};
extern struct plan plan;

struct sim {
    uint64_t seed;
    int64_t steady_ms, offset_ms;
    bool trace, alive, draining, calm; /* calm: no fault, no crash now */
    uint64_t calls, turns;
    jmp_buf life, history;
    int exit_code;
    bool power_cut; /* the life ended so */
    bool exited;    /* or by itself */
    uint64_t events;
    int64_t begun_ms, released_ms; /* the history; who was held */
    bool jumped;                   /* the clock, since the turn began */
    int reporting;                 /* the channel whose reports have just been read */
    bool told;                     /* to leave, at the very end */
};
extern struct sim sim;

static inline int64_t wall_s(void)
{
    return (sim.steady_ms + sim.offset_ms) / 1000;
}

void history_turn(void); /* main.c: as time goes by */
void trace(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void violation(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* kernel.c: the disk */

enum type { TYPE_FILE, TYPE_DIR, TYPE_FIFO, TYPE_SOCKET };
struct node {
    enum type type;
    ino_t number;
    ino_t owner; /* the message that it belongs to; 0: none */
    unsigned names, stable_names, opens;
    mode_t mode, stable_mode;
    int64_t mtime_ms, atime_ms, ctime_ms, stable_mtime_ms,
        stable_ctime_ms; /* wall clock */
    struct buf data, stable;
    bool dirty;
};

void kernel_reset(void);
void life_begin(int64_t descriptors); /* everything of the process, but for its pipes */
void life_end(void);
void power_cut(void);

struct node *disk_find(const char *path); /* relative to HOME; NULL: none */
bool disk_is_stable(const char *path);    /* name and contents */
struct node *disk_make(const char *path, enum type type, mode_t mode);
void disk_write(struct node *n, const char *data, size_t len);
void disk_sync(const char *path); /* file and name */
void disk_link(const char *from, const char *to);
void disk_remove(const char *path);
struct node *disk_number(ino_t number); /* whoever has it */
/* Calls each(arg, name) for each name in the directory. */
void disk_each(const char *dir, void (*each)(void *arg, const char *name), void *arg);

/* "TREE/S/N" and "DIR/N" below queue; good until the 8th call after it. */
const char *split_path(const char *tree, ino_t n);
const char *flat_path(const char *dir, ino_t n);

bool trigger_pull(void); /* false: nobody reads it */

/* kernel.c: pipes and descriptors */

struct pipe {
    struct buf data;
    size_t cap;
    int readers, writers;
    bool used;
};
struct pipe *pipe_new(size_t cap);
void pipe_close_reader(struct pipe *p);
void pipe_close_writer(struct pipe *p);
void give_fd(int fd, struct pipe *p, bool writes);
bool socket_connect(struct pipe **to, struct pipe **from); /* to order/socket */
void send_signal(int sig);
extern bool signal_come[32]; /* its handler has run, and no turn has begun since */
extern bool in_child;

/* world.c */

void world_reset(void);
void world_begin_life(void);
void world_end_life(void);
void world_pass(int64_t ms); /* time passes, and qmail-send does not run */
void world_run(void);        /* what is due */
void world_run_early(void);  /* what is due soon, between two calls */
int64_t world_next(void);    /* when something is, INT64_MAX: nothing */
void world_power_cut(void);  /* whoever writes is gone */
void world_drain(void);      /* everybody behaves from now on */
bool world_is_quiet(void);   /* nobody writes anything */
bool world_is_dead(int who); /* a spawner, or 2: qmail-clean */
void world_release(void);    /* whoever is held may go */
pid_t world_run_queue(struct pipe *message, struct pipe *envelope, struct pipe *text);
pid_t world_wait(pid_t pid, int *status); /* as waitpid(2) with WNOHANG */
unsigned world_announced(int channel);
unsigned world_control(const char *name); /* a number in control/ */
int world_version(void);                  /* of locals and virtualdomains */
void world_clean_written(const char *data, size_t len);
void world_command_written(int channel, const char *data, size_t len);

/* judge.c */

struct recipient {
    char address[ADDRESS_MAX]; /* in the envelope */
    char rewritten[ADDRESS_MAX];
    int channel;
    off_t at;          /* of its record */
    bool done;         /* marked, as far as anybody can know */
    bool to_be_marked; /* its result has been logged */
    bool failed;       /* and noted, or to be */
    bool running, started;
    unsigned delivered, bounced;
    unsigned again; /* times that a history allows it once more */
};

enum stage { STAGE_QUEUED, STAGE_TAKEN, STAGE_ENDED };

struct message {
    ino_t number;
    enum stage stage;
    char sender[ADDRESS_MAX];
    unsigned uid;
    pid_t pid;
    int64_t birth_ms;
    const struct node *text; /* and its time, to tell it from another's */
    int64_t text_at;
    struct recipient to[RECIPIENTS_MAX];
    unsigned count;
    bool pulled; /* the trigger, after it was queued */
    bool fuzzy;  /* trouble has come: no exact times until the next start */
    bool
        disturbed; /* by a crash or trouble with a file: notes and bounces may double */
    bool ordered_away;     /* it is being returned or deleted */
    bool announced;        /* "new msg", "info msg" have been written in this pass */
    int64_t bounce_due_ms; /* steady clock; 0: none */
    bool bouncing, bounce_sent, discarded, ending;
    unsigned bounces;
    struct buf notes; /* what bounce/N must hold */
    struct {
        enum { NOBODY, DUE, ATTEMPT, HELD } state;
        int64_t due, next; /* seconds */
        uint64_t since;    /* the turn in which it became due */
        bool last;         /* the attempt */
        bool stopped;      /* by an order */
        bool fresh;        /* due since a moment that cannot be seen exactly */
        bool unsure;       /* its attempt has ended while leaving, or has not; or the
                            * clock has been set back, and due goes back with it */
        bool set_back;     /* the clock, during the attempt */
        bool cut;          /* the attempt cannot read on in its list */
        unsigned running;
    } in[CHANNELS];
};
extern struct message messages[MESSAGES_MAX];
extern unsigned message_count;
struct message *message_find(ino_t number); /* one that has not ended */

void judge_reset(void);
void judge_begin_life(void);
void judge_end_life(void);            /* the disk is as the next one will find it */
void judge_queued(struct message *m); /* todo/N has appeared */
void judge_log(const char *line, size_t len);
void judge_turn_end(void);            /* of the main loop */
void judge_turn(void);                /* one begins */
void judge_sleep(int64_t timeout_ms); /* nothing is ready */
void judge_pause(int64_t ms);         /* after an alert; what was due has waited */
void judge_fault(ino_t number);       /* 0: nobody in particular */
void judge_unlink(const char *dir, ino_t number);
void judge_mark(const char *tree, ino_t number, off_t at, const struct node *n);
void judge_clean(const char *verb, ino_t number); /* asked for, not done yet */
void judge_cleaned(const char *verb, ino_t number, char answer);
void judge_command(int channel, unsigned slot, const char *name, const char *sender,
                   const char *recipient);
void judge_report(int channel, unsigned slot, const char *text, size_t len);
bool judge_is_slot_used(int channel, unsigned slot);
void judge_bounce_opened(ino_t number); /* bounce/N, for reading */
void judge_bounce_begin(pid_t pid);
void judge_bounced(pid_t pid, const struct buf *text, const char *sender,
                   const char *recipient); /* accepted */
void judge_waited(pid_t pid);
void judge_order(const char *verb, ino_t number, const char *answer);
void judge_scan(void); /* todo/ has been opened */
void judge_times(const char *tree, ino_t number, int64_t mtime);
void judge_exit(int code, bool by_itself);
void judge_jump(int64_t ms); /* of the wall clock */
bool judge_had_fault(void);
unsigned judge_alive(void); /* messages that have not ended */
void judge_drained(void);

#endif
