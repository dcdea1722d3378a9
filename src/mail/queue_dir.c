#include "mail/queue_dir.h"

#include "base/die.h"
#include "base/fd.h"
#include "base/number.h"
#include "conf.h"
#include "mail/queue_exit.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

struct queue_path queue_split_path(const char *tree, ino_t message)
{
    struct queue_path path;
    uintmax_t n = message;
    snprintf(path.text, sizeof path.text, "%s/%ju/%ju", tree, n % CONF_SPLIT, n);
    return path;
}

struct queue_path queue_flat_path(const char *dir, ino_t message)
{
    struct queue_path path;
    snprintf(path.text, sizeof path.text, "%s/%ju", dir, (uintmax_t)message);
    return path;
}

struct queue_path queue_split_dir(const char *tree, ino_t message)
{
    struct queue_path path;
    uintmax_t n = message;
    snprintf(path.text, sizeof path.text, "%s/%ju", tree, n % CONF_SPLIT);
    return path;
}

enum queue_mark queue_mark_of(mode_t mode)
{
    switch (mode & 07777) {
    case QUEUE_UNMARKED_MODE | QUEUE_HELD:
        return QUEUE_HELD;
    case QUEUE_UNMARKED_MODE | QUEUE_RETURNED:
        return QUEUE_RETURNED;
    case QUEUE_UNMARKED_MODE | QUEUE_DELETED:
        return QUEUE_DELETED;
    default:
        return QUEUE_NO_MARK;
    }
}

bool queue_is_unsynced(mode_t mode)
{
    return (mode & 07777) == QUEUE_UNSYNCED_MODE;
}

bool queue_number(struct view name, ino_t *message)
{
    uint64_t n;
    if (!number_exact(name, UINT64_MAX, &n))
        return false;
    *message = (ino_t)n;
    return *message == n;
}

int queue_enter(const char *home)
{
    if (chdir(home) == -1)
        return QUEUE_HOME;
    if (chdir("queue") == -1)
        return QUEUE_DIRECTORY;
    return QUEUE_OK;
}

void queue_enter_or_die(const char *home)
{
    if (queue_enter(home) != QUEUE_OK)
        _exit(DIE_TEMP);
}

void queue_pull_trigger(void)
{
    int fd = fd_open(QUEUE_DIR_TRIGGER, O_WRONLY | O_NONBLOCK, 0);
    if (fd == -1)
        return;
    ssize_t n = write(fd, "", 1);
    (void)n; /* a full FIFO wakes qmail-send as well */
    close(fd);
}
