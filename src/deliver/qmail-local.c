/* qmail-local - deliver a message to one local address, as its owner says in a
 * .qmail file.
 *
 * runs as  the owner of the address, started by qmail-lspawn
 * fd 0     the message, seekable
 * fd 1     what was done; with 2, the report of the delivery
 * fd 2     why not
 * exits    0 delivered, 100 failed for good, 111 try again
 * reads    .qmail files in the home directory; writes what they name */
#include "base/clock.h"
#include "base/die.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/heap.h"
#include "base/option.h"
#include "base/signals.h"
#include "base/writer.h"
#include "conf.h"
#include "deliver/local.h"
#include "mail/dotqmail.h"
#include "mail/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#define USAGE                                                                     \
    "qmail-local: usage: qmail-local [ -nN ] user homedir local dash ext domain " \
    "sender aliasempty\n"

extern char **environ;

static void die_of_memory_here(void)
{
    die_raw(LOCAL_TEMP, "Out of memory. (#4.3.0)\n");
}

static _Noreturn void die_of_option(const struct options *options, int code)
{
    struct bytes text = {0};
    options_complain(options, code, &text);
    bytes_add_text(&text, USAGE);
    write_all(2, bytes_view(&text));
    _exit(LOCAL_PERM);
}

static void read_arguments_or_die(struct local *d, char **argv)
{
    const char **const fields[] = {&d->user, &d->home,   &d->local,  &d->dash,
                                   &d->ext,  &d->domain, &d->sender, &d->fallback};
    struct options options;
    size_t count = 0;
    int option;

    options_begin(&options, argv);
    while ((option = options_next(&options, "nN")) != OPTION_END) {
        if (option < 0)
            die_of_option(&options, option);
        d->describe = option == 'n';
    }
    while (options.rest[count])
        count++;
    if (count != COUNT(fields) || options.rest[1][0] != '/')
        die_raw(LOCAL_PERM, USAGE);
    for (size_t i = 0; i < count; i++)
        *fields[i] = options.rest[i];
}

static void enter_home_or_die(const struct local *d)
{
    switch (dotqmail_enter_home(d->home)) {
    case DOTQMAIL_HOME_ENTERED:
        return;
    case DOTQMAIL_HOME_CLOSED:
        die_raw(LOCAL_TEMP, "Unable to switch to %s: %s. (#4.3.0)\n", d->home,
                error_text(errno));
    case DOTQMAIL_HOME_FAILED:
        die_raw(LOCAL_TEMP, "Unable to stat home directory: %s. (#4.3.0)\n",
                error_text(errno));
    case DOTQMAIL_HOME_WRITABLE:
        die_raw(LOCAL_TEMP, "Uh-oh: home directory is writable. (#4.7.0)\n");
    case DOTQMAIL_HOME_STICKY:
        break;
    }
    if (!d->describe)
        die_raw(LOCAL_TEMP, "Home directory is sticky: user is editing his .qmail "
                            "file. (#4.2.1)\n");
    write_all(2, VIEW("Warning: home directory is sticky.\n"));
}

static void make_lines(struct local *d)
{
    struct view sender = view_of(d->sender);
    trace_add_delivered_to(&d->delivered_to, view_of(d->local), view_of(d->domain));
    trace_add_return_path(&d->return_path, sender);
    trace_add_from(&d->from, sender, clock_now());
}

/* The mail is delivered, whoever hears of it. Were there not enough memory to say so,
 * it would be delivered once more by the next attempt: none is needed. */
static void say_what_was_done(const struct local_done *done)
{
    struct writer text;
    writer_open(&text, 1, 0);
    writer_add_text(&text, "did ");
    writer_add_number(&text, done->files);
    writer_add_byte(&text, '+');
    writer_add_number(&text, done->forwards);
    writer_add_byte(&text, '+');
    writer_add_number(&text, done->programs);
    writer_add_byte(&text, '\n');
    if (done->queued_by) {
        writer_add_text(&text, "qp ");
        writer_add_number(&text, (uint64_t)done->queued_by);
        writer_add_byte(&text, '\n');
    }
    writer_flush(&text);
}

int main(int argc, char **argv)
{
    static struct local d;
    static struct local_done done;

    (void)argc;
    heap_on_failure(die_of_memory_here);
    bool has_message = fcntl(0, F_GETFD) != -1;
    if (!fd_fill_standard())
        _exit(LOCAL_TEMP);
    umask(077);
    signals_ignore(SIGPIPE);
    signals_default(SIGCHLD); /* or the ends of our children would be lost */
    signals_survive(SIGXFSZ);

    read_arguments_or_die(&d, argv);
    enter_home_or_die(&d);
    make_lines(&d);
    if (!d.describe) {
        if (!has_message)
            die_raw(LOCAL_TEMP, "Unable to rewind message. (#4.3.0)\n");
        local_refuse_loop_or_die(&d);
    }
    local_find_instructions_or_die(&d);
    environ = local_environment(&d, environ);
    local_follow_or_die(&d, &done);
    say_what_was_done(&done);
    return LOCAL_OK;
}
