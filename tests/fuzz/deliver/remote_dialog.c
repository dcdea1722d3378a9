/* Any bytes as what a server says, in a whole session, whole and in pieces: the same
 * reports come out. They are one for each recipient and one for the message, with
 * their letters; success comes only after a message that was sent whole and taken,
 * and qmail-rspawn makes one report of them that agrees. What we send are commands. */
#include "deliver/remote.h"

#include "base/fd.h"
#include "deliver/rspawn.h"

#include "fuzz.h"
#include "must.h"
#include "played.h"

#include <sys/stat.h>

enum { POLICY_TLS = 1, TWO_MORE = 2, ODD_ADDRESSES = 4, MESSAGES_AT = 3, MESSAGES = 5 };

static const struct {
    struct view text;
    bool ended; /* whole lines */
} messages[MESSAGES] = {
    {VIEW_INIT("Subject: s\n\nb\n"), true},
    {VIEW_INIT("Subject: s\n\n.\n..\r\nx\ry\n"), true},
    {VIEW_INIT("Subject: \344\n\n\377\n"), true},
    {VIEW_INIT("Subject: s\n\nno end"), false},
    {VIEW_INIT(""), true},
};

/* What came of a session. */
struct result {
    enum remote_outcome outcome;
    struct bytes recipients, verdict, sent;
    size_t taken; /* bytes of the server's */
};

static struct ip_text address = {"192.0.2.1"};
static char *plain[] = {(char[]){"a@b.test"}, (char[]){"c d@e.test"},
                        (char[]){"f@g.test"}};
static char *odd[] = {(char[]){"a\nb@b.test"}, (char[]){"no-host"},
                      (char[]){"f@g.test"}};

/* A descriptor of this message, at its beginning. */
static int message_of(unsigned which)
{
    static int files[MESSAGES];
    if (!files[which]) {
        struct view text = messages[which].text;
        files[which] = nameless_file();
        must(pwrite(files[which], text.data, text.len, 0) == (ssize_t)text.len);
    }
    must(lseek(files[which], 0, SEEK_SET) == 0);
    return files[which];
}

static void talk(unsigned choice, struct view in, size_t step, struct result *r)
{
    bytes_clear(&r->recipients);
    bytes_clear(&r->verdict);
    bytes_clear(&r->sent);
    played[0] = (struct played){.in = in, .step = step, .out = &r->sent};
    char **all = choice & ODD_ADDRESSES ? odd : plain;
    struct remote_peer peer = {.fd = PLAYED, .ip = view_of(address.text)};
    struct remote_job job = {
        .helo = VIEW("me.test"),
        .sender = VIEW("s@me.test"),
        .recipients = all,
        .recipient_count = choice & TWO_MORE ? 3 : 1,
        .message = message_of((choice >> MESSAGES_AT) % MESSAGES),
        .domain = VIEW("b.test"),
        .tls_policy = choice & POLICY_TLS ? RELAY_TLS_ENCRYPT : RELAY_TLS_MAY,
    };
    r->outcome = remote_dialog(&job, &peer, &r->recipients, &r->verdict);
    r->taken = in.len - played[0].in.len;
}

/* The strings of the reports begin with these letters; their number. */
static size_t count_strings(struct view v, const char *letters)
{
    size_t count = 0;
    for (; v.len; count++) {
        must(view_has(v, '\0') && view_has(view_of(letters), v.data[0]));
        view_cut(&v, '\0');
    }
    return count;
}

/* Whether line, whose CR LF is gone, is a command that we may send. */
static bool is_command(struct view line)
{
    static const char *const verbs[] = {
        "EHLO me.test", "HELO me.test", "MAIL FROM:<s@me.test>",
        "RCPT TO:<",    "DATA",         "QUIT"};
    for (size_t i = 0; i < COUNT(verbs); i++)
        if (view_starts(line, view_of(verbs[i])))
            return !view_has(line, '\r') && !view_has(line, '\n');
    return false;
}

static struct view take_line(struct view *wire)
{
    size_t len = 0;
    while (len < wire->len && !view_starts(view_from(*wire, len), VIEW("\r\n")))
        len++;
    struct view line = view_before(*wire, len);
    must(len < wire->len);
    *wire = view_from(*wire, len + 2);
    return line;
}

static bool has_word(struct view v, const char *word)
{
    for (; v.len; v = view_from(v, 1))
        if (view_starts_case(v, view_of(word)))
            return true;
    return false;
}

