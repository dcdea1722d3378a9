/* A whole POP3 session over a maildir of three messages, next to a small server of
 * another make: every reply is that server's, and QUIT alone removes what was deleted
 * and moves the rest to cur/.
 *
 * The first byte says in what pieces the input comes, the next two how long the first
 * two messages are, which follow; the rest is what the client says. */
#include "mailbox/pop3d.h"

#include "fake.h"
#include "fuzz.h"

#include <string.h>

enum { MESSAGES = 3, HEAD = 3 };

static char *const paths[MESSAGES] = {(char[]){"new/1.a"}, (char[]){"cur/2.b:2,S"},
                                      (char[]){"new/3.c:x"}};
static const char *const unique[MESSAGES] = {"1.a", "2.b", "3.c"};

struct input {
    struct view messages[MESSAGES], said;
};

static void serve(const struct input *input, unsigned most, struct bytes *output)
{
    static struct pop3d p;
    static struct maildir_entry entries[MESSAGES];
    static bool deleted[MESSAGES];

    fake_begin();
    for (size_t i = 0; i < MESSAGES; i++) {
        fake_file(paths[i], input->messages[i]);
        entries[i] = (struct maildir_entry){.path = paths[i],
                                            .size = (off_t)input->messages[i].len};
        deleted[i] = false;
    }
    p.list = (struct maildir_list){.entries = entries, .count = MESSAGES};
    p.deleted = deleted;
    p.last = 0;
    p.pop3.over = false;
    connection_open(&p.pop3.connection, fake_input(input->said, most),
                    fake_output(output), 0);
    pop3d_serve(&p);
}

/* The other server */

struct model {
    const struct input *input;
    struct bytes out;
    bool deleted[MESSAGES], over;
    unsigned long long last;
};

static void say(struct model *m, const char *text)
{
    bytes_add_text(&m->out, text);
    bytes_add_text(&m->out, "\r\n");
}

/* The digits that text begins with; -1: none. No number here is larger than 99. */
static int take_number(struct view *text)
{
    int n = -1;
    for (; text->len && byte_is_digit(text->data[0]); *text = view_from(*text, 1)) {
        n = (n < 0 ? 0 : n * 10) + text->data[0] - '0';
        n = n > 99 ? 99 : n;
    }
    return n;
}

static int take_message(struct model *m, struct view *argument)
{
    int n = take_number(argument);
    if (n < 0)
        say(m, "-ERR syntax error");
    else if (n == 0)
        say(m, "-ERR messages are counted from 1");
    else if (n > MESSAGES)
        say(m, "-ERR not that many messages");
    else if (m->deleted[n - 1])
        say(m, "-ERR already deleted");
    else
        return n - 1;
    return -1;
}

static void send_text(struct model *m, int message, int body_lines)
{
    struct view rest = m->input->messages[message];
    bool in_body = false;

    say(m, "+OK ");
    while (rest.len && !(in_body && body_lines == 0)) {
        struct view line = view_cut(&rest, '\n');
        if (view_starts(line, VIEW(".")))
            bytes_add_byte(&m->out, '.');
        bytes_add(&m->out, line);
        say(m, "");
        body_lines -= in_body && body_lines > 0;
        in_body = in_body || line.len == 0;
    }
    say(m, "");
    say(m, ".");
}

static void retr(struct model *m, struct view argument)
{
    int message = take_message(m, &argument);
    if (message >= 0)
        send_text(m, message, -1);
}

static void top(struct model *m, struct view argument)
{
    int message = take_message(m, &argument);
    if (message < 0)
        return;
    while (argument.len && argument.data[0] == ' ')
        argument = view_from(argument, 1);
    int lines = take_number(&argument);
    send_text(m, message, lines == 99 ? -1 : lines);
}

static void dele(struct model *m, struct view argument)
{
    int message = take_message(m, &argument);
    if (message < 0)
        return;
    m->deleted[message] = true;
    if (m->last <= (unsigned)message)
        m->last = (unsigned)message + 1;
    say(m, "+OK ");
}

