#include "admin/install.h"

#include "base/die.h"

#include <string.h>

bool install_queue_only_or_die(int argc, char **argv)
{
    if (argc <= 1)
        return false;
    if (argc > 2 || strcmp(argv[1], "queue-only") != 0)
        die_raw(DIE_PERM, "usage: %s [queue-only]\n", argv[0]);
    return true;
}
