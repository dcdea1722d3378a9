/* Any bytes from a spawner, whole and in pieces: the reports in them say what becomes
 * of the deliveries with their slots, and of no other; nothing but K, and D with a
 * note, ends a recipient, and not before its result is in the log. The log stays lines
 * of printable bytes. */
#include "queue/send.h"

#include "base/fd.h"
#include "mail/delivery.h"

#include "fuzz.h"
#include "must.h"
#include "played.h"

#include <stdio.h>

enum { DELIVERIES = 4, LIMIT = 4, FATES = 4 };

/* What is asked about a delivery's job depends on its number. */
enum fate { PLAIN, TOO_OLD, DELETED, NOTE_FAILS };

struct job {
    unsigned number;
};

struct send_controls controls = {.concurrency = {LIMIT, LIMIT}};

static struct job jobs[DELIVERIES];
static unsigned slots[DELIVERIES]; /* by delivery, as the commands have them */
static struct bytes notes, results, log_text_written, commands;
static size_t settled; /* of the results */
static size_t marked;  /* of those, by job_done() */
static bool marking;   /* since job_result(), until job_marks_end() */
static bool leaving;

static enum fate fate_of(const struct job *j)
{
    return (enum fate)(j->number % FATES);
}

/* What qmail-send's other parts would do */

ino_t job_message(const struct job *j)
{
    return 100 + j->number;
}

const char *job_last_words(const struct job *j)
{
    return fate_of(j) == TOO_OLD ? "Too old.\n" : NULL;
}

bool job_is_silent(const struct job *j)
{
    return fate_of(j) == DELETED;
}

/* How many results the log has. */
static size_t count_logged(void)
{
    struct view rest = bytes_view(&log_text_written);
    size_t count = 0;
    while (rest.len)
        count += view_starts(view_cut(&rest, '\n'), VIEW("delivery "));
    return count;
}

bool note_write(ino_t message, struct view recipient, struct view report)
{
    log_flush();
    must(settled + 1 == count_logged()); /* nobody waits for it to be written */
    bytes_add_format(&notes, "note %u ", (unsigned)message - 100);
    bytes_add(&notes, recipient);
    bytes_add_byte(&notes, ' ');
    bytes_add(&notes, report);
    bytes_add_byte(&notes, '\n');
    return fate_of(&jobs[message - 100]) != NOTE_FAILS;
}

/* Each result has a line of these: those that begin so. */
static size_t count_results(const char *beginning)
{
    struct view rest = bytes_view(&results);
    size_t count = 0;
    while (rest.len)
        count += view_starts(view_cut(&rest, '\n'), view_of(beginning));
    return count;
}

void job_result(struct job *j, enum job_result result)
{
    bytes_add_format(&results, "%s %u\n", result == JOB_DONE ? "done" : "later",
                     j->number);
    must(count_results("") <= count_logged());
    marking = true;
}

void job_done(struct job *j, off_t at)
{
    must(marking && at == 7 * (off_t)j->number);
    marked++;
}

void job_marks_end(void)
{
    marking = false;
}

void job_settle(struct job *j)
{
    struct view rest = bytes_view(&results), result;
    char number[16];
    for (size_t i = 0; i <= settled; i++)
        result = view_cut(&rest, '\n');
    snprintf(number, sizeof number, " %u", j->number);
    must(!marking && view_ends(result, view_of(number)));
    must(marked == count_results("done"));
    settled++;
}

bool job_has_work(enum channel c)
{
    (void)c;
    return false;
}

bool job_start_delivery(enum channel c)
{
    (void)c;
    return false;
}

bool send_is_leaving(void)
{
    return leaving;
}

void send_leave(void)
{
    leaving = true;
}

/* The oracle */

struct wanted {
    struct bytes notes, results;
};

static void expect_report(struct wanted *want, bool busy[DELIVERIES], unsigned slot,
                          struct view report)
{
    unsigned i = 0;
    struct bytes text = {0};
    char letter = report.len ? report.data[0] : '\0';

    while (i < DELIVERIES && !(busy[i] && slots[i] == slot))
        i++;
    if (i == DELIVERIES)
        return;
    busy[i] = false;
    if (report.len)
        bytes_add(&text, view_from(report, 1));
    if (letter == 'Z' && fate_of(&jobs[i]) == TOO_OLD) {
        bytes_add_text(&text, "Too old.\n");
        letter = 'D';
    }
    bool done = letter == 'K' || letter == 'D';
    if (letter == 'D' && fate_of(&jobs[i]) != DELETED) {
        bytes_add_format(&want->notes, "note %u r%u@h ", i, i);
        bytes_add(&want->notes, bytes_view(&text));
        bytes_add_byte(&want->notes, '\n');
        done = fate_of(&jobs[i]) != NOTE_FAILS;
    }
    bytes_add_format(&want->results, "%s %u\n", done ? "done" : "later", i);
    bytes_free(&text);
}

static void expect(struct view in, struct wanted *want, bool busy[DELIVERIES])
{
    while (in.len > DELIVERY_SLOT_BYTES) {
        unsigned slot = 0;
        delivery_take_slot(&in, &slot);
        if (!view_has(in, '\0'))
            return;
        struct view report = view_cut(&in, '\0');
        if (report.len > DELIVERY_MAX_REPORT)
            report = view_before(report, DELIVERY_MAX_REPORT);
        expect_report(want, busy, slot, report);
    }
}

/* Playing */

static void turn(void)
{
    static struct loop l;
    loop_begin(&l);
    spawn_wants(&l);
    for (size_t i = 0; i < l.count; i++)
        l.wants[i].revents = POLLIN | POLLOUT;
    spawn_serve(&l);
}

