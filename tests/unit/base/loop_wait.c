#include "base/loop.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/heap.h"

#include "tap.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

enum { MANY = 200 };

static struct loop l;

static int64_t nap(void)
{
    int64_t begun = clock_steady_ms();
    ok(loop_wait(&l), "wait", NULL);
    return clock_steady_ms() - begun;
}

static void times(void)
{
    loop_begin(&l);
    loop_wake_in_s(&l, INT64_MAX);
    ok(l.wake_ms == INT64_MAX, "in ages", "is never");
    loop_wake_in_s(&l, 86400);
    loop_wake_at(&l, clock_steady_ms() + 100);
    loop_wake_in_s(&l, 5);
    int64_t took = nap();
    ok(took >= 100 && took < 2000, "the earliest counts", NULL);
    loop_begin(&l);
    loop_wake_at(&l, clock_steady_ms() - 1000);
    ok(nap() < 500, "a time in the past", NULL);
    loop_begin(&l);
    loop_wake_in_s(&l, -5);
    ok(nap() < 500, "in less than no time", NULL);
    loop_begin(&l);
    loop_wake_now(&l);
    loop_wake_in_s(&l, 3);
    ok(nap() < 500, "now", NULL);
    loop_begin(&l);
    loop_wake_in_s(&l, 1);
    took = nap();
    ok(took >= 999 && took < 3000, "in a second", NULL);
}

static void wake(int sig)
{
    (void)sig;
}

static void descriptors(void)
{
    int ends[2];

    ok(fd_pipe(ends), "pipe", NULL);
    loop_begin(&l);
    loop_wake_in_s(&l, 10);
    size_t in = loop_want(&l, ends[0], POLLIN);
    size_t none = loop_want(&l, -1, POLLIN);
    size_t out = loop_want(&l, ends[1], POLLOUT);
    ok(nap() < 500 && !loop_ready(&l, in) && loop_ready(&l, out), "writable", NULL);
    ok(!loop_ready(&l, none), "no descriptor", NULL);
    loop_begin(&l);
    loop_wake_in_s(&l, 10);
    size_t closed = loop_want(&l, 999, POLLIN);
    ok(nap() < 500 && loop_ready(&l, closed), "closed descriptor", NULL);
    loop_begin(&l);
    loop_wake_in_s(&l, 10);
    in = loop_want(&l, ends[0], POLLIN);
    struct sigaction act = {.sa_handler = wake};
    sigaction(SIGALRM, &act, NULL);
    struct itimerval soon = {.it_value = {.tv_usec = 50000}};
    setitimer(ITIMER_REAL, &soon, NULL);
    ok(nap() < 2000 && !loop_ready(&l, in), "a signal ends the sleep", NULL);
    fd_close(&ends[1]);
    loop_begin(&l);
    loop_wake_in_s(&l, 10);
    in = loop_want(&l, ends[0], POLLIN);
    ok(nap() < 500 && loop_ready(&l, in), "hung up", NULL);
    fd_close(&ends[0]);
}

static void many(void)
{
    int ends[MANY][2];
    size_t wants[MANY], ready = 0;

    loop_begin(&l);
    loop_wake_in_s(&l, 10);
    for (int i = 0; i < MANY; i++) {
        if (!fd_pipe(ends[i]) || (i % 3 == 0 && write(ends[i][1], "x", 1) != 1))
            skip_rest("no pipes");
        wants[i] = loop_want(&l, ends[i][0], POLLIN);
    }
    nap();
    for (int i = 0; i < MANY; i++)
        ready += loop_ready(&l, wants[i]) == (i % 3 == 0);
    same_number(ready, MANY, "many descriptors");
    /* more than the limit of descriptors: poll(2) itself fails */
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){20, limit.rlim_max});
    ok(!loop_wait(&l) && errno == EINVAL, "waiting fails", NULL);
    ready = 0;
    for (int i = 0; i < MANY; i++)
        ready += loop_ready(&l, wants[i]);
    same_number(ready, 0, "waiting fails: nothing is ready");
    setrlimit(RLIMIT_NOFILE, &limit);
}

int main(void)
{
    times();
    descriptors();
    many();
    heap_free(l.wants);
    return tap_done();
}
