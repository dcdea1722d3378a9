#include "base/sandbox.h"

#include <sys/resource.h>

void sandbox_enter(unsigned needs)
{
    struct rlimit none = {0, 0};

    /* Limits reach the programs that are started, whose limits are the
     * admin's. A program that starts none leaves no core file: it would hold
     * other people's mail. */
    if (!(needs & SANDBOX_PROGRAMS))
        setrlimit(RLIMIT_CORE, &none);
}