static void add_line_of(struct model *m, int message, bool sizes)
{
    if (sizes)
        bytes_add_format(&m->out, "%d %zu\r\n", message + 1,
                         m->input->messages[message].len);
    else
        bytes_add_format(&m->out, "%d %s\r\n", message + 1, unique[message]);
}

static void list(struct model *m, struct view argument, bool sizes)
{
    if (argument.len) {
        int message = take_message(m, &argument);
        if (message < 0)
            return;
        bytes_add_text(&m->out, "+OK ");
        add_line_of(m, message, sizes);
        return;
    }
    say(m, "+OK ");
    for (int i = 0; i < MESSAGES; i++)
        if (!m->deleted[i])
            add_line_of(m, i, sizes);
    say(m, ".");
}

static void stat_command(struct model *m)
{
    size_t count = 0, size = 0;
    for (size_t i = 0; i < MESSAGES; i++)
        if (!m->deleted[i]) {
            count++;
            size += m->input->messages[i].len;
        }
    bytes_add_format(&m->out, "+OK %zu %zu\r\n", count, size);
}

static void rset(struct model *m)
{
    memset(m->deleted, 0, sizeof m->deleted);
    m->last = 0;
    say(m, "+OK ");
}

static void quit(struct model *m)
{
    say(m, "+OK ");
    m->over = true;
}

static void execute(struct model *m, struct view word, struct view argument)
{
    if (view_is_case(word, "STAT"))
        stat_command(m);
    else if (view_is_case(word, "LIST"))
        list(m, argument, true);
    else if (view_is_case(word, "UIDL"))
        list(m, argument, false);
    else if (view_is_case(word, "RETR"))
        retr(m, argument);
    else if (view_is_case(word, "TOP"))
        top(m, argument);
    else if (view_is_case(word, "DELE"))
        dele(m, argument);
    else if (view_is_case(word, "RSET"))
        rset(m);
    else if (view_is_case(word, "LAST"))
        bytes_add_format(&m->out, "+OK %llu\r\n", m->last);
    else if (view_is_case(word, "NOOP"))
        say(m, "+OK ");
    else if (view_is_case(word, "QUIT"))
        quit(m);
    else if (view_is_case(word, "CAPA"))
        say(m,
            "+OK \r\nUSER\r\nTOP\r\nUIDL\r\nPIPELINING\r\nIMPLEMENTATION qmail\r\n.");
    else
        say(m, "-ERR unimplemented");
}

static void follow(struct model *m)
{
    struct view rest = m->input->said;

    say(m, "+OK ");
    while (!m->over && view_has(rest, '\n')) {
        struct view argument = view_cut(&rest, '\n');
        if (argument.len > POP3_MAX_LINE) {
            say(m, "-ERR line too long");
            continue;
        }
        if (argument.len && argument.data[argument.len - 1] == '\r')
            argument.len--;
        argument = view_before(argument, view_find(argument, '\0'));
        struct view word = view_cut(&argument, ' ');
        while (argument.len && argument.data[0] == ' ')
            argument = view_from(argument, 1);
        execute(m, word, argument);
    }
}

/* After QUIT the messages in new/ have other names and the deleted ones are no more. */
static void look_at_maildir(const struct model *m)
{
    for (size_t i = 0; i < MESSAGES; i++) {
        bool moves = strncmp(paths[i], "new/", 4) == 0;
        MUST(fake_is_gone(paths[i]) == (m->over && (moves || m->deleted[i])));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct bytes output;
    struct input input = {.messages = {[2] = VIEW("Subject: x\n\n.y\n")}};

    if (len < HEAD)
        return 0;
    input.said = view_at((const char *)data + HEAD, len - HEAD);
    for (size_t i = 0; i < 2; i++) {
        size_t size = data[1 + i] < input.said.len ? data[1 + i] : input.said.len;
        input.messages[i] = view_before(input.said, size);
        input.said = view_from(input.said, size);
    }
    struct model m = {.input = &input};
    follow(&m);
    for (unsigned most = 0; most < 2; most++) {
        bytes_clear(&output);
        serve(&input, most * (1u + data[0] % 16), &output);
        MUST(view_equal(bytes_view(&output), bytes_view(&m.out)));
        look_at_maildir(&m);
        fake_end();
    }
    bytes_free(&m.out);
    return 0;
}
