/* A whole QMTP session from any bytes, next to a model of one.
 *
 * The first byte chooses the policy, the second how the queue program fares and in what
 * pieces the input comes; the rest is what the client says. Every recipient of a whole
 * message gets one reply, with the letter that the model says; what is queued is the
 * message, decoded, with the recipients that were answered with K. The pieces make no
 * difference. */
#include "accept/qmtpd.h"

#include "fake.h"
#include "fuzz.h"
#include "nested.h"

#include <string.h>

enum { POLICY_LIMIT = 1, POLICY_LIST = 2, POLICY_RELAY = 4, POLICY_RCPTCHECK = 8 };
enum { WORLD_VERDICT = 3, WORLD_NO_QUEUE = 3, WORLD_PIECE = 4 };
enum { LIMIT = 3, MAX_HOPS = 100 };
#define SUFFIX "@fix"

static struct qmtpd s;

static int serve(unsigned policy, unsigned world, struct view said, unsigned most,
                 struct bytes *output)
{
    struct control_list *list = &s.policy.rcpthosts.list;
    unsigned verdict = world & WORLD_VERDICT;

    fake_begin();
    fake_queue_begin(verdict == WORLD_NO_QUEUE ? ENQUEUE_QUEUED
                                               : (enum enqueue_verdict)verdict);
    fake_queue.cannot_start = verdict == WORLD_NO_QUEUE;
    fake_rcptcheck_asked = 0;
    s.policy.rcpthosts.more_fd = -1;
    s.policy.rcpthosts.all = !(policy & POLICY_LIST);
    table_add(&list->table, VIEW(".test"), VIEW(".test"));
    s.policy.max_bytes = policy & POLICY_LIMIT ? LIMIT : 0;
    s.policy.suffix = policy & POLICY_RELAY ? SUFFIX : NULL;
    s.policy.rcptcheck = policy & POLICY_RCPTCHECK ? "rcptcheck" : NULL;
    connection_open(&s.connection, fake_input(said, most), fake_output(output), 0);
    int code = qmtpd_serve(&s);
    MUST(s.input.over);
    MUST(fake_rcptcheck_asked == 0 || policy & POLICY_RCPTCHECK);
    control_list_free(list);
    bytes_free(&s.message.sender);
    bytes_free(&s.message.fates);
    bytes_free(&s.recipient);
    memset(&s.policy, 0, sizeof s.policy);
    memset(&s.message, 0, sizeof s.message);
    fake_end();
    return code;
}

/* The model */

struct model {
    unsigned policy, world;
    struct nested n;
    struct view out, queued;
    struct bytes text, sender, envelope, letters; /* of the recipients; A: accepted */
    bool spoiled; /* the message, for all its recipients */
};

static bool is_hop(struct view line)
{
    struct view name = view_before(line, view_find(line, ':'));
    if (name.len == line.len)
        return false;
    name = view_trim_end(name, " \t");
    return view_is_case(name, "Received") || view_is_case(name, "Delivered-To");
}

static bool goes_in_circles(struct view text)
{
    unsigned hops = 0;
    while (text.len) {
        struct view line = view_cut(&text, '\n');
        if (line.len == 0 || view_is(line, "\r"))
            break;
        hops += is_hop(line);
    }
    return hops >= MAX_HOPS;
}

/* CR LF becomes LF. */
static void decode(struct bytes *text, struct view coded)
{
    bytes_clear(text);
    for (size_t i = 0; i < coded.len; i++)
        if (coded.data[i] != '\r' || i + 1 == coded.len || coded.data[i + 1] != '\n')
            bytes_add_byte(text, coded.data[i]);
}

static bool take_message(struct model *m)
{
    struct bytes coded = {0};
    uint64_t len;
    char line_end;

    if (!nested_number(&m->n, &len))
        return false;
    if (len == 0)
        return nested_stop(&m->n, NESTED_BROKEN);
    if (!nested_byte(&m->n, &line_end))
        return false;
    if (line_end != '\n' && line_end != '\r')
        return nested_stop(&m->n, NESTED_BROKEN);
    if ((m->world & WORLD_VERDICT) == WORLD_NO_QUEUE)
        return nested_stop(&m->n, NESTED_TOO_MUCH);
    bool taken = nested_rest(&m->n, len - 1, &coded);
    if (line_end == '\r')
        decode(&m->text, bytes_view(&coded));
    else
        bytes_set(&m->text, bytes_view(&coded));
    m->spoiled = goes_in_circles(bytes_view(&m->text)) ||
                 (m->policy & POLICY_LIMIT && m->text.len > LIMIT);
    bytes_free(&coded);
    return taken;
}

