/* The lookup reads control/ in the working directory: each case gets a fresh one. */
#include "accept/rcpthosts.h"

#include "base/cdb.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/writer.h"

#include "tap.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIST "control/rcpthosts"
#define DATABASE "control/morercpthosts.cdb"

static void put(const char *path, struct view content)
{
    int fd = fd_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd == -1 || !write_all(fd, content))
        skip_rest("cannot write below the temporary directory");
    close(fd);
}

static void put_database(const char *const *keys, size_t count)
{
    int fd = fd_open(DATABASE, O_RDWR | O_CREAT | O_TRUNC, 0644);
    struct cdb_maker *m = cdb_make(fd);
    for (size_t i = 0; i < count; i++)
        cdb_make_add(m, view_of(keys[i]), VIEW(""));
    ok(cdb_make_finish(m), "database", NULL);
    close(fd);
}

static const char *const keys[] = {"more.test", ".wild.test", ".", "UPPER.test"};

static const struct {
    const char *address;
    enum rcpthosts_result listed, more; /* without and with the database */
} cases[] = {
    {"x@here.test", RCPTHOSTS_ALLOWED, RCPTHOSTS_ALLOWED},
    {"x@HERE.Test", RCPTHOSTS_ALLOWED, RCPTHOSTS_ALLOWED},
    {"x@a.here.test", RCPTHOSTS_REFUSED, RCPTHOSTS_REFUSED},
    {"x@here.test@far.test", RCPTHOSTS_REFUSED, RCPTHOSTS_REFUSED},
    {"x@far.test@here.test", RCPTHOSTS_ALLOWED, RCPTHOSTS_ALLOWED},
    {"x@a.dot.test", RCPTHOSTS_ALLOWED, RCPTHOSTS_ALLOWED},
    {"x@b.a.dot.test", RCPTHOSTS_ALLOWED, RCPTHOSTS_ALLOWED},
    {"x@dot.test", RCPTHOSTS_REFUSED, RCPTHOSTS_REFUSED},
    {"x@.dot.test", RCPTHOSTS_ALLOWED, RCPTHOSTS_ALLOWED},
    {"x@xdot.test", RCPTHOSTS_REFUSED, RCPTHOSTS_REFUSED},
    {"x@more.test", RCPTHOSTS_REFUSED, RCPTHOSTS_ALLOWED},
    {"x@MORE.test", RCPTHOSTS_REFUSED, RCPTHOSTS_ALLOWED},
    {"x@a.b.wild.test", RCPTHOSTS_REFUSED, RCPTHOSTS_ALLOWED},
    {"x@wild.test", RCPTHOSTS_REFUSED, RCPTHOSTS_REFUSED},
    {"x@here.test.", RCPTHOSTS_REFUSED, RCPTHOSTS_ALLOWED},
    {"x@upper.test", RCPTHOSTS_REFUSED, RCPTHOSTS_REFUSED},
    {"x@far.test", RCPTHOSTS_REFUSED, RCPTHOSTS_REFUSED},
    {"x@", RCPTHOSTS_REFUSED, RCPTHOSTS_REFUSED},
    {"x", RCPTHOSTS_ALLOWED, RCPTHOSTS_ALLOWED},
    {"", RCPTHOSTS_ALLOWED, RCPTHOSTS_ALLOWED},
};

static bool opened(struct rcpthosts *r)
{
    *r = (struct rcpthosts){0};
    return rcpthosts_open(r);
}

static void closed(struct rcpthosts *r)
{
    control_list_free(&r->list);
    fd_close(&r->more_fd);
}

static void test_cases(bool more)
{
    struct rcpthosts r;

    ok(opened(&r), "open", more ? "list and database" : "list");
    for (size_t i = 0; i < COUNT(cases); i++)
        ok(rcpthosts_check(&r, view_of(cases[i].address)) ==
               (more ? cases[i].more : cases[i].listed),
           cases[i].address, more ? "with database" : "list alone");
    closed(&r);
}

static void test_damage(void)
{
    struct rcpthosts r;

    put(DATABASE, VIEW("garbage"));
    ok(opened(&r), "open", "damaged database");
    ok(rcpthosts_check(&r, VIEW("x@here.test")) == RCPTHOSTS_ALLOWED, "damaged",
       "the list comes first");
    ok(rcpthosts_check(&r, VIEW("x@far.test")) == RCPTHOSTS_FAILED, "damaged", "fails");
    closed(&r);
    ok(unlink(DATABASE) == 0 && symlink("nowhere", DATABASE) == 0, "link", NULL);
    ok(!opened(&r), "a link that leads nowhere", "is a mistake");
    closed(&r);
    ok(unlink(DATABASE) == 0 && mkdir(DATABASE, 0755) == 0, "directory", NULL);
    ok(!opened(&r), "a directory", "is a mistake");
    closed(&r);
}

int main(void)
{
    char dir[] = "/tmp/rcpthosts.XXXXXX";
    struct rcpthosts r;

    if (!mkdtemp(dir) || chdir(dir) == -1 || mkdir("control", 0755) == -1)
        skip_rest("no temporary directory");
    put(DATABASE, VIEW("garbage"));
    ok(opened(&r) && r.more_fd == -1, "no list", "database is not opened");
    ok(rcpthosts_check(&r, VIEW("x@far.test")) == RCPTHOSTS_ALLOWED, "no list", "all");
    closed(&r);

    unlink(DATABASE);
    put(LIST, VIEW(""));
    ok(opened(&r), "empty list", "opened");
    ok(rcpthosts_check(&r, VIEW("x@here.test")) == RCPTHOSTS_REFUSED, "empty list",
       "none");
    ok(rcpthosts_check(&r, VIEW("x")) == RCPTHOSTS_ALLOWED, "empty list", "no domain");
    closed(&r);

    put(LIST, VIEW("Here.test\n.dot.test\n#far.test\n"));
    test_cases(false);
    put_database(keys, COUNT(keys));
    test_cases(true);
    test_damage();

    rmdir(DATABASE);
    unlink(LIST);
    rmdir("control");
    if (chdir("/") == 0)
        rmdir(dir);
    return tap_done();
}
