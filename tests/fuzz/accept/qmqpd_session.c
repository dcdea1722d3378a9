/* A whole QMQP session from any bytes, next to a model of one.
 *
 * The first byte says how the queue program fares, whether there is a limit, and in
 * what pieces the input comes; the rest is what the client says. A whole request gets
 * one reply; what was answered with K is queued as it came, and nothing else is. */
#include "accept/qmqpd.h"

#include "fake.h"
#include "fuzz.h"
#include "nested.h"

#include <string.h>

enum { WORLD_VERDICT = 3, WORLD_NO_QUEUE = 3, WORLD_LIMIT = 4, WORLD_PIECE = 4 };
enum { LIMIT = 3 };

static int serve(unsigned world, struct view said, unsigned most, struct bytes *output)
{
    static struct qmqpd s;
    unsigned verdict = world & WORLD_VERDICT;

    fake_begin();
    fake_queue_begin(verdict == WORLD_NO_QUEUE ? ENQUEUE_QUEUED
                                               : (enum enqueue_verdict)verdict);
    fake_queue.cannot_start = verdict == WORLD_NO_QUEUE;
    s.max_bytes = world & WORLD_LIMIT ? LIMIT : 0;
    s.too_large = s.bad_address = false;
    connection_open(&s.connection, fake_input(said, most), fake_output(output), 0);
    int code = qmqpd_serve(&s);
    fake_end();
    return code;
}

struct model {
    unsigned world;
    struct nested n;
    struct bytes text, envelope;
    bool spoiled;
};

static bool take_address(struct model *m, char letter, struct bytes *address)
{
    if (!nested_string(&m->n, address))
        return false;
    struct view v = bytes_view(address);
    if (v.len >= QMTP_ADDRESS_LIMIT || view_has(v, '\0'))
        m->spoiled = true;
    bytes_add_byte(&m->envelope, letter);
    bytes_add(&m->envelope, v);
    bytes_add_byte(&m->envelope, '\0');
    return true;
}

/* The number of the whole, zeros included, has at most so many bytes. */
static bool enter(struct model *m)
{
    uint64_t len;

    m->n.inside = true;
    m->n.left = QMQPD_MAX_NUMBER;
    bool read = nested_digits(&m->n, &len);
    m->n.left = len;
    return read;
}

static bool take_request(struct model *m, struct bytes *address)
{
    if (!enter(m))
        return false;
    uint64_t len;
    if (!nested_number(&m->n, &len))
        return false;
    if ((m->world & WORLD_VERDICT) == WORLD_NO_QUEUE)
        return nested_stop(&m->n, NESTED_TOO_MUCH);
    if (!nested_rest(&m->n, len, &m->text) || !take_address(m, 'F', address))
        return false;
    m->spoiled = m->spoiled || (m->world & WORLD_LIMIT && len > LIMIT);
    while (m->n.left)
        if (!take_address(m, 'T', address))
            return false;
    return nested_leave(&m->n);
}

static void compare_queued(const struct model *m)
{
    struct view log = bytes_view(&fake_queue.queued), message, envelope;

    MUST(fake_queue_next(&log, &message, &envelope));
    MUST(view_starts(message, VIEW("Received: from ")));
    view_cut(&message, '\n');
    MUST(view_starts(message, VIEW("  by ")));
    view_cut(&message, '\n');
    MUST(view_equal(message, bytes_view(&m->text)));
    MUST(view_equal(envelope, bytes_view(&m->envelope)));
    MUST(log.len == 0);
}

static int follow(unsigned world, struct view said, struct view out)
{
    static const char letters[] = {
        [ENQUEUE_QUEUED] = 'K', [ENQUEUE_TEMP] = 'Z', [ENQUEUE_PERM] = 'D'};
    struct model m = {.world = world, .n = {.in = said}};
    struct bytes address = {0};

    if (take_request(&m, &address)) {
        char letter = m.spoiled ? 'D' : letters[world & WORLD_VERDICT];
        MUST(nested_reply(&out) == letter);
        if (letter == 'K')
            compare_queued(&m);
        else
            MUST(fake_queue.queued.len == 0);
    } else {
        MUST(fake_queue.queued.len == 0);
    }
    MUST(out.len == 0);
    bytes_free(&address);
    bytes_free(&m.text);
    bytes_free(&m.envelope);
    return m.n.exit_code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct bytes output, again, queued;

    if (len < 1)
        return 0;
    unsigned world = data[0];
    struct view said = view_at((const char *)data + 1, len - 1);
    bytes_clear(&output);
    bytes_clear(&again);

    int code = serve(world, said, 0, &output);
    MUST(code == follow(world, said, bytes_view(&output)));
    bytes_set(&queued, bytes_view(&fake_queue.queued));
    MUST(serve(world, said, 1 + (world >> WORLD_PIECE), &again) == code);
    MUST(view_equal(bytes_view(&again), bytes_view(&output)));
    MUST(view_equal(bytes_view(&fake_queue.queued), bytes_view(&queued)));
    return 0;
}
