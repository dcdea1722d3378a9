#include "queue/qfix.h"

#include "base/reader.h"

#include <errno.h>
#include <string.h>

enum qfix_records qfix_records(int fd, const char *letters, uint64_t *senders,
                               uint64_t *records)
{
    static struct reader r;
    struct view unread;
    enum read_result result;

    *senders = *records = 0;
    reader_open(&r, fd, 0);
    while ((result = reader_peek(&r, &unread)) == READ_ITEM) {
        char letter = unread.data[0];
        if (!letter || !strchr(letters, letter))
            return QFIX_BAD;
        *senders += letter == 'F';
        ++*records;
        result = reader_skip_past(&r, '\0');
        if (result == READ_END)
            return QFIX_BAD;
        if (result != READ_ITEM)
            break;
    }
    errno = r.error;
    return result == READ_END ? QFIX_SOUND : QFIX_UNREADABLE;
}
