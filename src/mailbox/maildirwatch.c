/* maildirwatch - show on a terminal what new mail is in a maildir, for ever.
 *
 * runs as  the owner of the mail
 * reads    MAILDIR of the environment; the maildir
 * fd 1     the terminal: every half minute a screen
 * fd 2     why not
 * exits    111 when the maildir cannot be read or the terminal is gone; never else */
#include "base/clock.h"
#include "base/die.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/heap.h"
#include "base/writer.h"
#include "mail/maildir_list.h"
#include "mail/summary.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEAR "\033[;H\033[;J"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

enum {
    PAUSE_S = 30,
    TEXT_MAX = 158 /* bytes of subject and body: two lines and no more */
};

static void add_or_unknown(struct bytes *screen, struct view v)
{
    summary_add_printable(screen, v.len ? v : VIEW("?"), '_');
}

static void add_message(struct bytes *screen, const struct summary *s)
{
    bytes_add_text(screen, "FROM ");
    add_or_unknown(screen, bytes_view(&s->return_path));
    bytes_add_text(screen, " TO <");
    add_or_unknown(screen, bytes_view(&s->delivered_to));
    bytes_add_text(screen, ">\n");
    if (s->from.len) {
        bytes_add_text(screen, BOLD);
        summary_add_printable(screen, bytes_view(&s->from), '_');
        bytes_add_text(screen, PLAIN "\n");
    }
    bytes_add(screen, bytes_view(&s->text));
    bytes_add_text(screen, "\n\n");
}

static void scan_or_die(struct maildir_list *list)
{
    switch (maildir_list_read(list, clock_now())) {
    case MAILDIR_SCANNED:
        return;
    case MAILDIR_NO_NEW:
        die_temp("unable to scan $MAILDIR/new: %s", error_text(errno));
    case MAILDIR_NO_CUR:
        die_temp("unable to scan $MAILDIR/cur: %s", error_text(errno));
    case MAILDIR_UNSCANNED:
        die_temp("unable to read $MAILDIR: %s", error_text(errno));
    }
}

static void show_all_or_die(void)
{
    struct maildir_list list = {0};
    struct summary summary = {0};
    struct bytes screen = {0};

    scan_or_die(&list);
    bytes_add_text(&screen, CLEAR);
    for (size_t i = 0; i < list.count; i++) {
        const char *path = list.entries[i].path;
        if (!view_starts(view_of(path), VIEW("new/")))
            continue;
        int fd = fd_open_read(path);
        if (fd == -1)
            continue; /* just read by somebody, or not for us */
        summary_read(&summary, fd, TEXT_MAX);
        fd_close(&fd);
        add_message(&screen, &summary);
    }
    if (!write_all(1, bytes_view(&screen)))
        die_temp("unable to write output: %s", error_text(errno));
    maildir_list_free(&list);
    summary_free(&summary);
    bytes_free(&screen);
}

int main(void)
{
    die_name("maildirwatch");
    heap_on_failure(die_of_memory);
    if (!fd_fill_standard())
        return DIE_TEMP;
    const char *dir = getenv("MAILDIR");
    if (!dir)
        die_temp("MAILDIR not set");
    if (chdir(dir) == -1)
        die_temp("unable to chdir to %s: %s", dir, error_text(errno));
    for (;;) {
        maildir_clean_tmp(clock_now());
        show_all_or_die();
        sleep(PAUSE_S);
    }
}
