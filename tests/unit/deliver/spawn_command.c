#include "deliver/spawn.h"

#include "tap.h"

#include <stdlib.h>
#include <string.h>

/* Slots are written with \1 here and replaced by as many bytes as they have. */
static const struct {
    const char *name;
    struct view input;
    const char *want; /* "message,sender,recipient;" for each command */
} inputs[] = {
    {"one command",
     VIEW_INIT("\1"
               "1/2\0s@t\0a@b\0"),
     "1/2,s@t,a@b;"},
    {"empty strings",
     VIEW_INIT("\1"
               "\0\0\0"),
     ",,;"},
    {"null sender",
     VIEW_INIT("\1"
               "1/2\0\0a@b\0"),
     "1/2,,a@b;"},
    {"two commands",
     VIEW_INIT("\1"
               "1/2\0s\0a@b\0\1"
               "3/4\0u\0c@d\0"),
     "1/2,s,a@b;3/4,u,c@d;"},
    {"unfinished",
     VIEW_INIT("\1"
               "1/2\0s\0a@b"),
     ""},
    {"slot alone", VIEW_INIT("\1"), ""},
    {"any bytes",
     VIEW_INIT("\1"
               "\377\n\0 \t\0\1\2@\200\0"),
     "\377\n, \t,\1\2@\200;"},
};

/* The input with true slots. A slot can only come where a command begins. */
static void with_slots(struct view input, struct bytes *out)
{
    int strings = 3;
    bytes_clear(out);
    for (size_t i = 0; i < input.len; i++) {
        if (strings == 3) {
            delivery_add_slot(out, 7);
            strings = 0;
            continue;
        }
        bytes_add_byte(out, input.data[i]);
        strings += input.data[i] == '\0';
    }
}

static void add_command(struct spawn_command *c, struct bytes *got)
{
    struct bytes strings;
    struct view message, sender, recipient;
    if (spawn_command_slot(c) != 7)
        bytes_add_text(got, "wrong slot ");
    spawn_command_move(c, &strings);
    spawn_split_strings(&strings, &message, &sender, &recipient);
    bytes_add(got, message);
    bytes_add_byte(got, ',');
    bytes_add(got, sender);
    bytes_add_byte(got, ',');
    bytes_add(got, recipient);
    bytes_add_byte(got, ';');
    bytes_free(&strings);
    spawn_command_clear(c);
}

/* All of input, step bytes at a time. */
static void parse(struct view input, size_t step, struct bytes *got)
{
    struct spawn_command c = {0};
    bytes_clear(got);
    while (input.len) {
        /* a copy, so that a look beyond its end is found */
        size_t len = step < input.len ? step : input.len;
        char *copy = malloc(len);
        memcpy(copy, input.data, len);
        struct view piece = view_at(copy, len);
        while (spawn_command_take(&c, &piece))
            add_command(&c, got);
        ok(piece.len == 0, "all of a piece is taken", NULL);
        free(copy);
        input = view_from(input, len);
    }
    spawn_command_clear(&c);
}

static const char hundred[] = "1234567890123456789012345678901234567890123456789"
                              "01234567890123456789012345678901234567890123456789/";

static const struct {
    const char *name, *message, *recipient, *want;
} names[] = {
    {"good", "1/2", "a@b", NULL},
    {"only digits", "12", "@", NULL},
    {"letters", "1/12a", "a@b", "DInternal error: messid has nonnumerics. (#5.3.5)\n"},
    {"dots", "../1", "a@b", "DInternal error: messid has nonnumerics. (#5.3.5)\n"},
    {"slash first", "/1", "a@b", "DInternal error: messid has nonnumerics. (#5.3.5)\n"},
    {"letters before length",
     "x123456789012345678901234567890123456789012345678901234567890"
     "1234567890123456789012345678901234567890",
     "a@b", "DInternal error: messid has nonnumerics. (#5.3.5)\n"},
    {"100 bytes", hundred, "a@b", "DInternal error: messid too long. (#5.3.5)\n"},
    {"99 bytes", hundred + 1, "a@b", NULL},
    {"empty", "", "a@b", "DInternal error: messid too short. (#5.3.5)\n"},
    {"name before host", "", "a", "DInternal error: messid too short. (#5.3.5)\n"},
    {"no host", "1/2", "a", "DSorry, address must include host name. (#5.1.3)\n"},
    {"no recipient", "1/2", "", "DSorry, address must include host name. (#5.1.3)\n"},
};

int main(void)
{
    struct bytes input = {0}, got = {0};
    for (size_t i = 0; i < COUNT(inputs); i++) {
        with_slots(inputs[i].input, &input);
        for (size_t step = 1; step <= 9; step++) {
            parse(bytes_view(&input), step, &got);
            same(bytes_view(&got), view_of(inputs[i].want), inputs[i].name);
        }
        parse(bytes_view(&input), input.len, &got);
        same(bytes_view(&got), view_of(inputs[i].want), inputs[i].name);
    }
    bytes_free(&input);
    bytes_free(&got);
    for (size_t i = 0; i < COUNT(names); i++) {
        const char *why =
            spawn_check_names(view_of(names[i].message), view_of(names[i].recipient));
        same(view_of(why ? why : "fine"),
             view_of(names[i].want ? names[i].want : "fine"), names[i].name);
    }
    return tap_done();
}
