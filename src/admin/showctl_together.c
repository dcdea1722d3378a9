#include "admin/showctl.h"
#include "base/cdb.h"
#include "base/fd.h"
#include "conf.h"
#include "mail/address.h"
#include "mail/domain.h"

#include <string.h>
#include <unistd.h>

static const struct view nothing = {NULL, 0};

/* The files that say which domains are whose, as they are read by the programs. */
struct domains {
    struct showctl_findings *findings;
    const char *path; /* of the file whose entries are looked at */
    struct control_list locals, virtualdomains, rcpthosts, morercpthosts;
    bool has_rcpthosts;
    int more_fd; /* morercpthosts.cdb, or -1 */
};

static void find_whole(struct showctl_findings *f, const char *path,
                       const char *problem, const char *remedy)
{
    showctl_find(f, (struct showctl_place){.path = path}, nothing, problem, remedy);
}

static void find_entry(const struct domains *d, size_t line, struct view entry,
                       const char *problem, const char *remedy)
{
    struct showctl_place where = {.path = d->path, .line = line};
    showctl_find(d->findings, where, entry, problem, remedy);
}

/* Names that no other host can mean. */
static bool is_for_this_host_alone(struct view domain)
{
    return view_is_case(domain, "localhost") ||
           view_is_case(domain, "localhost.localdomain") ||
           view_starts(domain, VIEW("["));
}

/* The keys of domain_find(), in morercpthosts.cdb. */
static bool is_in_database(int fd, struct view domain)
{
    struct bytes name = {0}, data = {0};
    enum cdb_result found = CDB_ABSENT;

    bytes_set(&name, domain);
    bytes_lower(&name);
    for (size_t i = 0; fd != -1 && i < name.len && found == CDB_ABSENT; i++)
        if (i == 0 || name.data[i] == '.')
            found = cdb_find(fd, view_from(bytes_view(&name), i), &data);
    bytes_free(&name);
    bytes_free(&data);
    return found != CDB_ABSENT; /* damage is told elsewhere */
}

/* Whether qmail-smtpd takes mail for domain. What qmail-newmrh has still to do is told
 * elsewhere. */
static bool is_accepted(const struct domains *d, struct view domain)
{
    return !d->has_rcpthosts || is_for_this_host_alone(domain) ||
           domain_find(&d->rcpthosts.table, domain, NULL) ||
           domain_find(&d->morercpthosts.table, domain, NULL) ||
           is_in_database(d->more_fd, domain);
}

static void check_local(void *arg, size_t line, struct view entry)
{
    const struct domains *d = arg;
    if (showctl_is_domain(entry) && !is_accepted(d, entry))
        find_entry(d, line, entry, "is not in rcpthosts, so no mail for it is taken",
                   "add it to rcpthosts");
}

static void check_virtual(void *arg, size_t line, struct view entry)
{
    const struct domains *d = arg;
    struct view prepend = entry, key = view_cut(&prepend, ':'), local, domain;

    if (key.len == entry.len || prepend.len == 0)
        return;
    bool is_address = address_split(key, &local, &domain);
    if (!is_address)
        domain = key;
    if (domain.len && control_list_has(&d->locals, domain))
        find_entry(d, line, entry,
                   "has a domain that is in locals, which counts; this line does not",
                   is_address ? "use .qmail files, or take the domain out of locals"
                              : "take the domain out of one of them");
    else if (domain.len && !is_accepted(d, domain))
        find_entry(d, line, entry,
                   "has a domain that is not in rcpthosts, so no mail for it is taken",
                   "add it to rcpthosts");
}

static void check_route(void *arg, size_t line, struct view entry)
{
    const struct domains *d = arg;
    struct view value = entry, key = view_cut(&value, ':'), prepend;

    if (key.len == 0 || value.len == 0)
        return;
    bool is_virtual =
        table_find(&d->virtualdomains.table, key, &prepend) && prepend.len > 0;
    if (control_list_has(&d->locals, key) || is_virtual)
        find_entry(d, line, entry,
                   is_virtual ? "is for a domain that is in virtualdomains, so it is "
                                "never used"
                              : "is for a domain that is in locals, so it is never "
                                "used",
                   "take the domain out of one of them");
}

static void check_each(struct domains *d, const char *path, showctl_each *each)
{
    struct bytes text = {0};
    struct showctl_findings unheard = {0}; /* trouble with the file is told elsewhere */
    d->path = path;
    if (showctl_read(&unheard, path, &text))
        showctl_each_entry(bytes_view(&text), each, d);
    bytes_free(&unheard.out);
    bytes_free(&text);
}

/* -- single files that something else belongs to */

