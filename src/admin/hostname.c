/* hostname - print this host's name.
 *
 * runs as  anybody, in the build folder, by config
 * exits    0, 111 where the system does not tell */
#include "base/die.h"
#include "base/error.h"
#include "base/writer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int main(void)
{
    enum { MAX_NAME = 255 };
    char name[MAX_NAME + 2] = "";
    static struct writer out;

    die_name("hostname");
    writer_open(&out, 1, 0);
    if (gethostname(name, MAX_NAME + 1) == -1 && errno != ENAMETOOLONG)
        die_temp("unable to find the host's name: %s", error_text(errno));
    writer_add(&out, view_at(name, strnlen(name, MAX_NAME)));
    writer_add_byte(&out, '\n');
    return writer_flush(&out) ? 0 : DIE_TEMP;
}
