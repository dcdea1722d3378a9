#include "queue/qctl.h"

#include "tap.h"

static const struct {
    const char *words;
    enum qctl_usage result;
} cases[] = {
    {NULL, QCTL_USAGE},
    {"qctl", QCTL_USAGE},
    {"qctl remove 5", QCTL_USAGE},
    {"qctl state 5", QCTL_USAGE},
    {"qctl list", QCTL_FINE},
    {"qctl list -j 5 6", QCTL_FINE},
    {"qctl list -n", QCTL_USAGE},
    {"qctl list -H", QCTL_USAGE},
    {"qctl show", QCTL_NOTHING_CHOSEN},
    {"qctl show -H 5", QCTL_FINE},
    {"qctl show -j 5", QCTL_USAGE},
    {"qctl try", QCTL_NOTHING_CHOSEN},
    {"qctl try -n", QCTL_NOTHING_CHOSEN},
    {"qctl try -na", QCTL_FINE},
    {"qctl hold -s x", QCTL_FINE},
    {"qctl hold -sx", QCTL_FINE},
    {"qctl hold -s", QCTL_USAGE},
    {"qctl release -r x", QCTL_FINE},
    {"qctl return -o 3d", QCTL_FINE},
    {"qctl return -o 3x", QCTL_USAGE},
    {"qctl return -o d", QCTL_USAGE},
    {"qctl return -o 3dd", QCTL_USAGE},
    {"qctl delete -y 90", QCTL_FINE},
    {"qctl delete -l 10M", QCTL_FINE},
    {"qctl delete -l 10d", QCTL_USAGE},
    {"qctl delete -S held", QCTL_FINE},
    {"qctl delete -S gone", QCTL_USAGE},
    {"qctl delete -x", QCTL_USAGE},
    {"qctl delete 05", QCTL_USAGE},
    {"qctl delete 5 x", QCTL_USAGE},
    {"qctl delete -- 5", QCTL_FINE},
    {"qctl delete 5 -a", QCTL_USAGE},
};

int main(void)
{
    struct qctl_options o;
    const char *value;

    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *name = cases[i].words ? cases[i].words : "(no words at all)";
        ok(qctl_options_read(&o, tap_words(cases[i].words), &value) == cases[i].result,
           name, NULL);
    }
    ok(qctl_options_read(&o, tap_words("qctl hold -o 2w -y 36h -l 5k -S new 7"),
                         &value) == QCTL_FINE,
       "all of them", NULL);
    ok(o.command == QCTL_CHANGE && o.verb == ORDER_HOLD && o.has_older &&
           o.has_younger && o.has_larger && o.has_state && o.state == QCTL_NEW,
       "all of them", "read");
    same_number(o.older_s, 1209600, "weeks");
    same_number(o.younger_s, 129600, "hours");
    same_number(o.larger, 5120, "kilobytes");
    same(view_of(o.numbers[0]), VIEW("7"), "number");
    (void)qctl_options_read(&o, tap_words("qctl hold -o 99999999999999999999w"),
                            &value);
    same_number(o.older_s, UINT64_MAX, "an age beyond all");
    return tap_done();
}
