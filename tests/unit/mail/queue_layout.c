#include "mail/queue_layout.h"

#include "tap.h"

#include <string.h>

/* Whether the directory above is listed before. */
static bool has_parent(const struct queue_place *place)
{
    struct view path = view_of(place->path);
    size_t slash = view_find_last(path, '/');
    for (const struct queue_place *p = queue_places; p < place; p++)
        if (view_equal(view_of(p->path),
                       view_before(path, slash < path.len ? slash : 0)))
            return p->type == QUEUE_PLACE_DIR;
    return !*place->path;
}

static const struct queue_place *place_of(const char *path)
{
    for (const struct queue_place *p = queue_places; p->path; p++)
        if (strcmp(p->path, path) == 0)
            return p;
    return NULL;
}

int main(void)
{
    for (const struct queue_place *p = queue_places; p->path; p++) {
        ok(has_parent(p), "comes after its directory:", *p->path ? p->path : ".");
        ok((p->mode & 002) == 0 || p->type == QUEUE_PLACE_FIFO,
           "not for all:", p->path);
    }
    for (enum queue_kind kind = 0; kind < QUEUE_KINDS; kind++) {
        const struct queue_place *dir = place_of(queue_kinds[kind].dir);
        ok(dir && dir->type == QUEUE_PLACE_DIR &&
               dir->split == queue_kinds[kind].split &&
               strcmp(dir->owner, queue_kinds[kind].owner) == 0,
           "a directory for files of kind", queue_kinds[kind].dir);
    }
    return tap_done();
}
