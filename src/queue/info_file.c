#include "queue/info_file.h"

#include "base/reader.h"
#include "mail/queue_dir.h"

#include <errno.h>

bool info_file_sender(int fd, struct bytes *sender)
{
    static struct reader reader;
    static struct bytes record;

    reader_open(&reader, fd, 0);
    enum read_result result = reader_until(&reader, '\0', QUEUE_MAX_RECORD, &record);
    errno = result == READ_FAILED ? reader.error : EILSEQ;
    if (result != READ_ITEM || record.len == 0 || record.data[0] != 'F')
        return false;
    bytes_set(sender, view_from(bytes_view(&record), 1));
    return true;
}
