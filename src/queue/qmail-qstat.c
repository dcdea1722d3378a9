/* qmail-qstat - count the messages in the queue.
 *
 * runs as  root, or anybody with group qmail
 * reads    the names in queue/mess and queue/todo, which may change meanwhile
 * fd 1     the two numbers, with -j as a JSON object
 * exits    0, 111 when a directory cannot be read: a number would be wrong */
#include "base/die.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/heap.h"
#include "base/json.h"
#include "base/os.h"
#include "base/writer.h"
#include "conf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static _Noreturn void die_unable(const char *deed, const char *dir)
{
    die_temp("unable to %s " CONF_QMAIL "/queue%s%s: %s", deed, *dir ? "/" : "", dir,
             error_text(errno));
}

static DIR *open_dir(const char *path)
{
    DIR *dir = opendir(path);
    if (!dir)
        die_unable("open", path);
    return dir;
}

/* The next name in dir, or NULL. */
static const struct dirent *next_name(DIR *dir, const char *path)
{
    errno = 0;
    const struct dirent *entry = readdir(dir);
    if (!entry && errno)
        die_unable("read", path);
    return entry;
}

static uint64_t count_files(const char *path)
{
    uint64_t count = 0;
    DIR *dir = open_dir(path);

    for (const struct dirent *entry; (entry = next_name(dir, path));)
        count += os_is_regular(dirfd(dir), entry);
    closedir(dir);
    return count;
}

/* The split directories of mess, however many there are. */
static uint64_t count_messages(void)
{
    uint64_t count = 0;
    struct bytes path = {0};
    struct stat st;
    DIR *mess = open_dir("mess");

    for (const struct dirent *entry; (entry = next_name(mess, "mess"));) {
        if (entry->d_name[0] == '.')
            continue;
        bytes_set(&path, VIEW("mess/"));
        bytes_add_text(&path, entry->d_name);
        const char *name = bytes_cstring(&path);
        if (lstat(name, &st) == -1)
            die_unable("open", name);
        if (S_ISDIR(st.st_mode))
            count += count_files(name);
    }
    closedir(mess);
    bytes_free(&path);
    return count;
}

static void add_text(struct bytes *out, uint64_t messages, uint64_t unprocessed)
{
    bytes_add_text(out, "messages in queue: ");
    bytes_add_number(out, messages);
    bytes_add_text(out, "\nmessages in queue but not yet preprocessed: ");
    bytes_add_number(out, unprocessed);
    bytes_add_byte(out, '\n');
}

static void add_json(struct bytes *out, uint64_t messages, uint64_t unprocessed)
{
    bytes_add_byte(out, '{');
    json_add_number(out, "messages", messages);
    json_add_number(out, "unprocessed", unprocessed);
    bytes_add_text(out, "}\n");
}

int main(int argc, char **argv)
{
    struct bytes out = {0};
    bool json = false;

    die_name("qmail-qstat");
    heap_on_failure(die_of_memory);
    for (int i = 1; i < argc; i++)
        json |= strcmp(argv[i], "-j") == 0;
    if (!fd_fill_standard())
        return DIE_TEMP;
    if (chdir(CONF_QMAIL) == -1 || chdir("queue") == -1)
        die_unable("enter", "");
    uint64_t messages = count_messages();
    uint64_t unprocessed = count_files("todo");
    if (json)
        add_json(&out, messages, unprocessed);
    else
        add_text(&out, messages, unprocessed);
    if (!write_all(1, bytes_view(&out)))
        die_temp("unable to write: %s", error_text(errno));
    return 0;
}
