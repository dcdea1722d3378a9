#include "queue/queue.h"

#include "tap.h"

enum { TIME = 1793928853 }; /* 6 Nov 2026 01:34:13 */

static const struct queue_users apart = {.alias = 1, .daemon = 2, .send = 3};
static const struct queue_users two = {.alias = 1, .daemon = 2, .send = 2};
static const struct queue_users one = {.alias = 7, .daemon = 7, .send = 7};

static const struct {
    const char *name;
    const struct queue_users *users;
    uid_t uid;
    const char *how;
} cases[] = {
    {"alias", &apart, 1, "by alias"},
    {"daemon", &apart, 2, "from network"},
    {"send", &apart, 3, "for bounce"},
    {"other", &apart, 4, "by uid 4"},
    {"root", &apart, 0, "by uid 0"},
    {"largest", &apart, 4294967294, "by uid 4294967294"},
    {"daemon before send", &two, 2, "from network"},
    {"alias before all", &one, 7, "by alias"},
};

int main(void)
{
    struct bytes got = {0}, want = {0};

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct queue_origin origin = {.pid = 25614, .uid = cases[i].uid, .time = TIME};
        bytes_clear(&got);
        bytes_clear(&want);
        queue_received(&got, &origin, cases[i].users);
        bytes_add_format(&want,
                         "Received: (qmail 25614 invoked %s); "
                         "6 Nov 2026 01:34:13 -0000\n",
                         cases[i].how);
        same(bytes_view(&got), bytes_view(&want), cases[i].name);
    }
    bytes_free(&got);
    bytes_free(&want);
    return tap_done();
}