/* What a command says is what the server lets us say; said is all it has said. */
static void check_command(struct view line, struct view said)
{
    must(is_command(line));
    must(!has_word(line, "> SIZE=") || has_word(said, "SIZE"));
    must(!has_word(line, " BODY=") || has_word(said, "8BITMIME"));
}

static size_t count_bytes(struct view v, char byte)
{
    size_t count = 0;
    for (size_t i = 0; i < v.len; i++)
        count += v.data[i] == byte;
    return count;
}

/* What was sent, as a server reads it. */
struct sent {
    size_t commands, recipients, data;
    bool whole; /* a message was sent up to its end */
};

/* A message is expected where its announcement may have been taken. */
static struct sent read_sent(struct view wire, struct view said, bool may_follow)
{
    struct sent sent = {0, 0, 0, false};
    while (wire.len) {
        struct view line = take_line(&wire);
        check_command(line, said);
        sent.commands++;
        sent.recipients += view_starts(line, VIEW("RCPT"));
        if (!view_is(line, "DATA"))
            continue;
        sent.data++;
        if (!may_follow || view_is(wire, "QUIT\r\n"))
            continue;
        while (!sent.whole && wire.len) {
            if (view_is(wire, "no end"))
                return sent;
            sent.whole = view_is(take_line(&wire), ".");
        }
    }
    return sent;
}

static void check_report(const struct result *r, size_t recipients)
{
    struct rspawn_output output = {0};
    struct bytes report = {0};
    char message = r->verdict.data[0];
    char first = r->recipients.len ? r->recipients.data[0] : message;

    rspawn_take(&output, bytes_view(&r->recipients));
    rspawn_take(&output, bytes_view(&r->verdict));
    rspawn_report(&report, 0, &output, 0);
    must(report.data[0] == (first == 'h' ? 'D' : first == 's' ? 'Z' : message));
    must(message != 'K' ||
         count_strings(bytes_view(&r->recipients), "rhs") == recipients);
    bytes_free(&report);
    rspawn_free(&output);
}

/* CRs mean nothing anywhere in a reply. */
static struct view without_cr(struct view v)
{
    static struct bytes left;
    bytes_clear(&left);
    while (v.len)
        bytes_add(&left, view_cut(&v, '\r'));
    return bytes_view(&left);
}

/* How many of the reports begin with letter. */
static size_t count_letter(struct view reports, char letter)
{
    size_t count = 0;
    while (reports.len)
        count += view_cut(&reports, '\0').data[0] == letter;
    return count;
}

static void check(unsigned choice, struct view in, const struct result *r)
{
    size_t count = choice & TWO_MORE ? 3 : 1;
    char letter = r->verdict.len ? r->verdict.data[0] : '\0';
    bool ended = messages[(choice >> MESSAGES_AT) % MESSAGES].ended;
    struct view said = without_cr(view_before(in, r->taken));

    must(count_strings(bytes_view(&r->verdict), "KZD") == 1);
    must(count_strings(bytes_view(&r->recipients), "rhs") <= count);
    bool accepted = count_letter(bytes_view(&r->recipients), 'r') > 0;
    struct sent sent = read_sent(bytes_view(&r->sent), said, accepted);
    must(sent.recipients <= count && sent.data <= (accepted ? 1 : 0));
    if (!has_word(said, "PIPELINING"))
        must(sent.commands <= count_bytes(said, '\n'));
    if (letter == 'K')
        must(sent.whole && ended && accepted && r->outcome == REMOTE_DONE &&
             !(choice & POLICY_TLS));
    if (r->outcome == REMOTE_DONE)
        check_report(r, count);
    else
        must(r->outcome == REMOTE_TRY_NEXT && letter == 'Z' && !sent.whole);
}

/* The first byte chooses the job, the second says how long the pieces are. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct result whole, pieces;
    struct view in = input_of(data, len);
    unsigned choice = take_number(&in);
    size_t step = take_step(&in);

    talk(choice, in, 0, &whole);
    check(choice, in, &whole);
    talk(choice, in, step, &pieces);
    must(whole.outcome == pieces.outcome &&
         view_equal(bytes_view(&whole.recipients), bytes_view(&pieces.recipients)) &&
         view_equal(bytes_view(&whole.verdict), bytes_view(&pieces.verdict)) &&
         view_equal(bytes_view(&whole.sent), bytes_view(&pieces.sent)));
    return 0;
}
