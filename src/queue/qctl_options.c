#include "queue/qctl.h"

#include "base/number.h"
#include "base/option.h"

static const char *const states[QCTL_STATES] = {
    [QCTL_NEW] = "new",   [QCTL_DELETING] = "deleting", [QCTL_BOUNCING] = "bouncing",
    [QCTL_HELD] = "held", [QCTL_ACTIVE] = "active",     [QCTL_WAITING] = "waiting",
};

struct unit {
    char letter;
    uint64_t factor;
};

static const struct unit times[] = {
    {'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
static const struct unit sizes[] = {
    {'k', 1024}, {'m', 1024 * 1024}, {'g', 1024 * 1024 * 1024}};

const char *qctl_state_name(enum qctl_state state)
{
    return states[state];
}

/* A number and perhaps a unit. */
static bool read_amount(const char *value, const struct unit *units, size_t count,
                        uint64_t *n)
{
    struct view v = view_of(value);
    if (!number_take(&v, n))
        return false;
    for (size_t i = 0; i < count && v.len == 1; i++)
        if (byte_lower(v.data[0]) == units[i].letter) {
            *n = number_product(*n, units[i].factor);
            return true;
        }
    return v.len == 0;
}

static bool read_state(const char *value, enum qctl_state *state)
{
    for (int i = 0; i < QCTL_STATES; i++)
        if (view_is(view_of(value), states[i])) {
            *state = (enum qctl_state)i;
            return true;
        }
    return false;
}

static bool take_option(struct qctl_options *o, int letter, const char *value)
{
    switch (letter) {
    case 'a':
        return o->all = true;
    case 'n':
        return o->dry = true;
    case 'j':
        return o->json = true;
    case 'H':
        return o->header_only = true;
    case 's':
        return (o->sender = value) != NULL;
    case 'r':
        return (o->recipient = value) != NULL;
    case 'o':
        return o->has_older = read_amount(value, times, COUNT(times), &o->older_s);
    case 'y':
        return o->has_younger = read_amount(value, times, COUNT(times), &o->younger_s);
    case 'l':
        return o->has_larger = read_amount(value, sizes, COUNT(sizes), &o->larger);
    case 'S':
        return o->has_state = read_state(value, &o->state);
    default:
        return false;
    }
}

static bool read_command(struct qctl_options *o, const char *word)
{
    struct view name = view_of(word);
    if (view_is(name, "list")) {
        o->command = QCTL_LIST;
        return true;
    }
    if (view_is(name, "show")) {
        o->command = QCTL_SHOW;
        return true;
    }
    o->command = QCTL_CHANGE;
    return order_verb_of(name, &o->verb) && o->verb != ORDER_STATE;
}

bool qctl_is_choosy(const struct qctl_options *o)
{
    return *o->numbers || o->sender || o->recipient || o->has_older || o->has_younger ||
           o->has_larger || o->has_state;
}

/* What goes with which command. */
static bool options_agree(const struct qctl_options *o)
{
    return (!o->json || o->command == QCTL_LIST) &&
           (!o->dry || o->command == QCTL_CHANGE) &&
           (!o->header_only || o->command == QCTL_SHOW);
}

enum qctl_usage qctl_options_read(struct qctl_options *o, char **argv,
                                  const char **value)
{
    struct options options;
    ino_t number;
    int letter;

    *o = (struct qctl_options){.all = false};
    *value = NULL;
    if (!argv[0] || !argv[1])
        return QCTL_USAGE;
    if (!read_command(o, argv[1])) {
        *value = argv[1];
        return QCTL_USAGE;
    }
    options_begin(&options, argv + 1);
    while ((letter = options_next(&options, "anjHs:r:o:y:l:S:")) != OPTION_END)
        if (letter < 0 || !take_option(o, letter, options.value)) {
            *value = letter < 0 ? NULL : options.value;
            return QCTL_USAGE;
        }
    o->numbers = options.rest;
    for (char **n = o->numbers; *n; n++)
        if (!queue_number(view_of(*n), &number)) {
            *value = *n;
            return QCTL_USAGE;
        }
    if (!options_agree(o))
        return QCTL_USAGE;
    return o->command == QCTL_LIST || o->all || qctl_is_choosy(o) ? QCTL_FINE
                                                                  : QCTL_NOTHING_CHOSEN;
}
