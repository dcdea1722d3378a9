#include "deliver/local.h"

#include "base/die.h"
#include "base/writer.h"
#include "mail/dotqmail.h"

/* The words of -n, and of the complaint about instructions that are not allowed. */
static const struct {
    const char *described, *forbidden;
} words[] = {
    [DOTQMAIL_MBOX] = {"mbox ", "file"},
    [DOTQMAIL_MAILDIR] = {"maildir ", "file"},
    [DOTQMAIL_PROGRAM] = {"program ", "prog"},
    [DOTQMAIL_FORWARD] = {"forward ", NULL},
};

static void count(enum dotqmail_kind kind, struct local_done *done)
{
    if (kind == DOTQMAIL_FORWARD)
        done->forwards++;
    else if (kind == DOTQMAIL_PROGRAM)
        done->programs++;
    else
        done->files++;
}

static void describe(enum dotqmail_kind kind, struct view text)
{
    struct bytes line = {0};
    bytes_add_text(&line, words[kind].described);
    bytes_add(&line, text);
    bytes_add_byte(&line, '\n');
    write_all(1, bytes_view(&line)); /* for a reader who is gone there is no cure */
    bytes_free(&line);
}

/* False if the program wants no further line to be looked at. */
static bool deliver_or_die(const struct local *d, enum dotqmail_kind kind,
                           struct view text, struct local_done *done)
{
    struct bytes copy = {0};
    bool go_on = true;

    if (kind == DOTQMAIL_FORWARD) {
        bytes_add(&done->recipients, text);
        bytes_add_byte(&done->recipients, '\0');
        return true;
    }
    bytes_set(&copy, text);
    const char *argument = bytes_cstring(&copy); /* no line has a NUL in it */
    if (kind == DOTQMAIL_MBOX)
        local_to_mbox_or_die(d, argument);
    else if (kind == DOTQMAIL_MAILDIR)
        local_to_maildir_or_die(d, argument);
    else
        go_on = local_to_program_or_die(argument);
    bytes_free(&copy);
    return go_on;
}

void local_follow_or_die(const struct local *d, struct local_done *done)
{
    struct dotqmail_lines lines = {.rest = bytes_view(&d->instructions)};
    struct dotqmail_line line;
    bool forward_only = d->forward_only, go_on = true;

    while (go_on && dotqmail_lines_next(&lines, &line)) {
        if (line.kind == DOTQMAIL_BLANK_FIRST)
            die_raw(LOCAL_TEMP,
                    "Uh-oh: first line of .qmail file is blank. (#4.2.1)\n");
        if (line.kind == DOTQMAIL_LIST)
            forward_only = true;
        if (line.kind == DOTQMAIL_LIST || line.kind == DOTQMAIL_NOTHING)
            continue;
        if (forward_only && line.kind != DOTQMAIL_FORWARD)
            die_raw(LOCAL_TEMP,
                    "Uh-oh: .qmail has %s delivery but has x bit set. (#4.7.0)\n",
                    words[line.kind].forbidden);
        if (d->describe)
            describe(line.kind, line.text);
        else
            go_on = deliver_or_die(d, line.kind, line.text, done);
        count(line.kind, done);
    }
    if (done->forwards && !d->describe)
        local_forward_or_die(d, done);
}
