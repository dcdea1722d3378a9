#include "mailbox/pop3.h"

void pop3_open(struct pop3 *p)
{
    connection_open(&p->connection, 0, 1, POP3_TIMEOUT_S);
}

void pop3_reply(struct pop3 *p, const char *text)
{
    writer_add_text(&p->connection.out, text);
    writer_add(&p->connection.out, VIEW("\r\n"));
}

void pop3_list_end(struct pop3 *p)
{
    pop3_reply(p, ".");
}

void pop3_capabilities(struct pop3 *p)
{
    static const char *const lines[] = {POP3_OK, "USER",       "TOP",
                                        "UIDL",  "PIPELINING", "IMPLEMENTATION qmail"};
    for (size_t i = 0; i < COUNT(lines); i++)
        pop3_reply(p, lines[i]);
}

/* Reads a command into p->line, which has room for it, so that no copy of a password
 * is left behind when it grows. False when there will be no more. */
static bool read_line(struct pop3 *p)
{
    bytes_reserve(&p->line, POP3_MAX_LINE + 1 - p->line.len);
    for (;;) {
        switch (reader_until(&p->connection.in, '\n', POP3_MAX_LINE, &p->line)) {
        case READ_ITEM:
            return true;
        case READ_TOO_LONG:
            if (reader_skip_past(&p->connection.in, '\n') != READ_ITEM)
                return false;
            pop3_reply(p, "-ERR line too long");
            break;
        case READ_END:
        case READ_FAILED:
            return false;
        }
    }
}

static struct view word_and_argument(struct view line, struct view *argument)
{
    if (line.len && line.data[line.len - 1] == '\r')
        line.len--;
    *argument = view_before(line, view_find(line, '\0'));
    struct view word = view_cut(argument, ' ');
    while (argument->len && argument->data[0] == ' ')
        *argument = view_from(*argument, 1);
    return word;
}

static void serve_line(struct pop3 *p, const struct pop3_command *commands,
                       const char *unknown, void *session)
{
    struct view argument;
    struct view word = word_and_argument(bytes_view(&p->line), &argument);

    for (const struct pop3_command *c = commands; c->word; c++) {
        if (view_is_case(word, c->word)) {
            c->run(session, argument);
            return;
        }
    }
    pop3_reply(p, unknown);
}

void pop3_serve(struct pop3 *p, const struct pop3_command *commands,
                const char *unknown, void *session)
{
    while (!p->over && read_line(p))
        serve_line(p, commands, unknown, session);
    connection_flush(&p->connection); /* if it fails there is nobody to hear of it */
}
