#include "accept/qmqpc.h"

#include "base/fd.h"
#include "mail/netstring.h"

#include "tap.h"

#include <fcntl.h>
#include <unistd.h>

#define TEN(x) x x x x x x x x x x

static const struct {
    const char *name;
    struct view message, envelope;
    enum queue_exit code;
    struct view request;
} cases[] = {
    {"one recipient", VIEW_INIT("m\n"), VIEW_INIT("Fa@b\0Tx\0\0"), QUEUE_OK,
     VIEW_INIT("15:2:m\n,3:a@b,1:x,,")},
    {"several", VIEW_INIT("m\n"), VIEW_INIT("Fa@b\0Tx\0Ty\0T\0\0"), QUEUE_OK,
     VIEW_INIT("22:2:m\n,3:a@b,1:x,1:y,0:,,")},
    {"none, and nothing else", VIEW_INIT(""), VIEW_INIT("F\0\0"), QUEUE_OK,
     VIEW_INIT("6:0:,0:,,")},
    {"bytes behind it", VIEW_INIT("m"), VIEW_INIT("Fs\0Tx\0\0Ty\0"), QUEUE_OK,
     VIEW_INIT("12:1:m,1:s,1:x,,")},
    {"any bytes", VIEW_INIT("\0\r\n.\n\xff"), VIEW_INIT("F\n\0T:,\0\0"), QUEUE_OK,
     VIEW_INIT("18:6:\0\r\n.\n\xff,1:\n,2::,,,")},
    {"empty", VIEW_INIT("m"), VIEW_INIT(""), QUEUE_ENVELOPE, VIEW_INIT("")},
    {"only the end", VIEW_INIT("m"), VIEW_INIT("\0"), QUEUE_ENVELOPE, VIEW_INIT("")},
    {"sender cut", VIEW_INIT("m"), VIEW_INIT("Fs"), QUEUE_ENVELOPE, VIEW_INIT("")},
    {"recipient cut", VIEW_INIT("m"), VIEW_INIT("Fs\0Tx"), QUEUE_ENVELOPE,
     VIEW_INIT("")},
    {"no end", VIEW_INIT("m"), VIEW_INIT("Fs\0Tx\0"), QUEUE_ENVELOPE, VIEW_INIT("")},
    {"no sender", VIEW_INIT("m"), VIEW_INIT("Tx\0\0"), QUEUE_ENVELOPE, VIEW_INIT("")},
    {"two senders", VIEW_INIT("m"), VIEW_INIT("Fs\0Fs\0\0"), QUEUE_ENVELOPE,
     VIEW_INIT("")},
    {"small letter", VIEW_INIT("m"), VIEW_INIT("Fs\0tx\0\0"), QUEUE_ENVELOPE,
     VIEW_INIT("")},
};

static enum queue_exit read_request(struct view message, struct view envelope,
                                    struct bytes *request)
{
    struct qmqpc_request r = {0};
    make_file("message", message);
    make_file("envelope", envelope);
    int in = fd_open("message", O_RDONLY, 0), of = fd_open("envelope", O_RDONLY, 0);
    enum queue_exit code = qmqpc_request_read(&r, in, of);
    bytes_set(request, bytes_view(&r.head));
    bytes_add(request, bytes_view(&r.message));
    bytes_add(request, bytes_view(&r.tail));
    bytes_free(&r.head);
    bytes_free(&r.message);
    bytes_free(&r.tail);
    fd_close(&in);
    fd_close(&of);
    return code;
}

int main(void)
{
    struct bytes request = {0}, large = {0}, want = {0};

    scratch();
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum queue_exit code =
            read_request(cases[i].message, cases[i].envelope, &request);
        same_number(code, cases[i].code, cases[i].name);
        if (code == QUEUE_OK)
            same(bytes_view(&request), cases[i].request, cases[i].name);
    }

    for (int i = 0; i < 100000; i++)
        bytes_add_text(&large, TEN("x"));
    same_number(read_request(bytes_view(&large), VIEW("Fs\0\0"), &request), QUEUE_OK,
                "a megabyte");
    netstring_add_length(&want, netstring_size(large.len) + 4);
    netstring_add(&want, bytes_view(&large));
    bytes_add_text(&want, "1:s,,");
    ok(view_equal(bytes_view(&request), bytes_view(&want)), "a megabyte", "request");
    bytes_cut(&large, QMQPC_MAX_ADDRESS + 1);
    large.data[0] = 'F';
    same_number(read_request(VIEW("m"), bytes_view(&large), &request),
                QUEUE_ADDRESS_TOO_LONG, "an address without end");

    struct qmqpc_request r = {0};
    same_number(qmqpc_request_read(&r, 999, 0), QUEUE_READ, "no message");
    int in = fd_open("message", O_RDONLY, 0);
    same_number(qmqpc_request_read(&r, in, 999), QUEUE_READ, "no envelope");
    bytes_free(&r.head);
    bytes_free(&r.message);
    bytes_free(&r.tail);
    bytes_free(&request);
    bytes_free(&large);
    bytes_free(&want);
    return tap_done();
}
