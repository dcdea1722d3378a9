#include "base/clock.h"
#include "base/fd.h"
#include "base/os.h"
#include "conf.h"
#include "mail/queue_dir.h"
#include "queue/send.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

enum { SWEEP_S = 76431 };

/* A scan of mess/, one name a turn, for what qmail-queue left behind when it
 * died. That bears the number of its inode: what does not is a message of a copied
 * queue, whose other files qmail-qfix may just have been giving other names. */
static struct {
    DIR *dir; /* NULL: split has not been opened yet */
    unsigned split;
    int64_t next;   /* steady clock; a scan is under way from then on */
    int64_t reopen; /* steady clock; after a directory that cannot be opened */
} state;

static bool is_missing(const char *path)
{
    struct stat st;
    return stat(path, &st) == -1 && errno == ENOENT;
}

/* Whether a qmail-queue is at work on the file: it holds a lock of it from before it
 * has this name until it ends. Ages alone do not tell where the clock is set. */
static bool is_being_written(const char *path)
{
    int fd = fd_open_read(path);
    if (fd == -1) /* qmail-queue makes its files readable for all */
        return errno != EACCES;
    bool written = !os_lock(fd, false);
    fd_close(&fd);
    return written;
}

static void look(ino_t message)
{
    struct queue_path path = queue_split_path("mess", message);
    struct stat st;

    if (message % CONF_SPLIT != state.split || stat(path.text, &st) == -1 ||
        st.st_ino != message)
        return;
    /* an access time alone is no proof that nobody writes it */
    int64_t used = st.st_atime > st.st_mtime ? st.st_atime : st.st_mtime;
    if (used >= clock_now() - QUEUE_ABANDONED_S)
        return;
    /* A message that has just ended looks the same until qmail-clean has removed
     * it; then its number may be in use again, and a second request would hit
     * the new owner. And todo/N last: a qmail-queue that has just ended has made it
     * by now, or never will. */
    if (is_missing(queue_split_path("info", message).text) &&
        !clean_is_asked(message) && !is_being_written(path.text) &&
        is_missing(queue_flat_path("todo", message).text))
        clean_request("foop", message, 0, NULL);
}

static bool open_directory(void)
{
    char path[32];
    snprintf(path, sizeof path, "mess/%u", state.split);
    state.dir = opendir(path);
    if (state.dir)
        return true;
    log_line("alert: unable to opendir %s, sleeping...", path);
    state.reopen = clock_steady_ms() + SEND_ALERT_SLEEP_S * 1000;
    return false;
}

static int64_t wake_time(void)
{
    return state.next > state.reopen ? state.next : state.reopen;
}

void sweep_wants(struct loop *l)
{
    if (!send_is_leaving())
        loop_wake_at(l, wake_time());
}

void sweep_serve(void)
{
    if (send_is_leaving() || clock_steady_ms() < wake_time())
        return;
    if (!state.dir && !open_directory())
        return;
    for (const struct dirent *entry; (entry = readdir(state.dir));) {
        ino_t message;
        if (queue_number(view_of(entry->d_name), &message)) {
            look(message);
            return;
        }
    }
    closedir(state.dir);
    state.dir = NULL;
    if (++state.split < CONF_SPLIT)
        return;
    state.split = 0;
    state.next = clock_steady_ms() + (int64_t)SWEEP_S * 1000;
}
