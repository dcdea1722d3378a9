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
#include "mail/summary.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define INDENT "    "

enum {
    TEXT_MAX = 78 - (sizeof INDENT - 1) /* bytes of subject and body on their line */
};

struct notice {
    struct view user;
    struct bytes text;
};

static void give_up(void)
{
    _exit(0);
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
    struct summary summary = {0};

    heap_on_failure(give_up);
    const char *user = getenv("USER"), *sender = getenv("SENDER"),
               *local = getenv("LOCAL");
    if (!user || !sender || !local || !fd_fill_standard())
        return 0;

    notice.user = view_of(user);
    bytes_add_text(&notice.text, "\r\n\a*** TO <");
    summary_add_printable(&notice.text, view_of(local), '_');
    bytes_add_text(&notice.text, "> FROM <");
    summary_add_printable(&notice.text, view_of(sender), '_');
    bytes_add_text(&notice.text, ">\r\n");
    summary_read(&summary, 0, TEXT_MAX);
    bytes_add_text(&notice.text, INDENT);
    bytes_add(&notice.text, bytes_view(&summary.text));
    bytes_add_text(&notice.text, "\r\n");
    os_each_login(show_if_his, &notice);
    summary_free(&summary);
    bytes_free(&notice.text);
    return 0;
}