/* Takes the command for delivery i. */
static void take_command(unsigned i, struct view *rest)
{
    char names[64];

    must(delivery_take_slot(rest, &slots[i]) && slots[i] < LIMIT);
    int len = snprintf(names, sizeof names, "%u/%u%cs@h%cr%u@h%c",
                       (100 + i) % CONF_SPLIT, 100 + i, 0, 0, i, 0);
    must(view_starts(*rest, view_at(names, (size_t)len)));
    *rest = view_from(*rest, (size_t)len);
    for (unsigned other = 0; other < i; other++)
        must(slots[other] != slots[i]);
}

/* All in one turn, at whose end the commands are written. */
static void deliver(unsigned count, size_t step)
{
    char recipient[16];
    bytes_clear(&commands);
    played[1].out_step = step;
    for (unsigned i = 0; i < count; i++) {
        jobs[i].number = i;
        snprintf(recipient, sizeof recipient, "r%u@h", i);
        must(spawn_can_start(CHANNEL_LOCAL));
        spawn_deliver(CHANNEL_LOCAL, &jobs[i], VIEW("s@h"), view_of(recipient),
                      7 * (off_t)i);
        must(!commands.len);
    }
    turn();
    struct view rest = bytes_view(&commands);
    for (unsigned i = 0; i < count; i++)
        take_command(i, &rest);
    must(!rest.len && spawn_can_start(CHANNEL_LOCAL) == (count < LIMIT));
}

static void report(struct view in, size_t step)
{
    played[2].in = in;
    played[2].step = step;
    played[2].at_end = EAGAIN;
    while (played[2].in.len)
        turn();
}

static void check_log(void)
{
    struct view rest = bytes_view(&log_text_written);
    must(rest.len && view_ends(rest, VIEW("\n")));
    while (rest.len)
        must(is_printable_text(view_cut(&rest, '\n')));
}

/* Every slot taken and given back, so that the next will be taken in order. */
static void tidy(void)
{
    struct bytes in = {0};
    deliver(LIMIT, 0);
    for (unsigned slot = LIMIT; slot-- > 0;) {
        delivery_add_slot(&in, slot);
        bytes_add(&in, VIEW("K\0"));
    }
    report(bytes_view(&in), 0);
    must(spawn_is_idle() && spawn_can_start(CHANNEL_LOCAL));
    bytes_free(&in);
}

/* Success for those that are left, slots from last to first; how many they were. With
 * all of them left, slots are free in the sequence in which they were. */
static unsigned end_rest(unsigned count, const bool busy[DELIVERIES])
{
    struct bytes in = {0};
    unsigned left = 0;
    for (unsigned slot = LIMIT; slot-- > 0;)
        for (unsigned i = 0; i < count; i++)
            if (busy[i] && slots[i] == slot) {
                delivery_add_slot(&in, slot);
                bytes_add(&in, VIEW("K\0"));
                left++;
            }
    report(bytes_view(&in), 0);
    must(spawn_is_idle() && spawn_can_start(CHANNEL_LOCAL));
    bytes_free(&in);
    return left;
}

/* Gives count deliveries the reports in in, and success to those that are left. */
static void play(unsigned count, struct view in, size_t step)
{
    struct wanted want = {0};
    struct bytes rest = {0};
    bool busy[DELIVERIES] = {false};

    log_flush();
    bytes_clear(&notes);
    bytes_clear(&results);
    settled = marked = 0;
    bytes_clear(&log_text_written);
    for (unsigned i = 0; i < count; i++)
        busy[i] = true;
    deliver(count, step);
    report(in, step);
    report(VIEW("\377\377\0"), step); /* whatever is on its way ends, far outside */
    bytes_set(&rest, in);
    bytes_add(&rest, VIEW("\377\377\0"));
    expect(bytes_view(&rest), &want, busy);
    must(view_equal(bytes_view(&notes), bytes_view(&want.notes)));
    must(view_equal(bytes_view(&results), bytes_view(&want.results)));
    must(settled == count_results("") && !leaving);
    log_flush();
    check_log();

    if (end_rest(count, busy) < count)
        tidy();
    bytes_free(&want.notes);
    bytes_free(&want.results);
    bytes_free(&rest);
}

static void start(void)
{
    static bool started;
    static const char greeting[] = {LIMIT + 3, 0};
    if (started)
        return;
    started = true;
    log_open(0);
    played[0].out = &log_text_written;
    played[1].out = &commands;
    played[2].in = played[4].in = view_at(greeting, DELIVERY_SLOT_BYTES);
    played[2].at_end = played[4].at_end = EAGAIN;
    must(spawn_start() && spawn_limit(CHANNEL_LOCAL) == LIMIT);
    for (int fd = 1; fd <= 4; fd++)
        fd_blocking(fd); /* those of the process itself */
}

/* So that a short input may hold reports around their limit: a byte of this value
 * stands for many. */
static struct view stretch(struct view in)
{
    enum { STRETCHED = 0xee, MOST = 4, TIMES = DELIVERY_MAX_REPORT / 2 };
    static char many[TIMES];
    static struct bytes out;

    bytes_clear(&out);
    memset(many, STRETCHED, sizeof many);
    for (int i = 0; i < MOST && view_has(in, many[0]); i++) {
        bytes_add(&out, view_cut(&in, many[0]));
        bytes_add(&out, view_at(many, sizeof many));
    }
    bytes_add(&out, in);
    return bytes_view(&out);
}

/* The first byte says how many deliveries there are, the second how long the pieces
 * are. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view in = input_of(data, len);
    unsigned count = 1 + take_number(&in) % LIMIT;
    unsigned step = take_number(&in);

    in = stretch(in);
    played_first = 0;
    start();
    play(count, in, 0);
    play(count, in, 1 + step % 32 + in.len / 64);
    played_first = PLAYED;
    return 0;
}
