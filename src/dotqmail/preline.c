/* preline - give a program the message with the lines of its delivery in front.
 *
 * runs as  the owner of a .qmail file
 * fd 0     the message, from where it is; a pipe will do
 * fd 2     why not
 * reads    UFLINE, RPLINE and DTLINE of the environment
 * exits    as the program does; 100 it cannot be run, 111 try again */
#include "base/die.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/heap.h"
#include "base/option.h"
#include "base/process.h"
#include "base/signals.h"
#include "base/writer.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    LINES = 3,
    COPY_ROOM = 65536,
    SPARED = 8192 /* the last bytes, which the program need not take */
};

/* The lines, in order, and the options that leave them out and put them back. */
static struct {
    const char *variable;
    char without, with;
    const char *line;
    bool left_out;
} lines[LINES] = {{"UFLINE", 'f', 'F', NULL, false},
                  {"RPLINE", 'r', 'R', NULL, false},
                  {"DTLINE", 'd', 'D', NULL, false}};

#define USAGE "preline: usage: preline cmd [ arg ... ]\n"

static void read_lines_or_die(void)
{
    for (size_t i = 0; i < LINES; i++) {
        lines[i].line = getenv(lines[i].variable);
        if (!lines[i].line)
            die_raw(DIE_PERM, USAGE);
    }
}

static _Noreturn void die_of_option(const struct options *options, int code)
{
    struct bytes text = {0};
    options_complain(options, code, &text);
    bytes_add_text(&text, USAGE);
    write_all(2, bytes_view(&text));
    _exit(DIE_PERM);
}

/* The command: what follows the options. */
static char **read_options_or_die(char **argv)
{
    struct options options;
    int option;

    options_begin(&options, argv);
    while ((option = options_next(&options, "frdFRD")) != OPTION_END) {
        if (option < 0)
            die_of_option(&options, option);
        for (size_t i = 0; i < LINES; i++)
            if (option == lines[i].without || option == lines[i].with)
                lines[i].left_out = option == lines[i].without;
    }
    if (!options.rest[0])
        die_raw(DIE_PERM, USAGE);
    return options.rest;
}

/* Starts the command; *input is the pipe on its descriptor 0. */
static pid_t start_or_die(char **command, int *input)
{
    struct bytes exec = {0};
    int ends[2];

    if (!fd_pipe(ends))
        die_temp("unable to create pipe: %s", error_text(errno));
    bytes_add_format(&exec, "preline: fatal: unable to run %s: ", command[0]);
    struct process p = {
        .argv = command,
        .fds = {{ends[0], 0}},
        .fd_count = 1,
        .default_sigpipe = true,
        .failures = {.fds = DIE_TEMP, .exec_temp = DIE_TEMP, .exec_perm = DIE_PERM},
        .complaint = {.exec = bytes_cstring(&exec),
                      .fds = "preline: fatal: unable to set up fds: ",
                      .after = "\n"},
    };
    pid_t pid = process_start(&p);
    if (pid == -1)
        die_temp("unable to fork: %s", error_text(errno));
    fd_close(&ends[0]);
    bytes_free(&exec);
    *input = ends[1];
    return pid;
}

/* Writes the lines and descriptor 0 to the program. A program that stops reading
 * near the end has had enough, and its own exit code counts; one that leaves more
 * than that has not read the message. */
static void copy_or_die(int to)
{
    static char block[COPY_ROOM];
    struct bytes waiting = {0};

    for (size_t i = 0; i < LINES; i++)
        if (!lines[i].left_out)
            bytes_add_text(&waiting, lines[i].line);
    for (;;) {
        ssize_t n = fd_read(0, block, COPY_ROOM);
        if (n == 0)
            break;
        if (n > 0) {
            bytes_add(&waiting, view_at(block, (size_t)n));
            size_t ready = waiting.len > SPARED ? waiting.len - SPARED : 0;
            if (write_all(to, view_before(bytes_view(&waiting), ready))) {
                bytes_set(&waiting, view_from(bytes_view(&waiting), ready));
                continue;
            }
        }
        die_temp("unable to copy input: %s", error_text(errno));
    }
    write_all(to, bytes_view(&waiting));
    bytes_free(&waiting);
}

int main(int argc, char **argv)
{
    int input, status;

    (void)argc;
    die_name("preline");
    heap_on_failure(die_of_memory);
    if (!fd_fill_standard())
        die_temp("unable to open /dev/null: %s", error_text(errno));
    signals_ignore(SIGPIPE);
    signals_default(SIGCHLD); /* or its end would be lost */
    read_lines_or_die();
    char **command = read_options_or_die(argv);
    pid_t pid = start_or_die(command, &input);
    copy_or_die(input);
    fd_close(&input);
    if (!process_wait(pid, &status))
        die_temp("wait failed: %s", error_text(errno));
    if (!WIFEXITED(status))
        die_temp("child crashed");
    return WEXITSTATUS(status);
}
