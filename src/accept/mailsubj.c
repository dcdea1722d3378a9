/* mailsubj - send mail with a subject and recipients from the command line.
 *
 * runs as  the caller
 * fd 0     the body
 * starts   bin/qmail-inject
 * exits    as qmail-inject; 100 usage, 111 it cannot be run */
#include "accept/feed.h"
#include "base/die.h"
#include "base/heap.h"
#include "conf.h"

#include <signal.h>

int main(int argc, char **argv)
{
    static char inject[] = CONF_QMAIL "/bin/qmail-inject";
    struct bytes header = {0};

    die_name("mailsubj");
    heap_on_failure(die_of_memory);
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2)
        die_raw(DIE_PERM, "mailsubj: usage: mailsubj subject recip ...\n");

    bytes_add_text(&header, "Subject: ");
    bytes_add_text(&header, argv[1]);
    bytes_add_text(&header, "\nTo:");
    for (int i = 2; i < argc; i++) {
        bytes_add_byte(&header, ' ');
        bytes_add_text(&header, argv[i]);
    }
    bytes_add_text(&header, "\n\n");
    return feed_or_die("mailsubj", (char *[]){inject, NULL}, bytes_view(&header));
}
