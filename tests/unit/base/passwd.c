#include "base/passwd.h"

#include "fault.h"
#include "tap.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *line, *name, *home; /* name NULL: no entry */
    uid_t uid;
    gid_t gid;
} lines[] = {
    {"joe:x:1000:100:Joe,,,:/home/joe:/bin/sh", "joe", "/home/joe", 1000, 100},
    {"joe::0:0::/:", "joe", "/", 0, 0},
    {"joe:x:4294967294:4294967294::/h:", "joe", "/h", 4294967294, 4294967294},
    {"joe:x:4294967295:1::/h:", NULL, NULL, 0, 0}, /* (uid_t)-1 is nobody */
    {"joe:x:1:1:gecos:/h", "joe", "/h", 1, 1},
    {"joe:x:1:1:gecos", NULL, NULL, 0, 0},
    {"joe:x:1:1::", NULL, NULL, 0, 0},
    {"joe:x::1::/h:", NULL, NULL, 0, 0},
    {"joe:x:-1:1::/h:", NULL, NULL, 0, 0},
    {"joe:x:1:1x::/h:", NULL, NULL, 0, 0},
    {":x:1:1::/h:", NULL, NULL, 0, 0},
    {"+joe::::::", NULL, NULL, 0, 0},
    {"+", NULL, NULL, 0, 0},
    {"# joe:x:1:1", NULL, NULL, 0, 0},
    {"", NULL, NULL, 0, 0},
};

static const struct {
    const char *text;
    bool first, only;
} sources[] = {
    {"", true, true},
    {"passwd: files\n", true, true},
    {"passwd:files\n", true, true},
    {" passwd : ldap\n", false, false},
    {"passwd_compat: ldap\n", true, true},
    {"passwd:\tfiles systemd\n", true, false},
    {"group: ldap\npasswd:  files # ldap\n", true, true},
    {"passwd: files [NOTFOUND=return] ldap\n", true, false},
    {"passwd: ldap files\n", false, false},
    {"passwd: compat\n", false, false},
    {"passwd:\n", false, false},
    {"#passwd: ldap\n", true, true},
    {"passwd: ldap", false, false},
};

struct search {
    const char *name;
    uid_t uid;
    size_t count;
};

static bool find(void *arg, const struct passwd_entry *entry)
{
    struct search *s = arg;
    s->count++;
    if (!view_is(entry->name, s->name))
        return false;
    s->uid = entry->uid;
    return true;
}

int main(void)
{
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct passwd_entry e;
        bool good = passwd_parse(view_of(lines[i].line), &e);
        ok(good == (lines[i].name != NULL), "parse", lines[i].line);
        if (!good || !lines[i].name)
            continue;
        same(e.name, view_of(lines[i].name), "name");
        same(e.home, view_of(lines[i].home), "home");
        same_number(e.uid, lines[i].uid, "uid");
        same_number(e.gid, lines[i].gid, "gid");
    }
    for (size_t i = 0; i < COUNT(sources); i++) {
        struct passwd_sources s = passwd_sources(view_of(sources[i].text));
        ok(s.file_first == sources[i].first, "file first", sources[i].text);
        ok(s.file_only == sources[i].only, "file only", sources[i].text);
    }
    struct search root = {.name = "root", .uid = 1}, nobody = {.name = "no:such"};
    ok(passwd_scan(find, &root) && root.uid == 0, "scan", "root");
    ok(passwd_scan(find, &nobody) && nobody.count >= root.count, "scan", "to the end");
    fault_at("open", 1, EMFILE);
    ok(!passwd_scan(find, &root) && fault_end(), "scan", "no descriptor");
    fault_at("read", 1, EIO);
    ok(!passwd_scan(find, &root) && fault_end(), "scan", "not to be read");
    return tap_done();
}
