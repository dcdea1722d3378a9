/* scratch - a queue of its own for a fuzz target, with the files of one message. Its
 * subject works on them as on any, so it should be in memory: /dev/shm, else /tmp. */
#ifndef TESTS_FUZZ_SCRATCH_H
#define TESTS_FUZZ_SCRATCH_H

#include "base/file.h"
#include "mail/queue_dir.h"

#include "must.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SCRATCH_MESSAGE = 1, SCRATCH_MAX_FILE = 1 << 24 };

static const char *const scratch_flat[] = {"todo", "intd", "bounce", "lock"};
static const char *const scratch_split[] = {"mess", "info", "local", "remote"};

static char scratch_dir[40];
static int scratch_home = -1; /* where the process was started */

static inline void scratch_remove(void)
{
    if (chdir(scratch_dir) == -1)
        return;
    for (size_t i = 0; i < COUNT(scratch_flat); i++) {
        unlink(queue_flat_path(scratch_flat[i], SCRATCH_MESSAGE).text);
        rmdir(scratch_flat[i]);
    }
    for (size_t i = 0; i < COUNT(scratch_split); i++) {
        unlink(queue_split_path(scratch_split[i], SCRATCH_MESSAGE).text);
        rmdir(queue_split_dir(scratch_split[i], SCRATCH_MESSAGE).text);
        rmdir(scratch_split[i]);
    }
    rmdir(scratch_dir);
}

static inline void scratch_make(void)
{
    struct stat st;
    bool memory = stat("/dev/shm", &st) == 0 && S_ISDIR(st.st_mode);
    strcpy(scratch_dir, memory ? "/dev/shm/fuzz.XXXXXX" : "/tmp/fuzz.XXXXXX");
    scratch_home = open(".", O_RDONLY);
    must(scratch_home != -1 && mkdtemp(scratch_dir) && chdir(scratch_dir) == 0);
    for (size_t i = 0; i < COUNT(scratch_flat); i++)
        must(mkdir(scratch_flat[i], 0700) == 0);
    for (size_t i = 0; i < COUNT(scratch_split); i++)
        must(mkdir(scratch_split[i], 0700) == 0 &&
             mkdir(queue_split_dir(scratch_split[i], SCRATCH_MESSAGE).text, 0700) == 0);
    atexit(scratch_remove);
}

/* Into the queue, and back to where relative names of inputs mean something. */
static inline void scratch_enter(void)
{
    if (scratch_home == -1)
        scratch_make();
    must(chdir(scratch_dir) == 0);
}

static inline void scratch_leave(void)
{
    must(fchdir(scratch_home) == 0);
}

static inline void scratch_put(struct queue_path path, struct view content)
{
    int fd = open(path.text, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    must(fd != -1 && write(fd, content.data, content.len) == (ssize_t)content.len);
    close(fd);
}

/* The content of a file; false where there is none. */
static inline bool scratch_get(struct queue_path path, struct bytes *content)
{
    bytes_clear(content);
    return file_read(path.text, SCRATCH_MAX_FILE, content) == FILE_READ;
}

static inline void scratch_drop(struct queue_path path)
{
    unlink(path.text);
}

#endif
