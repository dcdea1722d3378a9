/* qbiff - show on a user's terminals that mail has come.
 *
 * runs as  the owner of a .qmail file
 * fd 0     the message
 * reads    USER, SENDER and LOCAL of the environment; the record of logins
 * writes   the user's terminals
 * exits    0, silently: whether somebody looks does not matter to the mail */
#include "base/fd.h"
#include "base/heap.h"
#include "base/os.h"
#include "mail/header.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT_MAX = 78 }; /* bytes of subject and body */

struct notice {
    struct view user;
    struct bytes text;
};

static void give_up(void)
{
    _exit(0);
}

/* Appends v; what is not printable, and could command a terminal, becomes other. */
static void add_printable(struct bytes *out, struct view v, char other)
{
    for (size_t i = 0; i < v.len; i++)
        bytes_add_byte(out, v.data[i] < 32 || v.data[i] > 126 ? other : v.data[i]);
}

/* The same for as much of v as TEXT_MAX allows. */
static void add_some(struct bytes *text, struct view v)
{
    size_t left = TEXT_MAX - text->len;
    add_printable(text, view_before(v, v.len < left ? v.len : left), '/');
}

/* The subject and the beginning of the body. */
static void add_summary(struct bytes *text)
{
    static struct reader input;
    struct header header;
    struct bytes field = {0};
    struct view body;

    bytes_add_text(text, "    ");
    reader_open(&input, 0, 0);
    header_open(&header, &input);
    while (header_next(&header, &field) == HEADER_FIELD) {
        struct view value = header_value(bytes_view(&field));
        if (!view_is_case(header_name(bytes_view(&field)), "Subject"))
            continue;
        while (value.len && view_has(VIEW(" \t"), value.data[0]))
            value = view_from(value, 1);
        add_some(text, value);
    }
    add_some(text, header_body_start(&header));
    while (text->len < TEXT_MAX && reader_peek(&input, &body) == READ_ITEM) {
        add_some(text, body);
        reader_skip(&input, body.len);
    }
    header_free(&header);
    bytes_free(&field);
}

static void show(const struct notice *notice, const char *terminal)
{
    struct stat st;
    int fd = fd_open(terminal, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY, 0);

    if (fd == -1)
        return;
    /* "biff y" sets the owner's execute bit */
    if (fstat(fd, &st) == 0 && (st.st_mode & S_IXUSR) && st.st_uid == getuid()) {
        ssize_t n = write(fd, notice->text.data, notice->text.len);
        (void)n; /* a terminal that takes no more has enough */
    }
    fd_close(&fd);
}

static void show_if_his(void *arg, struct view user, struct view terminal)
{
    const struct notice *notice = arg;
    struct bytes path = {0};

    if (!view_equal(user, notice->user) || terminal.len == 0 ||
        terminal.data[0] == '/' || view_has(terminal, '.'))
        return;
    bytes_add_text(&path, "/dev/");
    bytes_add(&path, terminal);
    show(notice, bytes_cstring(&path));
    bytes_free(&path);
}

int main(void)
{
    struct notice notice = {0};
    struct bytes summary = {0};

    heap_on_failure(give_up);
    const char *user = getenv("USER"), *sender = getenv("SENDER"),
               *local = getenv("LOCAL");
    if (!user || !sender || !local || !fd_fill_standard())
        return 0;

    notice.user = view_of(user);
    bytes_add_text(&notice.text, "\r\n\a*** TO <");
    add_printable(&notice.text, view_of(local), '_');
    bytes_add_text(&notice.text, "> FROM <");
    add_printable(&notice.text, view_of(sender), '_');
    bytes_add_text(&notice.text, ">\r\n");
    add_summary(&summary);
    bytes_add(&notice.text, bytes_view(&summary));
    bytes_add_text(&notice.text, "\r\n");
    os_each_login(show_if_his, &notice);
    bytes_free(&summary);
    bytes_free(&notice.text);
    return 0;
}
