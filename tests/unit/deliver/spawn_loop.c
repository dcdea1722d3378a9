#include "deliver/spawn.h"

#include "tap.h"

static const struct {
    const char *name;
    unsigned wanted;
    rlim_t files;
    unsigned want;
} limits[] = {
    {"more than enough", 120, 1024, 120},
    {"without limit", 1000, RLIM_INFINITY, 1000},
    {"exactly enough", 120, 250, 120},
    {"one too few", 120, 249, 119},
    {"half", 120, 130, 60},
    {"hardly any", 120, 12, 1},
    {"fewer than that", 120, 11, 1},
    {"none", 120, 0, 1},
    {"largest", 65535, 131080, 65535},
};

int main(void)
{
    for (size_t i = 0; i < COUNT(limits); i++)
        same_number(spawn_limit(limits[i].wanted, limits[i].files), limits[i].want,
                    limits[i].name);
    return tap_done();
}
