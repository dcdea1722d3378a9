#include "queue/queue.h"

#include "mail/date.h"

void queue_received(struct bytes *line, const struct queue_origin *origin,
                    const struct queue_users *users)
{
    bytes_add_text(line, "Received: (qmail ");
    bytes_add_number(line, (uint64_t)origin->pid);
    bytes_add_text(line, " invoked ");
    if (origin->uid == users->alias) {
        bytes_add_text(line, "by alias");
    } else if (origin->uid == users->daemon) {
        bytes_add_text(line, "from network");
    } else if (origin->uid == users->send) {
        bytes_add_text(line, "for bounce");
    } else {
        bytes_add_text(line, "by uid ");
        bytes_add_number(line, origin->uid);
    }
    bytes_add_text(line, "); ");
    date_add(line, origin->time);
    bytes_add_byte(line, '\n');
}
