#include "queue/qfix.h"

#include "base/die.h"
#include "base/error.h"
#include "base/writer.h"

#include <errno.h>

enum { SOUND = 0, CAN_BE_FIXED = 1, FOR_A_HUMAN = 2 };

bool qfix_repairs;

static struct {
    uint64_t problems, fixed;
    struct bytes line;
} state;

/* Each line at once: it says what has been done. */
static void print(void)
{
    bytes_add_byte(&state.line, '\n');
    if (!write_all(1, bytes_view(&state.line)))
        die_temp("unable to write: %s", error_text(errno));
    bytes_clear(&state.line);
}

void qfix_report(const char *code, const char *path, const uint64_t *detail,
                 enum qfix_result result)
{
    static const char *const words[] = {[QFIX_FIXED] = ": fixed",
                                        [QFIX_ASIDE] = ": kept aside",
                                        [QFIX_LEFT] = ": not fixed"};
    state.problems++;
    state.fixed += result == QFIX_FIXED;
    bytes_add_text(&state.line, code);
    bytes_add_byte(&state.line, ' ');
    bytes_add_text(&state.line, *path ? path : ".");
    if (detail) {
        bytes_add_byte(&state.line, ' ');
        bytes_add_number(&state.line, *detail);
    }
    bytes_add_text(&state.line, qfix_repairs ? words[result] : "");
    print();
}

int qfix_end(uint64_t messages)
{
    bytes_add_text(&state.line, "qmail-qfix: ");
    bytes_add_number(&state.line, messages);
    bytes_add_text(&state.line, " messages, ");
    bytes_add_number(&state.line, state.problems);
    bytes_add_text(&state.line, " problems");
    if (qfix_repairs) {
        bytes_add_text(&state.line, ", ");
        bytes_add_number(&state.line, state.fixed);
        bytes_add_text(&state.line, " fixed");
    }
    print();
    bytes_free(&state.line);
    if (state.problems > state.fixed)
        return FOR_A_HUMAN;
    return state.problems && !qfix_repairs ? CAN_BE_FIXED : SOUND;
}
