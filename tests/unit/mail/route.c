#include "mail/route.h"

#include "fault.h"
#include "tap.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static struct route_rules rules;

/* Recipients under the rules of main(), what becomes of them, and what a failure
 * note calls them. */
static const struct {
    const char *recipient;
    enum route route;
    const char *rewritten;
    const char *plain; /* NULL: as rewritten */
} cases[] = {
    {"Info@V.test", ROUTE_LOCAL, "joe-list-Info@V.test", "Info@V.test"},
    {"ann@v.test", ROUTE_LOCAL, "special-ann@v.test", "ann@v.test"},
    {"Ann@V.Test", ROUTE_LOCAL, "special-Ann@V.Test", "Ann@V.Test"},
    {"u@x.wild", ROUTE_REMOTE, "u@x.wild", NULL},
    {"u@y.wild", ROUTE_LOCAL, "a-u@y.wild", "u@y.wild"},
    {"u@z.y.wild", ROUTE_LOCAL, "a-u@z.y.wild", "u@z.y.wild"},
    {"u@b.wild", ROUTE_LOCAL, "a-u@b.wild", "u@b.wild"},
    {"u@x.b.wild", ROUTE_LOCAL, "deep-u@x.b.wild", "u@x.b.wild"},
    {"u@wild", ROUTE_REMOTE, "u@wild", NULL},
    {"u@far.test", ROUTE_REMOTE, "u@far.test", NULL},
    {"x@a@b", ROUTE_REMOTE, "x@a@b", NULL},
    {"a@b", ROUTE_LOCAL, "no-a@b", "a@b"},
    {"joe@Here.test", ROUTE_LOCAL, "joe@Here.test", NULL},
    {"joe@sub.here.test", ROUTE_REMOTE, "joe@sub.here.test", NULL},
    {"joe@[1.2.3.4]", ROUTE_LOCAL, "joe@[1.2.3.4]", NULL},
    {"joe@[1.2.3.5]", ROUTE_REMOTE, "joe@[1.2.3.5]", NULL},
    {"both@both.test", ROUTE_LOCAL, "both@both.test", NULL},
    {"joe", ROUTE_LOCAL, "joe@here.test", NULL},
    {"", ROUTE_LOCAL, "@here.test", NULL},
    {"@far.test", ROUTE_REMOTE, "@far.test", NULL},
    {"joe@", ROUTE_REMOTE, "joe@", NULL},
    {"a%b%c@hack.test", ROUTE_REMOTE, "a%b@c", NULL},
    {"a%hack.test@Hack.Test", ROUTE_REMOTE, "a@hack.test", NULL},
    {"a%c%hack.test@hack.test", ROUTE_REMOTE, "a@c", NULL},
    {"a%b%hack.test@hack.test", ROUTE_LOCAL, "no-a@b", "a@b"},
    {"a%here.test@hack.test", ROUTE_LOCAL, "a@here.test", NULL},
    {"ann%v.test@hack.test", ROUTE_LOCAL, "special-ann@v.test", "ann@v.test"},
    {"%@hack.test", ROUTE_REMOTE, "@", NULL},
    {"a%b@other.test", ROUTE_REMOTE, "a%b@other.test", NULL},
    {"a%b", ROUTE_LOCAL, "a%b@here.test", NULL},
    {"a@x%b@hack.test", ROUTE_REMOTE, "a@x@b", NULL},
    {"last@twice.test", ROUTE_LOCAL, "second-last@twice.test", "last@twice.test"},
    {"dash-ed@v.test", ROUTE_LOCAL, "joe-list-dash-ed@v.test", "dash-ed@v.test"},
    {"joe-list-x@v.test", ROUTE_LOCAL, "joe-list-joe-list-x@v.test",
     "joe-list-x@v.test"},
    {"a\nb@v.test", ROUTE_LOCAL, "joe-list-a\nb@v.test", "a\nb@v.test"},
};

/* Addresses as they may stand in a queue whose rules have changed since. */
static const struct {
    const char *rewritten, *plain;
} stale[] = {
    {"other-u@v.test", "other-u@v.test"},
    {"joe-list@v.test", "joe-list@v.test"},
    {"joe-list-@v.test", "@v.test"},
    {"joe-listx-u@v.test", "joe-listx-u@v.test"},
    {"special-bob@v.test", "special-bob@v.test"},
    {"nothing", "nothing"},
    {"", ""},
};

static void read_rules(void)
{
    mkdir("control", 0755);
    make_file("control/locals", VIEW("here.test\n[1.2.3.4]\nboth.test\n"));
    make_file("control/percenthack", VIEW("hack.test\n"));
    make_file("control/virtualdomains",
              VIEW("v.test:joe-list\nann@v.test:special\n.wild:a\nx.wild:\n"
                   ".b.wild:deep\na@b:no\nboth.test:never\ntwice.test:first\n"
                   "twice.test:second\n"));
    control_read_list("locals", &rules.locals);
    control_read_list("percenthack", &rules.percenthack);
    control_read_map("virtualdomains", &rules.virtualdomains);
    bytes_set(&rules.envnoathost, VIEW("here.test"));
}

static void catch_all(void)
{
    struct bytes out = {0};
    make_file("control/virtualdomains", VIEW(":all\nheld.test:\n"));
    control_read_map("virtualdomains", &rules.virtualdomains);
    ok(route_recipient(&rules, VIEW("u@"), &out) == ROUTE_LOCAL, "empty domain", NULL);
    same(bytes_view(&out), VIEW("all-u@"), "empty domain");
    ok(route_recipient(&rules, VIEW("u@far.test"), &out) == ROUTE_LOCAL, "any", NULL);
    same(bytes_view(&out), VIEW("all-u@far.test"), "any");
    same(route_without_prefix(&rules, bytes_view(&out)), VIEW("u@far.test"),
         "any: note");
    ok(route_recipient(&rules, VIEW("u@held.test"), &out) == ROUTE_REMOTE,
       "an empty PREPEND ends the search", NULL);
    ok(route_recipient(&rules, VIEW("all-u@here.test"), &out) == ROUTE_LOCAL, "local",
       NULL);
    same(route_without_prefix(&rules, bytes_view(&out)), VIEW("all-u@here.test"),
         "a local address never had a prefix");
    bytes_free(&out);
}

int main(void)
{
    struct bytes out = {0};

    scratch();
    read_rules();
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *name = cases[i].recipient;
        ok(route_recipient(&rules, view_of(name), &out) == cases[i].route, "route",
           name);
        same(bytes_view(&out), view_of(cases[i].rewritten), name);
        same(route_without_prefix(&rules, bytes_view(&out)),
             view_of(cases[i].plain ? cases[i].plain : cases[i].rewritten), name);
    }
    for (size_t i = 0; i < COUNT(stale); i++)
        same(route_without_prefix(&rules, view_of(stale[i].rewritten)),
             view_of(stale[i].plain), stale[i].rewritten);
    catch_all();
    bytes_free(&out);
    control_list_free(&rules.locals);
    control_list_free(&rules.percenthack);
    control_list_free(&rules.virtualdomains);
    bytes_free(&rules.envnoathost);
    fault_at("read", 1, EIO);
    ok(!route_rules_read(&rules, NULL) && fault_end(), "rules", "that cannot be read");
    unlink("control/locals");
    ok(!route_locals_read(&rules.locals, NULL), "locals", "none, nor me");
    return tap_done();
}
