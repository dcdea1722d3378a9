/* send - the parts of qmail-send.
 *
 * Each part has one static state and the same verbs, called at every turn of the
 * main loop: PART_wants() says what to wait for, PART_serve() does what can be
 * done without waiting. The way of a message through the parts:
 *
 *   todo     reads it in todo/, sorts its recipients
 *   fresh    syncs what was written, in batches; has its entry in todo/ removed
 *   waiting  keeps it in each channel until it is due
 *   job      reads its list of recipients, begins and ends an attempt
 *   spawn    the deliveries of a channel, over the pipes of its spawner
 *   note     writes down a permanent failure in bounce/
 *   finish   ends it when nobody is left, after
 *   bounce   has returned what failed to the sender
 *   clean    asks qmail-clean to remove the files that are qmailq's
 *   sweep    finds what dead processes left in mess/
 *   order    does what qmail-qctl asks for
 */
#ifndef QUEUE_SEND_H
#define QUEUE_SEND_H

#include "base/bytes.h"
#include "base/loop.h"
#include "mail/queue_dir.h"
#include "mail/route.h"
#include "queue/order.h"

#include <sys/stat.h>
#include <sys/types.h>

enum {
    SEND_RETRY_S = 123,     /* after trouble with a file */
    SEND_ALERT_SLEEP_S = 10 /* after trouble that stops everything */
};

/* Control files: send_controls.c */

struct send_controls {
    struct route_rules rules;
    uint64_t concurrency[CHANNELS];
    uint64_t lifetime_s;
    uint64_t remote_recipients; /* that qmail-rspawn may give to one qmail-remote */
    struct bytes bounce_from, bounce_host;
    struct bytes double_bounce_to, double_bounce_host;
};

extern struct send_controls controls;

/* Reads all of them, in HOME. */
bool controls_read(void);

/* Reads locals and virtualdomains again: changes to HOME and back to the queue.
 * Logs what goes wrong; the old ones stay then. */
void controls_reread(void);

/* Log: send_log.c. Lines are kept until the next turn, or until log_flush(): to be
 * called before anything is done that a line tells of and that cannot be done again. */

void log_open(int fd);

/* A line without foreign text; the line feed is added. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A line with foreign text, put together: log_begin() takes the beginning,
 * log_safe() adds with a line feed as '/' and bytes below 33, above 126 and '%' as
 * '_', log_end() ends it. */