static void check_me(struct showctl_findings *f, bool has_me)
{
    if (!has_me)
        find_whole(f, "control/me", "is missing, and most programs need it",
                   "run ./config-fast your.full.host.name in the source folder");
}

static void check_rcpthosts(struct showctl_findings *f, bool has_rcpthosts)
{
    if (!has_rcpthosts)
        find_whole(f, "control/rcpthosts",
                   "is missing, so everybody may send mail to everybody (open relay)",
                   "write the domains that mail is taken for into it");
}

static void check_percenthack(struct showctl_findings *f)
{
    struct control_list list = {0};
    if (control_read_list("percenthack", &list) == CONTROL_READ && list.entries.len)
        find_whole(f, "control/percenthack",
                   "lets everybody send mail to everybody, as user%host@domain (open "
                   "relay)",
                   "remove it unless only your own hosts can connect");
    control_list_free(&list);
}

static void check_tlsclient(struct showctl_findings *f)
{
    struct bytes program = {0};
    struct stat st;
    if (control_line("tlsclient", &program) == CONTROL_READ && program.len) {
        const char *path = bytes_cstring(&program);
        if (!path || stat(path, &st) == -1 || !S_ISREG(st.st_mode) ||
            !(st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)))
            showctl_find(f,
                         (struct showctl_place){.path = "control/tlsclient", .line = 1},
                         bytes_view(&program), "is no program, so mail is put off",
                         "write its path, from " CONF_QMAIL
                         ", or remove the file to send without TLS");
    }
    bytes_free(&program);
}

static void ignore_record(void *arg, struct view key, struct view data)
{
    (void)arg, (void)key, (void)data;
}

static void check_morercpthosts(struct showctl_findings *f)
{
    static const char source[] = "control/morercpthosts",
                      cdb[] = "control/morercpthosts.cdb",
                      newmrh[] = "run qmail-newmrh";
    struct showctl_findings unheard = {0};
    struct bytes text = {0};

    if (showctl_read(&unheard, cdb, &text) &&
        !cdb_each(bytes_view(&text), ignore_record, NULL))
        find_whole(f, cdb, "is damaged, so that mail is refused for now", newmrh);
    bytes_free(&unheard.out);
    bytes_free(&text);
    switch (showctl_compare_times(source, cdb)) {
    case SHOWCTL_SOURCE_ALONE:
        find_whole(f, source, "has no effect without morercpthosts.cdb", newmrh);
        break;
    case SHOWCTL_OUTDATED:
        find_whole(f, source, "is newer than morercpthosts.cdb, which counts", newmrh);
        break;
    case SHOWCTL_DATABASE_ALONE:
        find_whole(f, cdb,
                   "counts, but morercpthosts, which it was made of, is missing",
                   "write that anew, or remove this");
        break;
    case SHOWCTL_NO_DATABASE:
    case SHOWCTL_CURRENT:
        break;
    }
}

/* Without locals, me is local. */
static void check_default_local(struct domains *d, const struct bytes *me)
{
    if (d->locals.entries.len == 0 && me && me->len) {
        bytes_set(&d->locals.entries, bytes_view(me));
        bytes_add_byte(&d->locals.entries, '\0');
        struct view name = view_before(bytes_view(&d->locals.entries), me->len);
        table_add(&d->locals.table, name, name);
        d->path = "control/me";
        check_local(d, 1, name);
    }
}

void showctl_check_together(struct showctl_findings *f)
{
    struct domains d = {.findings = f};
    struct bytes me = {0};
    bool has_me = control_line("me", &me) != CONTROL_ABSENT;

    check_me(f, has_me);
    d.has_rcpthosts = control_read_list("rcpthosts", &d.rcpthosts) != CONTROL_ABSENT;
    check_rcpthosts(f, d.has_rcpthosts);
    control_read_list("morercpthosts", &d.morercpthosts);
    control_read_map("virtualdomains", &d.virtualdomains);
    d.more_fd = fd_open_read("control/morercpthosts.cdb");
    if (control_read_list("locals", &d.locals) == CONTROL_ABSENT)
        check_default_local(&d, has_me ? &me : NULL);
    check_each(&d, "control/locals", check_local);
    check_each(&d, "control/virtualdomains", check_virtual);
    check_each(&d, "control/smtproutes", check_route);
    check_percenthack(f);
    check_tlsclient(f);
    check_morercpthosts(f);
    fd_close(&d.more_fd);
    control_list_free(&d.locals);
    control_list_free(&d.virtualdomains);
    control_list_free(&d.rcpthosts);
    control_list_free(&d.morercpthosts);
    bytes_free(&me);
}
