/* Any bytes as a file of records: what is called sound consists of records with the
 * right letters, each with its NUL, and no byte is left over. */
#include "queue/qfix.h"

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_sound(struct view all, const char *letters, uint64_t *records)
{
    for (*records = 0; all.len; ++*records) {
        size_t end = view_find(all, '\0');
        if (end == all.len || end == 0 || !strchr(letters, all.data[0]))
            return false;
        all = view_from(all, end + 1);
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const char *const sets[] = {"upFT", "F", "TD"};
    char path[] = "/tmp/records.XXXXXX";
    uint64_t senders, records, count;

    int fd = mkstemp(path);
    if (fd == -1 || unlink(path) == -1 || write(fd, data, len) != (ssize_t)len)
        abort();
    for (size_t i = 0; i < COUNT(sets); i++) {
        bool sound = is_sound(view_at((const char *)data, len), sets[i], &count);
        lseek(fd, 0, SEEK_SET);
        enum qfix_records found = qfix_records(fd, sets[i], &senders, &records);
        if (found != (sound ? QFIX_SOUND : QFIX_BAD) || senders > records ||
            (sound && records != count))
            abort();
    }
    close(fd);
    return 0;
}
