#include "admin/showctl.h"
#include "conf.h"

#include "tap.h"

#include <string.h>
#include <unistd.h>

enum { MAX_FILES = 4 };

static const struct {
    const char *name;
    struct {
        const char *file, *content;
    } files[MAX_FILES];
    const char *want; /* a line for each finding: file, line, how it begins */
} cases[] = {
    {"all is well",
     {{"me", "a.test\n"}, {"locals", "a.test\nlocalhost\n"}, {"rcpthosts", "a.test\n"}},
     ""},
    {"no me", {{"locals", "a.test\n"}, {"rcpthosts", "a.test\n"}}, "me: is missing\n"},
    {"an open relay",
     {{"me", "a.test\n"}, {"locals", "a.test\n"}},
     "rcpthosts: is missing\n"},
    {"me stands in for locals",
     {{"me", "a.test\n"}, {"rcpthosts", "b.test\n"}},
     "me:1: \"a.test\" is not in rcpthosts\n"},
    {"not reachable",
     {{"me", "a.test\n"},
      {"locals", "#x\na.test\nb.test\n"},
      {"rcpthosts", "A.test\n"}},
     "locals:3: \"b.test\" is not in rcpthosts\n"},
    {"a suffix of rcpthosts",
     {{"me", "a.b.test\n"}, {"locals", "a.b.test\n"}, {"rcpthosts", ".test\n"}},
     ""},
    {"virtual and not reachable",
     {{"me", "a.test\n"},
      {"rcpthosts", "a.test\n"},
      {"virtualdomains", "b.test:x\nu@c.test:x\n.d.test:x\n:x\ne.test:\n"}},
     "virtualdomains:1: \"b.test:x\" has a domain that is not in\n"
     "virtualdomains:2: \"u@c.test:x\" has a domain that is not in\n"
     "virtualdomains:3: \".d.test:x\" has a domain that is not in\n"},
    {"local and virtual",
     {{"me", "a.test\n"},
      {"rcpthosts", "a.test\n"},
      {"virtualdomains", "A.test:x\nu@a.test:x\n"}},
     "virtualdomains:1: \"A.test:x\" has a domain that is in locals\n"
     "virtualdomains:2: \"u@a.test:x\" has a domain that is in locals\n"},
    {"routes that are never used",
     {{"me", "a.test\n"},
      {"rcpthosts", "a.test\nb.test\n"},
      {"virtualdomains", "b.test:x\nc.test:\n"},
      {"smtproutes", "a.test:r\nb.test:r\nc.test:r\n.test:r\n:r\na.test:\n"}},
     "smtproutes:1: \"a.test:r\" is for a domain that is in locals\n"
     "smtproutes:2: \"b.test:r\" is for a domain that is in virtualdomains\n"},
    {"more of rcpthosts",
     {{"me", "a.test\n"}, {"rcpthosts", "b.test\n"}, {"morercpthosts", "a.test\n"}},
     "morercpthosts: has no effect without\n"},
    {"a damaged database",
     {{"me", "a.test\n"}, {"rcpthosts", "a.test\n"}, {"morercpthosts.cdb", "x"}},
     "morercpthosts.cdb: is damaged\nmorercpthosts.cdb: counts, but\n"},
    {"the percent hack",
     {{"me", "a.test\n"}, {"rcpthosts", "a.test\n"}, {"percenthack", "a.test\n"}},
     "percenthack: lets everybody\n"},
    {"an empty percenthack",
     {{"me", "a.test\n"}, {"rcpthosts", "a.test\n"}, {"percenthack", "#\n"}},
     ""},
    {"no program for TLS",
     {{"me", "a.test\n"}, {"rcpthosts", "a.test\n"}, {"tlsclient", "bin/none\n"}},
     "tlsclient:1: \"bin/none\" is no program\n"},
    {"no TLS",
     {{"me", "a.test\n"}, {"rcpthosts", "a.test\n"}, {"tlsclient", "\n"}},
     ""},
};

static struct bytes path;

static const char *control(const char *name)
{
    bytes_clear(&path);
    bytes_add_format(&path, "control/%s", name);
    return bytes_cstring(&path);
}

static void compare(struct view got, struct view want, const char *name)
{
    struct bytes start = {0};
    while (want.len && got.len) {
        struct view line = view_cut(&got, '\n');
        bytes_set(&start, VIEW(CONF_QMAIL "/control/"));
        bytes_add(&start, view_cut(&want, '\n'));
        if (!view_starts(line, bytes_view(&start)))
            same(line, bytes_view(&start), name);
    }
    same(got, want, name);
    bytes_free(&start);
}

int main(void)
{
    scratch();
    mkdir("control", 0755);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct showctl_findings f = {0};
        for (size_t j = 0; j < MAX_FILES && cases[i].files[j].file; j++)
            make_file(control(cases[i].files[j].file),
                      view_of(cases[i].files[j].content));
        showctl_check_together(&f);
        compare(bytes_view(&f.out), view_of(cases[i].want), cases[i].name);
        bytes_free(&f.out);
        for (size_t j = 0; j < MAX_FILES && cases[i].files[j].file; j++)
            unlink(control(cases[i].files[j].file));
    }
    bytes_free(&path);
    return tap_done();
}
