#include "queue/order.h"

#include "fault.h"
#include "tap.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define OLD "<a@h>:\nno\n\n"
#define NEW "<b@h>:\nno\n\n"

int main(void)
{
    static const char *const calls[] = {"open", "fstat", "write", "fsync"};

    scratch();
    mkdir("bounce", 0700);
    make_file("bounce/5", VIEW(OLD));
    for (size_t i = 0; i < COUNT(calls); i++) {
        make_file("bounce/5", VIEW(OLD));
        fault_at(calls[i], 1, EIO);
        ok(!note_append(5, VIEW(NEW)) && errno == EIO, "it is not noted", calls[i]);
        ok(fault_end(), "fault", calls[i]);
        same(content_of("bounce/5"), VIEW(OLD), "as it was");
    }
    fault_at("pread", 1, EINTR);
    ok(note_append(5, VIEW(NEW)), "looking is interrupted", NULL);
    ok(fault_end(), "looking is interrupted", "fault");
    same(content_of("bounce/5"), VIEW(OLD NEW), "looking is interrupted: appended");
    fault_at("pread", 1, EIO);
    ok(!note_is_there(5, VIEW(NEW)), "what cannot be read is not there", NULL);
    fault_end();
    ok(note_is_there(5, VIEW(NEW)), "it is there", NULL);
    return tap_done();
}
