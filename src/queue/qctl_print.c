#include "queue/qctl.h"

#include "base/fd.h"
#include "base/json.h"
#include "base/reader.h"
#include "mail/date.h"
#include "mail/summary.h"

#include <inttypes.h>
#include <sys/stat.h>

static struct reader reader;

/* Texts */

static void add_date(struct bytes *out, int64_t seconds)
{
    date_add_plain(out, seconds);
    bytes_add_text(out, " GMT");
}

/* "5d3h", "2h13m", "40s": the two largest units. */
static void add_age(struct bytes *out, uint64_t s)
{
    static const struct {
        uint64_t seconds;
        char letter;
    } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    size_t i = 0;

    while (i + 1 < COUNT(units) && s < units[i].seconds)
        i++;
    bytes_add_format(out, "%" PRIu64 "%c", s / units[i].seconds, units[i].letter);
    s %= units[i].seconds;
    if (i + 1 < COUNT(units) && s / units[i + 1].seconds)
        bytes_add_format(out, "%" PRIu64 "%c", s / units[i + 1].seconds,
                         units[i + 1].letter);
}

static void add_address(struct bytes *out, struct view address)
{
    summary_add_printable(out, address, '_');
}

/* The time of the next attempt in any channel. */
static bool next_attempt(const struct qctl_message *m, int64_t *next)
{
    bool waits = false;
    if (m->state != QCTL_WAITING && m->state != QCTL_ACTIVE)
        return false;
    for (int i = 0; i < CHANNELS; i++) {
        const struct order_channel *c = &m->state_answer.channels[i];
        if (c->place != ORDER_WAITS || (waits && c->due >= *next))
            continue;
        *next = c->due;
        waits = true;
    }
    return waits;
}

static void add_due(struct bytes *out, int64_t due, int64_t now)
{
    if (due <= now)
        bytes_add_text(out, "now");
    else
        add_date(out, due);
}

/* One line */

static void add_json(struct bytes *out, const struct qctl_message *m)
{
    int64_t next, birth = m->birth.tv_sec;

    bytes_add_byte(out, '{');
    json_add_number(out, "message", m->number);
    json_add_number(out, "born", birth > 0 ? (uint64_t)birth : 0);
    json_add_number(out, "size", m->size);
    json_add_text(out, "state", view_of(qctl_state_name(m->state)));
    if (next_attempt(m, &next))
        json_add_number(out, "next", next > 0 ? (uint64_t)next : 0);
    json_add_text(out, "sender", bytes_view(&m->sender));
    if (!m->is_new) {
        json_add_number(out, "local", m->left[CHANNEL_LOCAL]);
        json_add_number(out, "remote", m->left[CHANNEL_REMOTE]);
    }
    json_add_number(out, "left", m->left[CHANNEL_LOCAL] + m->left[CHANNEL_REMOTE]);
    bytes_add_text(out, "}\n");
}

static void add_line(struct bytes *out, const struct qctl_message *m, int64_t now)
{
    int64_t next;

    bytes_add_format(out, "%ju  ", (uintmax_t)m->number);
    add_age(out, qctl_message_age(m, now));
    bytes_add_format(out, "  %" PRIu64 "  %s  ", m->size, qctl_state_name(m->state));
    if (next_attempt(m, &next))
        add_due(out, next, now);
    else
        bytes_add_byte(out, '-');
    bytes_add_text(out, "  <");
    add_address(out, bytes_view(&m->sender));
    bytes_add_format(out, ">  %" PRIu64 " left\n",
                     m->left[CHANNEL_LOCAL] + m->left[CHANNEL_REMOTE]);
}

void qctl_print_line(struct writer *out, const struct qctl_message *m, int64_t now,
                     bool json)
{
    static struct bytes line;
    bytes_clear(&line);
    if (json)
        add_json(&line, m);
    else
        add_line(&line, m, now);
    writer_add(out, bytes_view(&line));
}

/* Everything */

/* The length of the UTF-8 character that v begins with, control characters aside; 0: it
 * begins with none, or with less than one (RFC 3629, 4). */
