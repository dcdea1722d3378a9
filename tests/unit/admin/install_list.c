#include "admin/install.h"
#include "conf.h"

#include "tap.h"

#include <stdlib.h>

/* The paths met so far, each between line feeds. */
static struct bytes seen;
static unsigned count, repeated, orphans, outside_queue, loose;

static bool has_seen(struct view path)
{
    struct bytes marked = {0};
    bool found = false;
    bytes_add_byte(&marked, '\n');
    bytes_add(&marked, path);
    bytes_add_byte(&marked, '\n');
    for (size_t i = 0; !found && i + marked.len <= seen.len; i++)
        found = view_equal(view_at(seen.data + i, marked.len), bytes_view(&marked));
    bytes_free(&marked);
    return found;
}

static void look(const struct install_entry *entry)
{
    struct view path = view_of(entry->path);
    size_t slash = view_find_last(path, '/');
    count++;
    repeated += has_seen(path);
    orphans += slash < path.len && !has_seen(view_before(path, slash));
    outside_queue += !view_is(path, "queue") && !view_starts(path, VIEW("queue/"));
    loose += (entry->mode & 002) != 0 && entry->type != INSTALL_FIFO;
    bytes_add_byte(&seen, '\n');
    bytes_add(&seen, path);
    bytes_add_byte(&seen, '\n');
}

static void check_list(void)
{
    install_each(false, look);
    same_number(repeated, 0, "no path twice");
    same_number(orphans, 0, "directories come before what is in them");
    same_number(loose, 0, "nothing but the trigger is writable for all");
    unsigned all = count;
    bytes_clear(&seen);
    count = outside_queue = 0;
    install_each(true, look);
    same_number(outside_queue, 0, "queue-only is the queue alone");
    ok(count > 100 && count < all, "and a part of the whole", NULL);
}

static const struct {
    const char *name;
    struct install_entry entry;
    const char *shown, *dir;
} names[] = {
    {"home", {.type = INSTALL_DIR, .path = ""}, "/dest" CONF_QMAIL, "/dest" CONF_QMAIL},
    {"split",
     {.type = INSTALL_DIR, .path = "queue/mess/7"},
     "/dest" CONF_QMAIL "/queue/mess/7",
     "/dest" CONF_QMAIL "/queue/mess"},
    {"lock",
     {.type = INSTALL_KEPT, .path = "queue/lock/tcpto"},
     "/dest" CONF_QMAIL "/queue/lock/tcpto",
     "/dest" CONF_QMAIL "/queue/lock"},
    {"program",
     {.type = INSTALL_FILE, .path = "bin/forward"},
     ".../bin/forward",
     "/dest" CONF_QMAIL "/bin"},
    {"page",
     {.type = INSTALL_PAGE, .path = "man/cat8/x.0"},
     ".../man/cat8/x.0",
     "/dest" CONF_QMAIL "/man/cat8"},
};

int main(void)
{
    check_list();
    setenv("DESTDIR", "/dest", 1);
    for (size_t i = 0; i < COUNT(names); i++) {
        same(view_of(install_shown(&names[i].entry)), view_of(names[i].shown),
             names[i].name);
        same(view_of(install_shown_dir(&names[i].entry)), view_of(names[i].dir),
             names[i].name);
    }
    return tap_done();
}
