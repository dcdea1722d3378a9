#include "base/clock.h"

#include "tap.h"

#include <time.h>

int main(void)
{
    int64_t before = (int64_t)time(NULL);
    int64_t now = clock_now(), now_us = clock_now_us();
    int64_t after = (int64_t)time(NULL);
    ok(now >= before && now <= after, "now", NULL);
    ok(now_us / 1000000 >= before && now_us / 1000000 <= after + 1, "now_us", NULL);

    int64_t steady = clock_steady_ms();
    nanosleep(&(struct timespec){.tv_nsec = 30000000}, NULL);
    int64_t passed = clock_steady_ms() - steady;
    ok(passed >= 29 && passed < 5000, "steady", "milliseconds");
    bool back = false;
    for (int i = 0; i < 10000; i++) {
        int64_t next = clock_steady_ms();
        back |= next < steady;
        steady = next;
    }
    ok(!back, "steady", "never goes back");
    return tap_done();
}