void log_begin(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_text(const char *text);
void log_safe(struct view v);
void log_end(void);

/* Writes what is kept. */
void log_flush(void);

/* For heap_on_failure(): an alert, then sleep; the allocation is tried again. */
void log_out_of_memory(void);

/* Sleeps after an alert, or until TERM comes: false, and we are leaving. */
bool send_sleep(void);

/* Leaving: set once by TERM or the loss of a partner; nothing new is begun. */
bool send_is_leaving(void);
void send_leave(void);

/* Schedule: send_schedule.c, without side effects */

struct schedule_entry {
    int64_t due;    /* seconds since 1970, or of the steady clock: the user's choice */
    uint64_t order; /* of equal due times the one added first comes first */
    ino_t message;
    size_t slot; /* of places, where that is */
};

/* Messages ordered by due time. {0} is empty. */
struct schedule {
    struct schedule_entry *entries; /* a heap */
    size_t count, room;
    uint64_t added;
    size_t *places;     /* by a hash of the message: where its entry is, counted from 1;
                           NULL until somebody looks for a message */
    size_t places_room; /* a power of 2 */
};

void schedule_add(struct schedule *s, ino_t message, int64_t due);

/* The entry that is due first; there must be one. */
const struct schedule_entry *schedule_first(const struct schedule *s);
void schedule_drop_first(struct schedule *s);

/* An entry of that message, or NULL. */
const struct schedule_entry *schedule_find(struct schedule *s, ino_t message);

/* Takes out every entry of that message; whether there was one. */
bool schedule_forget(struct schedule *s, ino_t message);

/* Makes everything that is due later than now due now. */
void schedule_all_due(struct schedule *s, int64_t now);

/* Makes everything that is due later than now due so many seconds earlier. */
void schedule_earlier(struct schedule *s, int64_t seconds, int64_t now);

/* How old a message born at birth is, in seconds; one that is not born yet, by the
 * clock, is as old as one born now. Any two times will do. */
uint64_t schedule_age(int64_t birth, int64_t now);

/* The time of the next attempt in channel c for a message born at birth, when one
 * begins now; the last there is where that is beyond it. */
int64_t schedule_next(enum channel c, int64_t birth, int64_t now);

/* Waiting messages: send_waiting.c */

/* Loads the whole queue, once. False: TERM came while it could not be read. */
bool waiting_load(void);

void waiting_add(enum channel c, ino_t message, int64_t due);

/* Whether a message of the channel is due; then it is taken out. */
bool waiting_take(enum channel c, ino_t *message);
bool waiting_has_due(enum channel c);

/* After trouble: to be tried again in one channel in SEND_RETRY_S seconds, or
 * finished in so many seconds. */
void waiting_retry(enum channel c, ino_t message);
void waiting_retry_finish(ino_t message, int64_t seconds);

/* All that waits in the channels is due now (ALRM), but what is held. */
void waiting_all_due(void);

/* Where a message waits in a channel. */
enum waiting_place {
    WAITING_NOT,
    WAITING_DUE, /* at *due, by the wall clock */
    WAITING_HELD /* until waiting_now() or waiting_forget() */
};
enum waiting_place waiting_find(enum channel c, ino_t message, int64_t *due);

/* From wherever it waits in the channel, if it does: to be held; due now; nowhere. */
void waiting_hold(enum channel c, ino_t message);
void waiting_now(enum channel c, ino_t message);
void waiting_forget(enum channel c, ino_t message);

/* A message that is to be finished some time is finished now. */
void waiting_finish_now(ino_t message);

/* Keeps the due times in the files' times, for the next start. */
void waiting_save(void);

void waiting_wants(struct loop *l, const bool can_start[CHANNELS]);
void waiting_serve(void);

/* A message's files: send_file.c */

enum presence { PRESENT, MISSING, UNKNOWN };

/* Whether a file's modification time is ahead of now only because the clock has been
 * set back: its last change, of which nobody but the kernel says when it was, is still
 * to come, too. An admin who gives a file a time to come is not meant. */
bool file_is_ahead(const struct stat *st, int64_t now);

/* stat(2). What is neither there nor missing has been logged. */
enum presence file_look(const char *path, struct stat *st);

/* Reads the sender of a message from its info file; the birth is the modification time
 * in st, and the mark is in the mode. False: it cannot be read, or is none; the
 * sender stays as it was. */
bool info_read(ino_t message, struct bytes *sender, struct stat *st);

/* Preprocessing: send_todo.c */

void todo_start(void);
bool todo_is_scanned(void); /* just now */
void todo_wants(struct loop *l);
void todo_serve(const struct loop *l);

enum { SEND_UMASK = 077 };

/* The files of a message: a list for each channel, and info. */
enum { SEND_INFO = CHANNELS, SEND_FILES };
extern const char *const send_trees[SEND_FILES];

/* Recipients to be put in order, those at one host together, hosts and recipients in
 * the order in which they came: send_group.c. */

/* One more. False: there is no room for another. */
bool group_add(struct view address);

/* Gives away all that have been added. */
void group_take(void (*take)(struct view address));
void group_clear(void);

/* New messages: send_fresh.c */

void fresh_start(void);

/* One more message comes. True if it is one of many, and their entries in todo/ go in
 * time: with a single recipient it is to be delivered before its files are synced.
 * Until then info/N has QUEUE_UNSYNCED_MODE. */
bool fresh_comes_in_stream(void);

/* Takes over the open files of a message, all written; -1 for one that it has not. It
 * is put into its channels when its entry in todo/ is gone, or at once where it is
 * single: delivered before it is synced. */
void fresh_add(ino_t message, const int fds[SEND_FILES], bool single);

/* No more for now: others have to be synced first. */
bool fresh_is_full(void);

/* Whether the message is known here, so that its entry in todo/ is not to be read. */
bool fresh_has(ino_t message);

/* Nobody is left of the message. True: that will be told again by finish_add(), when
 * its entry in todo/ is gone. */
bool fresh_over(ino_t message);

/* A scan of todo/ has ended: those that are to be synced together need not wait for
 * more. */
void fresh_end_scan(void);

/* What has been tried is synced. */
bool fresh_is_idle(void);
void fresh_wants(struct loop *l);
void fresh_serve(void);

/* Attempts: send_job.c */

struct job;

/* Memory for as many attempts as can be under way at once. */
void job_start(void);

/* Begins an attempt of the next due message where none is being read, or takes
 * the next recipient of the one that is: one delivery is started, or none is to
 * be had (false). Call only if spawn_can_start(c). */
bool job_start_delivery(enum channel c);

/* Whether a new attempt may begin as soon as a message is due; whether
 * job_start_delivery() would find something to do now. */
bool job_is_free(enum channel c);
bool job_has_work(enum channel c);

/* The results of some deliveries: job_result() for each, then job_done() for each that
 * is done, with where the record of its recipient begins, then job_marks_end(), then
 * job_settle() for each, which may end its attempt. */
enum job_result { JOB_DONE, JOB_LATER };
void job_result(struct job *j, enum job_result result);
void job_done(struct job *j, off_t at);
void job_marks_end(void);
void job_settle(struct job *j);

ino_t job_message(const struct job *j);

/* The clock has been set back by so many seconds: what is due later than now, when
 * the attempts under way have ended, is due earlier. */
void job_earlier(int64_t seconds, int64_t now);

/* What to add to the text of a deferral, which counts as a failure then: the message is
 * too old, or is being returned. NULL: there will be another attempt. */
const char *job_last_words(const struct job *j);

/* Whether failures are kept from the sender: the message is being deleted. */
bool job_is_silent(const struct job *j);

/* The attempt that is under way for a message, or NULL; its running deliveries. */
struct job *job_find(enum channel c, ino_t message);
size_t job_running(const struct job *j);

/* The message of an attempt has been marked: no further delivery is begun, and when
 * those under way have ended the message is held, returned or deleted. With no mark
 * any more it is due at once then. */
void job_mark(struct job *j, enum queue_mark mark);

/* What a mark means for a channel in which there is no attempt and the message does not
 * wait: it is held there, or ended; trouble is met by trying again later. */
void job_apply(enum channel c, ino_t message, enum queue_mark mark);

/* Deliveries: send_spawn.c */

/* Reads the greeting of both spawners. False: one of them does not run. */
bool spawn_start(void);
void spawn_status(void); /* the status line */

/* A slot is free, no command is partly written, and we are not leaving. */
bool spawn_can_start(enum channel c);

/* Starts a delivery: recipient's record begins at byte at of the job's file. */
void spawn_deliver(enum channel c, struct job *j, struct view sender,
                   struct view recipient, off_t at);

uint64_t spawn_limit(enum channel c);

/* Nothing is left to be awaited from spawners that still run. */
bool spawn_is_idle(void);

void spawn_wants(struct loop *l);
void spawn_serve(const struct loop *l);

/* Failure notes: send_note.c */

/* Appends a paragraph to bounce/N, synced, however long that takes. False: TERM came
 * before it could be written. */
bool note_write(ino_t message, struct view recipient, struct view report);

/* Finished messages: send_finish.c */

void finish_add(ino_t message);

/* The bounce of a message has been sent, or there was none to send: its last
 * files go. */
void finish_end(ino_t message);
void finish_wants(struct loop *l);
void finish_serve(void);

/* Bounces: send_bounce.c */

/* Sends what bounce/N holds, for a message born at birth from sender as in its
 * info file; goes on with finish_end(), or tries again later. Call only if
 * bounce_has_room(): not too many are under way. */
void bounce_begin(ino_t message, struct view sender, int64_t birth);
bool bounce_has_room(void);
bool bounce_is_running(ino_t message);
bool bounce_is_idle(void);

/* Removes bounce/N, which has been sent or need not be; goes on with finish_end(),
 * or tries again later. */
void bounce_forget(ino_t message);
void bounce_wants(struct loop *l);
void bounce_serve(const struct loop *l);

/* The text before and between the copied files, and whom it goes to. */
struct bounce_text {
    struct bytes head;              /* before the contents of bounce/N */
    struct bytes separator;         /* before the contents of mess/S/N */
    struct bytes sender, recipient; /* envelope */
};

/* False: the message is a double bounce itself; nothing is to be sent. */
bool bounce_compose(struct bounce_text *text, struct view sender, int64_t now);
void bounce_text_free(struct bounce_text *text);

/* qmail-clean: send_clean.c */

/* Is told whether the files are gone, with the detail of the request. */
typedef void clean_done(ino_t message, unsigned detail, bool gone);

/* Asks for the removal of the files of a message: verb "todo" (intd, todo) or
 * "foop" (intd, mess). done may be NULL. A refusal is logged. */
void clean_request(const char *verb, ino_t message, unsigned detail, clean_done *done);
void clean_flush(void); /* they are kept until then */
bool clean_is_idle(void);

/* Whether a request for that message has not been answered. */
bool clean_is_asked(ino_t message);
void clean_start(void);
void clean_wants(struct loop *l);
void clean_serve(const struct loop *l);

/* Leftovers: send_sweep.c */

void sweep_wants(struct loop *l);
void sweep_serve(void);

/* Orders: send_order.c listens, send_obey.c does */

/* Listens. Without queue/order, as in an older installation, nobody can order. */
void order_start(void);
void order_wants(struct loop *l);
void order_serve(const struct loop *l);

/* Carries out an order. */
struct order_answer obey(const struct order *o);

#endif
