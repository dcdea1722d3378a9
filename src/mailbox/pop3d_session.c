#include "base/fd.h"
#include "base/file.h"
#include "base/heap.h"
#include "base/number.h"
#include "mailbox/pop3d.h"
#include "mailbox/pop3d_text.h"

#include <stdio.h>
#include <string.h>

enum { BLOCK_ROOM = 65536 };

static void reply(struct pop3d *p, const char *text)
{
    pop3_reply(&p->pop3, text);
}

static void add_number(struct pop3d *p, uint64_t n, const char *after)
{
    writer_add_number(&p->pop3.connection.out, n);
    writer_add_text(&p->pop3.connection.out, after);
}

/* Messages */

/* The message whose number is in front of *argument, which is moved behind it. False
 * with the refusal sent. */
static bool take_message(struct pop3d *p, struct view *argument, size_t *message)
{
    const char *no = NULL;
    uint64_t n;

    if (!number_take(argument, &n))
        no = POP3_SYNTAX;
    else if (n == 0)
        no = "-ERR messages are counted from 1";
    else if (n > p->list.count)
        no = "-ERR not that many messages";
    else if (p->deleted[n - 1])
        no = "-ERR already deleted";
    if (no)
        reply(p, no);
    else
        *message = (size_t)n - 1;
    return !no;
}

static void add_size(struct pop3d *p, size_t message)
{
    add_number(p, (uint64_t)p->list.entries[message].size, "\r\n");
}

/* The name without directory and flags: the same in new/ and in cur/. */
static void add_unique_name(struct pop3d *p, size_t message)
{
    const char *path = p->list.entries[message].path;
    struct view name = view_of(strchr(path, '/') + 1);
    writer_add(&p->pop3.connection.out, view_before(name, view_find(name, ':')));
    writer_add_text(&p->pop3.connection.out, "\r\n");
}

/* LIST and UIDL: of one message, or of all. */
static void list_of(struct pop3d *p, struct view argument,
                    void (*add)(struct pop3d *p, size_t message))
{
    size_t message;

    if (argument.len) {
        if (!take_message(p, &argument, &message))
            return;
        writer_add_text(&p->pop3.connection.out, POP3_OK);
        add_number(p, message + 1, " ");
        add(p, message);
        return;
    }
    reply(p, POP3_OK);
    for (size_t i = 0; i < p->list.count; i++) {
        if (p->deleted[i])
            continue;
        add_number(p, i + 1, " ");
        add(p, i);
    }
    pop3_list_end(&p->pop3);
}

/* False where the text breaks off, so that the client must not see an end. */
static bool send_text(struct pop3d *p, int fd, uint64_t body_lines)
{
    static char block[BLOCK_ROOM];
    struct writer *out = &p->pop3.connection.out;
    struct pop3d_text text;
    ssize_t n;

    pop3d_text_begin(&text, body_lines);
    while ((n = fd_read(fd, block, sizeof block)) > 0)
        if (!pop3d_text_send(&text, view_at(block, (size_t)n), out) || out->error)
            break;
    if (n == -1)
        return false;
    pop3d_text_end(&text, out);
    return true;
}

static void send_message(struct pop3d *p, size_t message, uint64_t body_lines)
{
    int fd = fd_open_read(p->list.entries[message].path);
    if (fd == -1) {
        reply(p, "-ERR unable to open that message");
        return;
    }
    reply(p, POP3_OK);
    if (!send_text(p, fd, body_lines))
        p->pop3.over = true;
    fd_close(&fd);
}

/* Commands */

static void stat_command(void *session, struct view argument)
{
    struct pop3d *p = session;
    uint64_t count = 0, size = 0;

    (void)argument;
    for (size_t i = 0; i < p->list.count; i++) {
        if (p->deleted[i])
            continue;
        count++;
        size = number_sum(size, (uint64_t)p->list.entries[i].size);
    }
    writer_add_text(&p->pop3.connection.out, POP3_OK);
    add_number(p, count, " ");
    add_number(p, size, "\r\n");
}

static void list_command(void *session, struct view argument)
{
    list_of(session, argument, add_size);
}

static void uidl(void *session, struct view argument)
{
    list_of(session, argument, add_unique_name);
}

static void retr(void *session, struct view argument)
{
    struct pop3d *p = session;
    size_t message;
    if (take_message(p, &argument, &message))
        send_message(p, message, UINT64_MAX);
}

static void top(void *session, struct view argument)
{
    struct pop3d *p = session;
    uint64_t lines = UINT64_MAX;
    size_t message;

    if (!take_message(p, &argument, &message))
        return;
    while (argument.len && argument.data[0] == ' ')
        argument = view_from(argument, 1);
    if (!number_take(&argument, &lines))
        lines = UINT64_MAX;
    send_message(p, message, lines);
}

static void dele(void *session, struct view argument)
{
    struct pop3d *p = session;
    size_t message;

    if (!take_message(p, &argument, &message))
        return;
    p->deleted[message] = true;
    if (message + 1 > p->last)
        p->last = message + 1;
    reply(p, POP3_OK);
}

static void forget_marks(struct pop3d *p)
{
    for (size_t i = 0; i < p->list.count; i++)
        p->deleted[i] = false;
    p->last = 0;
}

static void rset(void *session, struct view argument)
{
    (void)argument;
    forget_marks(session);
    reply(session, POP3_OK);
}

static void last(void *session, struct view argument)
{
    struct pop3d *p = session;
    (void)argument;
    writer_add_text(&p->pop3.connection.out, POP3_OK);
    add_number(p, p->last, "\r\n");
}

static void noop(void *session, struct view argument)
{
    (void)argument;
    reply(session, POP3_OK);
}

static void capa(void *session, struct view argument)
{
    struct pop3d *p = session;
    (void)argument;
    pop3_capabilities(&p->pop3);
    pop3_list_end(&p->pop3);
}

/* From new/ to cur/, with the mark of a message that was seen by a reader but has no
 * flags. Another session may have been faster. */
static void move_to_cur(const char *path, struct bytes *to)
{
    if (!view_starts(view_of(path), VIEW("new/")))
        return;
    bytes_clear(to);
    bytes_add_format(to, "cur/%s:2,", strchr(path, '/') + 1);
    (void)rename(path, bytes_cstring(to));
}

static void quit(void *session, struct view argument)
{
    struct pop3d *p = session;
    struct bytes to = {0};
    bool all_removed = true;

    (void)argument;
    for (size_t i = 0; i < p->list.count; i++) {
        const char *path = p->list.entries[i].path;
        if (!p->deleted[i])
            move_to_cur(path, &to);
        else if (!file_remove(path))
            all_removed = false;
    }
    bytes_free(&to);
    reply(p, all_removed ? POP3_OK : "-ERR unable to unlink all deleted messages");
    p->pop3.over = true;
}

static const struct pop3_command commands[] = {
    {"STAT", stat_command}, {"LIST", list_command}, {"UIDL", uidl}, {"RETR", retr},
    {"TOP", top},           {"DELE", dele},         {"RSET", rset}, {"LAST", last},
    {"NOOP", noop},         {"QUIT", quit},         {"CAPA", capa}, {NULL, NULL},
};

bool pop3d_open(struct pop3d *p, int64_t now)
{
    if (maildir_list_read(&p->list, now) != MAILDIR_SCANNED)
        return false;
    p->deleted = heap_array(p->list.count + 1, sizeof *p->deleted);
    forget_marks(p);
    return true;
}

void pop3d_serve(struct pop3d *p)
{
    reply(p, POP3_OK);
    pop3_serve(&p->pop3, commands, "-ERR unimplemented", p);
}
