/* qmail-inject - complete a message that a user or a program wrote, and queue it.
 *
 * runs as  the caller; trusts its environment no further than the caller may
 * fd 0     the message
 * fd 1     under -n: the message as it would be queued
 * fd 2     why not, one line
 * starts   bin/qmail-queue, or what QMAILQUEUE names
 * exits    0 queued or printed, 100 it never can be, 111 try again later */
#include "accept/inject.h"
#include "base/clock.h"
#include "base/die.h"
#include "base/fd.h"
#include "base/heap.h"
#include "base/writer.h"
#include "conf.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* A descriptor that the caller closed stays one that fails: nobody meant to send
 * an empty message, or to print one to nowhere. */
static void fill_descriptors_or_die(void)
{
    const int failing[] = {O_WRONLY, O_RDONLY}; /* for input and for output */

    for (int fd = 0; fd < (int)COUNT(failing); fd++)
        if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", failing[fd]) != fd)
            die_temp("read error");
    if (!fd_fill_standard())
        die_temp("read error");
}

static void read_environment_or_die(struct inject_environment *env)
{
    const char *followup_file = getenv("QMAILMFTFILE");

    inject_environment_read(env, getenv);
    if (followup_file && !inject_mailing_lists_read(env, followup_file))
        die_temp("read error");
}

static void read_options_or_die(struct inject_options *options, char **argv)
{
    struct bytes complaint = {0};

    if (!inject_options_read(options, argv, &complaint)) {
        write_all(2, bytes_view(&complaint));
        _exit(DIE_PERM);
    }
}

static void read_header_or_die(struct inject *in, struct header *header)
{
    struct bytes field = {0};
    enum header_result result;

    while ((result = header_next(header, &field)) == HEADER_FIELD)
        if (!inject_field(in, bytes_view(&field)))
            inject_refuse_line(bytes_view(&field));
    if (result == HEADER_TOO_LONG)
        die_perm("header is longer than %d bytes (#5.3.4)", HEADER_MAX);
    if (result == HEADER_FAILED)
        die_temp("read error");
    bytes_free(&field);
}

int main(int argc, char **argv)
{
    static struct inject in;
    static struct reader input;
    struct header header;
    struct bytes sender = {0}, added = {0};

    (void)argc;
    die_name("qmail-inject");
    heap_on_failure(die_of_memory);
    signal(SIGPIPE, SIG_IGN);
    fill_descriptors_or_die();
    reader_open(&input, 0, 0);

    read_environment_or_die(&in.env);
    if (chdir(CONF_QMAIL) == -1)
        die_temp("internal bug");
    inject_defaults_read_or_die(&in.defaults);
    read_options_or_die(&in.options, argv);
    inject_arguments_or_die(&in);

    header_open(&header, &input);
    read_header_or_die(&in, &header);
    int64_t now = clock_now();
    inject_sender_or_die(&sender, &in, now);
    inject_add_fields_or_die(&added, &in, now);
    inject_send_or_die(&in, bytes_view(&sender), bytes_view(&added), &header);
    return 0;
}
