#include "fake.h"
#include "fuzz.h"

#include <unistd.h>

enum { FD_SECRET = 3, MAX_SECRET = 8192 };

int (*fake_program)(struct view secret);
static int status;

pid_t process_start(const struct process *p)
{
    char secret[MAX_SECRET];
    size_t len = 0;

    for (size_t i = 0; i < p->fd_count; i++) {
        ssize_t n;
        if (p->fds[i].want != FD_SECRET)
            continue;
        while ((n = read(p->fds[i].have, secret + len, sizeof secret - len)) > 0)
            len += (size_t)n;
        MUST(n == 0); /* its other end has been closed: a program would wait for that */
    }
    status = fake_program(view_at(secret, len)) << 8;
    return 1;
}

bool process_wait(pid_t pid, int *status_of)
{
    MUST(pid == 1);
    *status_of = status;
    return true;
}
