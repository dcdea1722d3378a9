/* qmail-tcpto - show the addresses that did not answer of late.
 *
 * runs as  root, or qmailr with group qmail
 * fd 1     a line for each, and what goes wrong
 * exits    0, 111 when it cannot read the table */
#include "base/clock.h"
#include "base/error.h"
#include "base/writer.h"
#include "conf.h"
#include "mail/tcpto.h"

#include <errno.h>
#include <unistd.h>

enum { EXIT_TEMP = 111 };

static struct writer out;

/* By custom this program complains on descriptor 1. */
static _Noreturn void fail(const char *deed, const char *thing)
{
    const char *reason = error_text(errno);
    writer_add_text(&out, "fatal: unable to ");
    writer_add_text(&out, deed);
    writer_add_text(&out, thing);
    writer_add_text(&out, ": ");
    writer_add_text(&out, reason);
    writer_add_byte(&out, '\n');
    writer_flush(&out);
    _exit(EXIT_TEMP);
}

static void show_record(const struct tcpto_record *record)
{
    uint32_t age_s = tcpto_age(record, clock_now());
    if (age_s > INT32_MAX) /* a time to come */
        age_s = 0;
    writer_add_text(&out, ip_format(&record->ip).text);
    writer_add_text(&out, " timed out ");
    writer_add_number(&out, age_s);
    writer_add_text(&out, " seconds ago; # recent timeouts: ");
    writer_add_number(&out, record->count);
    writer_add_byte(&out, '\n');
}

static void show_table(enum ip_family family, const char *name)
{
    static struct tcpto_table table;
    struct tcpto_record record;
    switch (tcpto_open(&table, "..", family)) {
    case TCPTO_DONE:
        break;
    case TCPTO_NOT_OPENED:
        if (family == IP_V6 && errno == ENOENT)
            return; /* nobody remembers IPv6 addresses in this queue */
        fail("open ", name);
    case TCPTO_NOT_LOCKED:
        fail("lock ", name);
    case TCPTO_NOT_READ:
    case TCPTO_NOT_CLEARED:
        fail("read ", name);
    }
    for (size_t i = 0; tcpto_record(&table, i, &record); i++)
        if (record.count)
            show_record(&record);
    tcpto_close(&table);
}

int main(void)
{
    writer_open(&out, 1, 0);
    if (chdir(CONF_QMAIL) == -1 || chdir("queue/lock") == -1)
        fail("chdir", "");
    show_table(IP_V4, "tcpto");
    show_table(IP_V6, "tcpto6");
    return writer_flush(&out) ? 0 : EXIT_TEMP;
}
