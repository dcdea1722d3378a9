/* fd - descriptors: opened close-on-exec, moved, waited for. */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Opens /dev/null in place of each of descriptors 0, 1 and 2 that is closed, so
 * that no file opened later gets one of these numbers. */
bool fd_fill_standard(void);

/* The same for descriptors 0 to last. */
bool fd_fill(int last);

/* open(2) with O_CLOEXEC. The new descriptor, or -1 with errno set. */
int fd_open(const char *path, int flags, mode_t mode);

/* Opens for reading without waiting for a FIFO's or a device's other end. */
int fd_open_read(const char *path);

/* A pipe, both ends close-on-exec: ends[0] reads, ends[1] writes. */
bool fd_pipe(int ends[2]);

bool fd_nonblocking(int fd);
bool fd_blocking(int fd);
bool fd_close_on_exec(int fd, bool on);

/* Closes *fd unless it is -1, and makes it -1. errno stays. */
void fd_close(int *fd);

/* read(2), begun again where a signal interrupts it before anything was read. */
ssize_t fd_read(int fd, void *data, size_t room);

/* Waits until fd is ready for events (POLLIN, POLLOUT) or limit_ms are over;
 * limit_ms < 0: without limit. False with errno ETIMEDOUT, or poll's errno. */
bool fd_wait(int fd, short events, int64_t limit_ms);

/* Whether both other ends are closed, of a pipe that is read from in and of one that
 * is written to by out: the process there has died, even if it has left something
 * to read. */
bool fd_hung_up(int in, int out);

#endif
