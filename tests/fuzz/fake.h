/* fake - a system made of memory, for fuzz targets: no system call, no process, and a
 * clock that goes on when somebody waits.
 *
 * The linker puts the functions of fake_system.c in front of the C library's (FAKED in
 * the Makefile). Between fake_begin() and fake_end() they know the descriptors and
 * files made here and no others; outside they do what the C library does. The other
 * parts take the place of a part of src/ in the targets that name something of theirs:
 *
 * fake_queue.c      mail/enqueue: what is queued is kept
 * fake_process.c    base/process: a function instead of a program
 * fake_rcptcheck.c  accept/rcptcheck: an answer by the recipient
 * fake_tls.c        net/ucspi_tls: what is said under TLS is an input of its own */
#ifndef TESTS_FUZZ_FAKE_H
#define TESTS_FUZZ_FAKE_H

#include "base/bytes.h"
#include "base/process.h"
#include "mail/enqueue.h"

enum { FAKE_NOW = 1600000000 }; /* what the clock says first */

void fake_begin(void);

/* Aborts if a descriptor was left open that the code under test has opened. */
void fake_end(void);

/* A descriptor that gives content, which stays the caller's, at most so many bytes at
 * a time, and another number each time; 0: all there is room for. */
int fake_input(struct view content, unsigned most);

/* A descriptor whose bytes are appended to *to. */
int fake_output(struct bytes *to);

/* A file to be read, until fake_end(). Both stay the caller's. */
void fake_file(const char *path, struct view content);

/* What a reader of descriptor fd has not read yet. */
struct view fake_unread(int fd);

/* Whether path was removed, or renamed, since fake_begin(). */
bool fake_is_gone(const char *path);

/* The queue program */
struct fake_queue {
    /* to be set: */
    bool cannot_start;
    enum enqueue_verdict verdict; /* on whatever is not withheld */
    /* to be looked at: */
    bool running; /* started, and not finished */
    unsigned started;
    struct bytes queued; /* netstrings: message, envelope, message, envelope ... */
    struct bytes message, envelope; /* of the last one that was started */
};
extern struct fake_queue fake_queue;
enum { FAKE_QUEUE_PID = 4711 };
#define FAKE_QUEUE_WHY "because"

/* Forgets all messages. */
void fake_queue_begin(enum enqueue_verdict verdict);

/* Takes the next message and its envelope from *log, which was fake_queue.queued. */
bool fake_queue_next(struct view *log, struct view *message, struct view *envelope);

/* Programs: what the next one makes of the bytes on its descriptor 3. Its exit code. */
extern int (*fake_program)(struct view secret);

/* rcptcheck: what is said of recipients that begin with these letters; others exist. */
#define FAKE_NO_MAILBOX 'n'
#define FAKE_OVER_LIMIT 'o'
#define FAKE_TROUBLE 't'
extern unsigned fake_rcptcheck_asked; /* how often, if the target counts from 0 */

/* TLS: begins when the server is asked, and this is what the client says then. */
extern int fake_tls_fd;
extern bool fake_tls_fails;

#endif
