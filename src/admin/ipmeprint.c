/* ipmeprint - print this host's own IPv4 addresses, 0.0.0.0 first.
 *
 * runs as  anybody, in the build folder, by config
 * exits    0, 111 where the system does not tell */
#include "base/die.h"
#include "base/error.h"
#include "base/heap.h"
#include "base/writer.h"
#include "net/ip.h"

#include <errno.h>

int main(void)
{
    static struct writer out;
    struct ip_own own = {0};

    die_name("ipmeprint");
    heap_on_failure(die_of_memory);
    writer_open(&out, 1, 0);
    if (!ip_own_read(&own))
        die_temp("unable to list the interfaces: %s", error_text(errno));
    for (size_t i = 0; i < own.count; i++) {
        if (own.list[i].family != IP_V4)
            continue;
        writer_add_text(&out, ip_format(&own.list[i]).text);
        writer_add_byte(&out, '\n');
    }
    return writer_flush(&out) ? 0 : DIE_TEMP;
}
