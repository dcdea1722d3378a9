#include "admin/showctl.h"
#include "base/cdb.h"
#include "mail/assign.h"

#include <string.h>

#define ASSIGN "users/assign"
#define CDB "users/cdb"
#define NEWU "run qmail-newu"

static const struct view nothing = {NULL, 0};

static const struct showctl_place assign = {.path = ASSIGN}, cdb = {.path = CDB};

/* What is in the database besides what is wrong with it. */
struct contents {
    struct showctl_findings *findings;
    bool has_wildcards; /* the record without which nothing is found */
};

/* Every record but that one is an entry: "!", the local part, and a NUL unless it
 * stands for all that begin so. */
static void check_record(void *arg, struct view key, struct view data)
{
    struct contents *c = arg;
    struct bytes entry = {0};
    struct assign a;

    if (key.len == 0) {
        c->has_wildcards = true;
        return;
    }
    struct view local = view_from(key, 1);
    if (view_ends(local, VIEW("\0")))
        local.len--;
    bytes_set(&entry, data);
    switch (key.data[0] == '!' ? assign_parse(&entry, &a) : ASSIGN_BAD) {
    case ASSIGN_BAD:
        showctl_find(c->findings, cdb, local, "is not an entry as it has to be",
                     "correct its line in " ASSIGN " and " NEWU);
        break;
    case ASSIGN_ROOT:
        showctl_find(c->findings, cdb, local,
                     "is for root, as whom nothing is delivered",
                     "give it a user in " ASSIGN " and " NEWU);
        break;
    case ASSIGN_FOUND:
    case ASSIGN_ABSENT:
    case ASSIGN_FAILED:
        break;
    }
    bytes_free(&entry);
}

static void check_database(struct showctl_findings *f)
{
    struct contents contents = {.findings = f};
    struct bytes text = {0};
    struct stat st;

    if (!showctl_check_owner(f, CDB, &st) || !showctl_read(f, CDB, &text))
        return;
    if (!cdb_each(bytes_view(&text), check_record, &contents) ||
        !contents.has_wildcards)
        showctl_find(f, cdb, nothing,
                     "is damaged, so that no local mail can be delivered", NEWU);
    bytes_free(&text);
}

void showctl_check_users(struct showctl_findings *f)
{
    struct stat st;

    showctl_check_owner(f, ASSIGN, &st);
    check_database(f);
    switch (showctl_compare_times(ASSIGN, CDB)) {
    case SHOWCTL_SOURCE_ALONE:
        showctl_find(f, assign, nothing, "has no effect without " CDB, NEWU);
        break;
    case SHOWCTL_OUTDATED:
        showctl_find(f, assign, nothing, "is newer than " CDB ", which counts", NEWU);
        break;
    case SHOWCTL_NO_DATABASE:
    case SHOWCTL_DATABASE_ALONE:
    case SHOWCTL_CURRENT:
        break;
    }
}
