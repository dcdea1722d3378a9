#include "queue/qfix.h"

#include <inttypes.h>
#include <stdio.h>

#define FIX ".fix"

enum qfix_form qfix_name_read(const char *name, uint64_t *number)
{
    struct view v = view_of(name);
    enum qfix_form form = QFIX_PLAIN;
    ino_t n;

    if (view_ends(v, VIEW(FIX))) {
        v = view_before(v, v.len - (sizeof FIX - 1));
        form = QFIX_FIX;
    }
    if (!queue_number(v, &n))
        return QFIX_OTHER;
    *number = n;
    return form;
}

struct qfix_name qfix_name(uint64_t number, enum qfix_form form)
{
    struct qfix_name name;
    snprintf(name.text, sizeof name.text, "%" PRIu64 "%s", number,
             form == QFIX_FIX ? FIX : "");
    return name;
}
