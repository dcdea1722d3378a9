#include "base/heap.h"

#include "tap.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const struct {
    const char *name;
    size_t count, each;
} too_large[] = {
    {"more than memory", SIZE_MAX, 1},
    {"the product wraps to 0", SIZE_MAX / 2 + 1, 2},
    {"the product wraps to little", SIZE_MAX / 8 + 2, 8},
};

static void *kept;
static unsigned calls;

static void make_room(void)
{
    if (++calls == 2)
        setrlimit(RLIMIT_AS, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
}

/* The handler comes back: the allocation is tried until there is memory. */
static void wait_for_memory(void *arg)
{
    (void)arg;
    heap_on_failure(make_room);
    setrlimit(RLIMIT_AS, &(struct rlimit){1 << 20, RLIM_INFINITY});
    memset(heap_array(1 << 20, 64), 1, 1 << 26);
    _exit(calls == 2 ? 7 : 8);
}

static void leave(void)
{
    _exit(51);
}

static void ask(void *arg)
{
    const size_t *which = arg;
    kept =
        heap_resize(heap_array(1, 1), too_large[*which].count, too_large[*which].each);
}

static void ask_and_leave(void *arg)
{
    heap_on_failure(leave);
    ask(arg);
}

int main(void)
{
    for (size_t i = 0; i < COUNT(too_large); i++) {
        const char *name = too_large[i].name;
        errno = 0;
        ok(!heap_try(too_large[i].count, too_large[i].each) && errno == ENOMEM, name,
           "try");
        same_number((uint64_t)run_apart(ask, &i, NULL), 111, name);
        same_number((uint64_t)run_apart(ask_and_leave, &i, NULL), 51, name);
    }
#ifndef __SANITIZE_ADDRESS__ /* which needs more than any limit */
    same_number((uint64_t)run_apart(wait_for_memory, NULL, NULL), 7, "handler returns");
#else
    (void)wait_for_memory;
#endif
    char *text = heap_array(0, 8);
    ok(text != NULL, "no objects", "not NULL");
    text = heap_resize(text, 4, 1);
    strcpy(text, "abc");
    text = heap_resize(text, 100000, 1);
    ok(strcmp(text, "abc") == 0, "resize", "keeps");
    text = heap_resize(text, 0, 1);
    ok(text != NULL, "resize to nothing", "not NULL");
    heap_free(text);
    heap_free(NULL);
    return tap_done();
}
