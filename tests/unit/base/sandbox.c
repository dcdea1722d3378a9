#include "base/sandbox.h"

#include "tap.h"

#include <sys/resource.h>

static rlim_t core(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_CORE, &limit);
    return limit.rlim_cur;
}

int main(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_CORE, &limit);
    if (limit.rlim_max == 0)
        skip_rest("core files are forbidden already");
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_CORE, &limit);
    sandbox_enter(SANDBOX_FILES | SANDBOX_PROGRAMS);
    ok(core() == limit.rlim_max, "starts programs: their limits stay", NULL);
    sandbox_enter(SANDBOX_FILES | SANDBOX_NETWORK);
    ok(core() == 0, "starts none: no core file", NULL);
    return tap_done();
}
