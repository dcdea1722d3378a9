#include "base/heap.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

enum { HEAP_EXIT = 111 };

static void (*failure_handler)(void);

void heap_on_failure(void (*handler)(void))
{
    failure_handler = handler;
}

static void failed(void)
{
    if (!failure_handler)
        _exit(HEAP_EXIT);
    failure_handler();
}

static void *resize(void *old, size_t count, size_t each)
{
    if (each && count > SIZE_MAX / each) {
        errno = ENOMEM;
        return NULL;
    }
    size_t size = count * each;
    return realloc(old, size ? size : 1);
}

void *heap_resize(void *old, size_t count, size_t each)
{
    for (;;) {
        void *fresh = resize(old, count, each);
        if (fresh)
            return fresh;
        failed();
    }
}

void *heap_array(size_t count, size_t each)
{
    return heap_resize(NULL, count, each);
}

void *heap_try(size_t count, size_t each)
{
    return resize(NULL, count, each);
}

void *heap_try_resize(void *old, size_t count, size_t each)
{
    return resize(old, count, each);
}

void heap_free(void *p)
{
    free(p);
}