static size_t utf8_len(struct view v)
{
    static const struct {
        unsigned char low, high, second_low, second_high;
        size_t len;
    } kinds[] = {{0xc2, 0xc2, 0xa0, 0xbf, 2}, {0xc3, 0xdf, 0x80, 0xbf, 2},
                 {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
                 {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
                 {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
                 {0xf4, 0xf4, 0x80, 0x8f, 4}};
    const unsigned char *c = (const unsigned char *)v.data;

    for (size_t k = 0; k < COUNT(kinds); k++) {
        if (c[0] < kinds[k].low || c[0] > kinds[k].high || v.len < kinds[k].len)
            continue;
        if (c[1] < kinds[k].second_low || c[1] > kinds[k].second_high)
            return 0;
        for (size_t i = 2; i < kinds[k].len; i++)
            if (c[i] < 0x80 || c[i] > 0xbf)
                return 0;
        return kinds[k].len;
    }
    return 0;
}

void qctl_add_safe(struct bytes *out, struct view v)
{
    while (v.len) {
        unsigned char c = (unsigned char)v.data[0];
        size_t len = (c >= 32 && c < 127) || c == '\t' || c == '\n' ? 1 : 0;
        if (c >= 0x80)
            len = utf8_len(v);
        if (len)
            bytes_add(out, view_before(v, len));
        else
            bytes_add_byte(out, '?');
        v = view_from(v, len ? len : 1);
    }
}

static void add_text(struct writer *out, struct view v, bool safe)
{
    static struct bytes text;
    if (!safe) {
        writer_add(out, v);
        return;
    }
    bytes_clear(&text);
    qctl_add_safe(&text, v);
    writer_add(out, bytes_view(&text));
}

/* A file, line by line, to its end or to the first empty line, which is printed. A line
 * beyond READER_ROOM comes in pieces. */
static bool print_file(struct writer *out, struct queue_path path, bool header_only,
                       bool safe)
{
    static struct bytes line;
    enum read_result result;
    bool begins = true;
    int fd = fd_open_read(path.text);

    if (fd == -1)
        return false;
    reader_open(&reader, fd, 0);
    do {
        result = reader_until(&reader, '\n', READER_ROOM, &line);
        bool empty = begins && (line.len == 0 || view_is(bytes_view(&line), "\r"));
        begins = result == READ_ITEM;
        if (begins)
            bytes_add_byte(&line, '\n');
        add_text(out, bytes_view(&line), safe);
        if (header_only && begins && empty)
            break;
    } while (result == READ_ITEM || result == READ_TOO_LONG);
    fd_close(&fd);
    return result != READ_FAILED;
}

static void print_recipient(void *arg, char letter, struct view address)
{
    static struct bytes line;
    struct writer *out = arg;
    if (letter != 'T' && letter != 'D')
        return;
    bytes_clear(&line);
    bytes_add_text(&line, letter == 'T' ? "  left  " : "  done  ");
    add_address(&line, address);
    bytes_add_byte(&line, '\n');
    writer_add(out, bytes_view(&line));
}

static void print_channel(struct writer *out, const struct qctl_message *m, int64_t now,
                          enum channel c)
{
    const struct order_channel *there = &m->state_answer.channels[c];
    struct bytes line = {0};

    bytes_add_format(&line, "%s: ", channel_name(c));
    switch (there->place) {
    case ORDER_NOBODY:
        bytes_free(&line);
        return;
    case ORDER_WAITS:
        if (m->state == QCTL_HELD) {
            bytes_add_text(&line, "held\n");
            break;
        }
        bytes_add_text(&line, "due ");
        add_due(&line, there->due, now);
        bytes_add_byte(&line, '\n');
        break;
    case ORDER_ATTEMPT:
        bytes_add_format(&line, "attempt under way, %" PRIu64 " deliveries\n",
                         there->deliveries);
        break;
    case ORDER_UNKNOWN:
        bytes_add_text(&line, "not known yet\n");
        break;
    }
    writer_add(out, bytes_view(&line));
    bytes_free(&line);
    (void)order_each_recipient(c, m->number, print_recipient, out);
}

/* The recipients of a message that is in no channel yet. */
static void print_new(struct writer *out, ino_t number)
{
    int fd = fd_open_read(queue_flat_path("todo", number).text);
    if (fd == -1)
        return; /* preprocessed meanwhile */
    writer_add_text(out, "recipients:\n");
    (void)qctl_each_record(fd, print_recipient, out);
    fd_close(&fd);
}

bool qctl_print_all(struct writer *out, const struct qctl_message *m, int64_t now,
                    bool header_only, bool safe)
{
    struct queue_path notes = queue_flat_path("bounce", m->number);
    struct bytes head = {0};
    struct stat st;

    bytes_add_format(&head, "message: %ju\nsender: <", (uintmax_t)m->number);
    add_address(&head, bytes_view(&m->sender));
    bytes_add_format(&head, ">\nsize: %" PRIu64 "\nborn: ", m->size);
    add_date(&head, m->birth.tv_sec);
    bytes_add_text(&head, " (");
    add_age(&head, qctl_message_age(m, now));
    bytes_add_format(&head, ")\nstate: %s%s\n", qctl_state_name(m->state),
                     m->state_answer.bouncing ? ", its bounce is being sent" : "");
    writer_add(out, bytes_view(&head));
    bytes_free(&head);
    if (m->is_new)
        print_new(out, m->number);
    for (int c = 0; c < CHANNELS && !m->is_new; c++)
        print_channel(out, m, now, (enum channel)c);
    if (stat(notes.text, &st) == 0 && st.st_size > 0) {
        writer_add_text(out, "failures so far:\n");
        (void)print_file(out, notes, false, safe); /* it may just have been sent */
    }
    writer_add_text(out, "text:\n");
    return print_file(out, queue_split_path("mess", m->number), header_only, safe);
}
