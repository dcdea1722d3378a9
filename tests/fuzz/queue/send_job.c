/* Any bytes as info/N and local/N: an attempt gives each recipient that is left to the
 * spawner once, in order, with the sender that is its own; what is done is marked by
 * one byte, and nothing else in the file changes. With a record of another kind in it
 * it is never taken for finished. */
#include "queue/send.h"

#include "fuzz.h"
#include "must.h"
#include "played.h"
#include "scratch.h"

enum { LOG = PLAYED };

struct send_controls controls = {.lifetime_s = 604800};

static struct bytes log_written, delivered, marks;
static struct view results; /* what becomes of the deliveries */
static enum { NOTHING, WAITS, RETRIES, FINISHED } fate;
static bool is_due;

/* What qmail-send's other parts would do */

uint64_t spawn_limit(enum channel c)
{
    (void)c;
    return 10;
}

/* Each ends at once: done, or to be tried again. */
void spawn_deliver(enum channel c, struct job *j, struct view sender,
                   struct view recipient, off_t at)
{
    bool done = take_number(&results) % 2;
    must(c == CHANNEL_LOCAL && job_message(j) == SCRATCH_MESSAGE);
    bytes_add(&delivered, sender);
    bytes_add_byte(&delivered, '\0');
    bytes_add(&delivered, recipient);
    bytes_add_byte(&delivered, '\0');
    must(marks.len > (size_t)at && marks.data[at] == 'T');
    job_result(j, done ? JOB_DONE : JOB_LATER);
    if (done) {
        marks.data[at] = 'D';
        job_done(j, at);
    }
    job_marks_end();
    job_settle(j);
}

bool waiting_take(enum channel c, ino_t *message)
{
    bool due = is_due && c == CHANNEL_LOCAL;
    *message = SCRATCH_MESSAGE;
    is_due = false;
    return due;
}

bool waiting_has_due(enum channel c)
{
    return is_due && c == CHANNEL_LOCAL;
}

void waiting_add(enum channel c, ino_t message, int64_t due)
{
    must(fate == NOTHING && c == CHANNEL_LOCAL && message == SCRATCH_MESSAGE && due);
    fate = WAITS;
}

void waiting_retry(enum channel c, ino_t message)
{
    must(fate == NOTHING && c == CHANNEL_LOCAL && message == SCRATCH_MESSAGE);
    fate = RETRIES;
}

void waiting_retry_finish(ino_t message, int64_t seconds)
{
    (void)message;
    (void)seconds;
    abort();
}

void waiting_hold(enum channel c, ino_t message)
{
    (void)c;
    (void)message;
    abort();
}

void finish_add(ino_t message)
{
    must(fate == NOTHING && message == SCRATCH_MESSAGE);
    fate = FINISHED;
}

/* The oracle */

/* PRE@HOST-@[] and BOX@DOMAIN are PREBOX=DOMAIN@HOST. */
static void add_sender(struct bytes *out, struct view sender, struct view recipient)
{
    struct view pre = sender, host = VIEW(""), box = recipient, domain = VIEW("");
    bool verp = view_ends(sender, VIEW("-@[]"));
    if (verp) {
        pre = view_before(sender, sender.len - 4);
        verp = view_has(pre, '@') && view_has(recipient, '@');
    }
    if (!verp) {
        bytes_add(out, sender);
        return;
    }
    size_t at = view_find_last(pre, '@'), box_end = view_find_last(box, '@');
    host = view_from(pre, at);
    domain = view_from(box, box_end + 1);
    bytes_add(out, view_before(pre, at));
    bytes_add(out, view_before(box, box_end));
    bytes_add_byte(out, '=');
    bytes_add(out, domain);
    bytes_add(out, host);
}

/* What is to be delivered. A last record without its NUL is not looked at; anything
 * else that is no record makes it a file that is not whole. */
static bool expect(struct view sender, struct view in, struct bytes *want)
{
    while (view_has(in, '\0')) {
        struct view record = view_cut(&in, '\0');
        if (!record.len || !view_has(VIEW("TD"), record.data[0]))
            return false;
        if (record.data[0] == 'D')
            continue;
        add_sender(want, sender, view_from(record, 1));
        bytes_add_byte(want, '\0');
        bytes_add(want, view_from(record, 1));
        bytes_add_byte(want, '\0');
    }
    return true;
}

/* Whether anybody is left in a file that is whole. */
static bool is_left(struct view in)
{
    while (view_has(in, '\0'))
        if (view_cut(&in, '\0').data[0] == 'T')
            return true;
    return false;
}

static void start(struct view info, struct view local)
{
    scratch_enter();
    played[0].out = &log_written;
    log_open(LOG);
    job_start();
    scratch_put(queue_split_path("info", SCRATCH_MESSAGE), info);
    scratch_put(queue_split_path("local", SCRATCH_MESSAGE), local);
    bytes_clear(&log_written);
    bytes_clear(&delivered);
    bytes_set(&marks, local);
    fate = NOTHING;
    is_due = true;
}

static void check(struct view info, struct view local)
{
    static struct bytes want, file;
    bool sender = view_has(info, '\0') && info.data[0] == 'F', whole;

    bytes_clear(&want);
    if (!sender) {
        must(fate == RETRIES && delivered.len == 0);
        return;
    }
    whole = expect(view_from(view_cut(&info, '\0'), 1), local, &want);
    must(view_equal(bytes_view(&delivered), bytes_view(&want)));
    bool there = scratch_get(queue_split_path("local", SCRATCH_MESSAGE), &file);
    must(there == (fate != FINISHED));
    must(!there || view_equal(bytes_view(&file), bytes_view(&marks)));
    must(fate == (whole && !is_left(bytes_view(&marks)) ? FINISHED : WAITS));
}

/* The first byte says how long info/N is, the next six what becomes of deliveries. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view in = input_of(data, len);
    size_t info_len = take_number(&in);
    results = take_piece(&in, 6);
    struct view info = take_piece(&in, info_len);

    start(info, in);
    while (job_start_delivery(CHANNEL_LOCAL))
        ;
    check(info, in);
    log_flush();
    struct view rest = bytes_view(&log_written);
    while (rest.len)
        must(is_printable_text(view_cut(&rest, '\n')));
    scratch_leave();
    return 0;
}
