/* process - starting other programs.
 *
 * Everything that the new program gets is listed here: its descriptors, its
 * directory, its identity. All other descriptors are close-on-exec, because
 * everything in src/ opens them so. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include "base/identity.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

enum { PROCESS_MAX_FDS = 8 };

/* The parent's descriptor have becomes number want in the child. */
struct process_fd {
    int have, want;
};

/* How the child exits when it cannot become the program. */
struct process_failures {
    int fds;       /* a descriptor could not be put in place */
    int dir;       /* the directory could not be entered */
    int identity;  /* the user could not be become */
    int exec_temp; /* exec failed, but may work later */
    int exec_perm; /* exec failed */
};

/* What the child says on descriptor 2 when it cannot become the program: fds or
 * exec, the error's text, after. Nothing where fds or exec is NULL. */
struct process_complaint {
    const char *exec;  /* exec failed */
    const char *fds;   /* a descriptor could not be put in place */
    const char *after; /* usually a line feed */
};

struct process {
    const char *path;           /* run by path; NULL: argv[0] is looked for in PATH */
    char *const *argv;          /* ended by NULL */
    char *const *env;           /* NULL: environ. Only with path */
    const char *dir;            /* entered first; NULL: stay */
    const struct identity *who; /* NULL: stay who we are; no groups_of */
    struct process_fd fds[PROCESS_MAX_FDS]; /* have and want may overlap */
    size_t fd_count;
    bool default_sigpipe;       /* else as in the parent */
    const struct rlimit *files; /* its limit of open files; NULL: ours */
    struct process_failures failures;
    struct process_complaint complaint;
};

/* Starts the program. Caught signals have their default action in it, ignored
 * ones stay ignored. The process id, or -1 with errno set. */
pid_t process_start(const struct process *p);

/* In a process that is about to become another program: what process_start()
 * does in the child. Comes back only on failure, with the exit code to use. */
int process_become(const struct process *p);

/* Waits for pid. False with errno set if there is nothing to wait for. */
bool process_wait(pid_t pid, int *status);

#endif
