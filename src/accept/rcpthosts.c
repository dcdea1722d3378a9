#include "accept/rcpthosts.h"

#include "base/cdb.h"
#include "base/fd.h"
#include "base/file.h"
#include "mail/address.h"
#include "mail/domain.h"

#include <errno.h>
#include <sys/stat.h>

static const char database[] = "control/morercpthosts.cdb";

/* False with errno set; *fd is -1 where there is no database. */
static bool open_database(int *fd)
{
    struct stat st;
    *fd = fd_open_read(database);
    if (*fd == -1)
        return errno == ENOENT && file_is_absent(database);
    if (fstat(*fd, &st) == 0 && S_ISREG(st.st_mode))
        return true;
    errno = EPROTO;
    fd_close(fd);
    return false;
}

bool rcpthosts_open(struct rcpthosts *r)
{
    r->more_fd = -1;
    switch (control_read_list("rcpthosts", &r->list)) {
    case CONTROL_READ:
        r->all = false;
        return open_database(&r->more_fd);
    case CONTROL_ABSENT:
        r->all = true;
        return true;
    case CONTROL_FAILED:
        break;
    }
    return false;
}

/* The same keys as domain_find(), in the same order, in the database. */
static enum rcpthosts_result find_in_database(int fd, struct view domain)
{
    struct bytes name = {0}, data = {0};
    enum cdb_result found = CDB_ABSENT;

    bytes_set(&name, domain);
    bytes_lower(&name);
    for (size_t i = 0; i < name.len && found == CDB_ABSENT; i++)
        if (i == 0 || name.data[i] == '.')
            found = cdb_find(fd, view_from(bytes_view(&name), i), &data);
    int saved = errno;
    bytes_free(&name);
    bytes_free(&data);
    errno = saved;
    switch (found) {
    case CDB_FOUND:
        return RCPTHOSTS_ALLOWED;
    case CDB_ABSENT:
        return RCPTHOSTS_REFUSED;
    case CDB_FAILED:
        break;
    }
    return RCPTHOSTS_FAILED;
}

enum rcpthosts_result rcpthosts_check(const struct rcpthosts *r, struct view recipient)
{
    struct view local, domain;
    if (r->all || !address_split(recipient, &local, &domain))
        return RCPTHOSTS_ALLOWED;
    if (domain.len == 0)
        return RCPTHOSTS_REFUSED;
    if (domain_find(&r->list.table, domain, NULL))
        return RCPTHOSTS_ALLOWED;
    return r->more_fd == -1 ? RCPTHOSTS_REFUSED : find_in_database(r->more_fd, domain);
}