static bool is_ours(struct view recipient)
{
    const struct view suffix = VIEW(".test");
    size_t from = recipient.len > suffix.len ? recipient.len - suffix.len : 0;
    return !view_has(recipient, '@') ||
           view_equal_case(view_from(recipient, from), suffix);
}

static char judge(const struct model *m, struct view recipient)
{
    bool relay = m->policy & POLICY_RELAY;

    if (recipient.len + (relay ? sizeof SUFFIX - 1 : 0) >= QMTP_ADDRESS_LIMIT)
        return 'D';
    if (view_has(recipient, '\0'))
        return 'D';
    if (m->policy & POLICY_LIST && !relay && !is_ours(recipient))
        return 'D';
    if (!(m->policy & POLICY_RCPTCHECK) || relay || m->spoiled || recipient.len == 0)
        return 'A';
    switch (recipient.data[0]) {
    case FAKE_NO_MAILBOX:
        return 'D';
    case FAKE_OVER_LIMIT:
    case FAKE_TROUBLE:
        return 'Z';
    default:
        return 'A';
    }
}

static bool take_recipients(struct model *m)
{
    struct bytes recipient = {0};
    bool taken = nested_enter(&m->n);

    while (taken && m->n.left) {
        taken = nested_string(&m->n, &recipient);
        if (!taken)
            break;
        char letter = judge(m, bytes_view(&recipient));
        bytes_add_byte(&m->letters, letter);
        if (letter != 'A')
            continue;
        bytes_add_byte(&m->envelope, 'T');
        bytes_add(&m->envelope, bytes_view(&recipient));
        if (m->policy & POLICY_RELAY)
            bytes_add_text(&m->envelope, SUFFIX);
        bytes_add_byte(&m->envelope, '\0');
    }
    bytes_free(&recipient);
    return taken && nested_leave(&m->n);
}

static void compare_queued(struct model *m)
{
    struct view message, envelope;

    MUST(fake_queue_next(&m->queued, &message, &envelope));
    MUST(view_starts(message, VIEW("Received: from ")));
    view_cut(&message, '\n');
    MUST(view_starts(message, VIEW("  by ")));
    view_cut(&message, '\n');
    MUST(view_equal(message, bytes_view(&m->text)));
    MUST(view_equal(envelope, bytes_view(&m->envelope)));
}

static void compare_replies(struct model *m)
{
    static const char letters[] = {
        [ENQUEUE_QUEUED] = 'K', [ENQUEUE_TEMP] = 'Z', [ENQUEUE_PERM] = 'D'};
    char own = m->spoiled ? 'D' : letters[m->world & WORLD_VERDICT];

    for (size_t i = 0; i < m->letters.len; i++) {
        char letter = m->letters.data[i];
        MUST(nested_reply(&m->out) == (letter == 'A' ? own : letter));
    }
    if (own == 'K' && view_has(bytes_view(&m->letters), 'A'))
        compare_queued(m);
}

static bool follow_message(struct model *m)
{
    bytes_clear(&m->letters);
    bytes_clear(&m->envelope);
    if (!take_message(m) || !nested_string(&m->n, &m->sender))
        return false;
    struct view sender = bytes_view(&m->sender);
    if (sender.len >= QMTP_ADDRESS_LIMIT || view_has(sender, '\0'))
        m->spoiled = true;
    bytes_add_byte(&m->envelope, 'F');
    bytes_add(&m->envelope, sender);
    bytes_add_byte(&m->envelope, '\0');
    if (!take_recipients(m))
        return false;
    compare_replies(m);
    return true;
}

static int follow(unsigned policy, unsigned world, struct view said, struct view output)
{
    struct model m = {.policy = policy,
                      .world = world,
                      .n = {.in = said},
                      .out = output,
                      .queued = bytes_view(&fake_queue.queued)};

    while (follow_message(&m))
        ;
    MUST(m.out.len == 0 && m.queued.len == 0);
    bytes_free(&m.text);
    bytes_free(&m.sender);
    bytes_free(&m.envelope);
    bytes_free(&m.letters);
    return m.n.exit_code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct bytes output, again, queued;

    if (len < 2)
        return 0;
    unsigned policy = data[0], world = data[1];
    struct view said = view_at((const char *)data + 2, len - 2);
    bytes_clear(&output);
    bytes_clear(&again);

    int code = serve(policy, world, said, 0, &output);
    MUST(code == follow(policy, world, said, bytes_view(&output)));
    bytes_set(&queued, bytes_view(&fake_queue.queued));
    MUST(serve(policy, world, said, 1 + (world >> WORLD_PIECE), &again) == code);
    MUST(view_equal(bytes_view(&again), bytes_view(&output)));
    MUST(view_equal(bytes_view(&fake_queue.queued), bytes_view(&queued)));
    return 0;
}
