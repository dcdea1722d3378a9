#include "accept/qmqpd.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/number.h"
#include "base/signals.h"

#include "tap.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define BAD_ADDRESS "51:Dsorry, I can't accept addresses like that (#5.1.3),"
#define TOO_LARGE "61:Dsorry, that message size exceeds my databytes limit (#5.3.4),"
#define TEN(x) x x x x x x x x x x
#define X1000 TEN(TEN(TEN("x")))
#define ZEROS_96 TEN(TEN("0")) "000"

static struct qmqpd session;

static const struct {
    const char *name;
    uint64_t max_bytes;
    int exit_code;
    struct view input;
    const char *output;
    struct view envelope; /* without it: incomplete */
    const char *text;     /* how the message ends; NULL: not looked at */
} cases[] = {
    {"message", 0, 0, VIEW_INIT("17:2:m\r,3:a@b,3:x@y,,"), "K,",
     VIEW_INIT("Fa@b\0Tx@y\0\0"), "-0000\nm\r"},
    {"what follows is not read", 0, 0, VIEW_INIT("12:1:m,1:s,1:x,,?"), "K,",
     VIEW_INIT("Fs\0Tx\0\0"), NULL},
    {"empty message", 0, 0, VIEW_INIT("10:0:,0:,1:x,,"), "K,", VIEW_INIT("F\0Tx\0\0"),
     "-0000\n"},
    {"no recipients", 0, 0, VIEW_INIT("8:1:m,1:s,,"), "K,", VIEW_INIT("Fs\0\0"), NULL},
    {"leading zeros", 0, 0, VIEW_INIT("0012:01:m,:,01:x,,"), "K,",
     VIEW_INIT("F\0Tx\0\0"), NULL},
    {"nothing", 0, 0, VIEW_INIT(""), "", VIEW_INIT(""), NULL},
    {"end of input", 0, 0, VIEW_INIT("12:1:m,1:s,1:x,"), "", VIEW_INIT(""), NULL},
    {"no number", 0, 100, VIEW_INIT("x"), "", VIEW_INIT(""), NULL},
    {"absurd number", 0, 111, VIEW_INIT("9999999999:"), "", VIEW_INIT(""), NULL},
    {"number of 100 bytes", 0, 0, VIEW_INIT(TEN("000000000") "00000008:1:m,1:s,,"),
     "K,", VIEW_INIT("Fs\0\0"), NULL},
    {"number of 101 bytes", 0, 100, VIEW_INIT(TEN(TEN("0")) "8:1:m,1:s,,"), "",
     VIEW_INIT(""), NULL},
    {"no place for a message", 0, 100, VIEW_INIT("0:,"), "", VIEW_INIT(""), NULL},
    {"no place for its comma", 0, 100, VIEW_INIT("3:1:m,,"), "", VIEW_INIT(""), NULL},
    {"no place for a sender", 0, 100, VIEW_INIT("4:1:m,,"), "", VIEW_INIT(""), NULL},
    {"whole too short", 0, 100, VIEW_INIT("11:1:m,1:s,1:x,,"), "", VIEW_INIT(""), NULL},
    {"whole too long", 0, 100, VIEW_INIT("13:1:m,1:s,1:x,,,"), "", VIEW_INIT(""), NULL},
    {"inner number absurd", 0, 100, VIEW_INIT("12:999999999:m"), "", VIEW_INIT(""),
     NULL},
    {"no comma", 0, 100, VIEW_INIT("12:1:m;1:s,1:x,,"), "", VIEW_INIT(""), NULL},
    {"no last comma", 0, 100, VIEW_INIT("12:1:m,1:s,1:x,;"), "", VIEW_INIT(""), NULL},
    {"long sender", 0, 0, VIEW_INIT("1014:1:m,1000:" X1000 ",1:x,,"), BAD_ADDRESS,
     VIEW_INIT(""), NULL},
    {"long recipient", 0, 0, VIEW_INIT("1014:1:m,1:s,1000:" X1000 ",,"), BAD_ADDRESS,
     VIEW_INIT(""), NULL},
    {"sender with NUL", 0, 0, VIEW_INIT("12:1:m,1:\0,1:x,,"), BAD_ADDRESS,
     VIEW_INIT(""), NULL},
    {"recipient with NUL", 0, 0, VIEW_INIT("16:1:m,1:s,1:\0,1:x,,"), BAD_ADDRESS,
     VIEW_INIT(""), NULL},
    {"size at the limit", 5, 0, VIEW_INIT("16:5:12345,1:s,1:x,,"), "K,",
     VIEW_INIT("Fs\0Tx\0\0"), "12345"},
    {"size beyond it", 5, 0, VIEW_INIT("17:6:123456,1:s,1:x,,"), TOO_LARGE,
     VIEW_INIT(""), NULL},
    {"size and address", 5, 0, VIEW_INIT("17:6:123456,1:\0,1:x,,"), TOO_LARGE,
     VIEW_INIT(""), NULL},
};

/* Sessions without a network: the client's words in a file, the replies in another. */
static const char sink[] =
    "#!/bin/sh\ncat > message; cat <&1 > envelope; exit ${SINK_EXIT-0}\n";

static void put(const char *path, const char *text)
{
    make_file(path, view_of(text));
    chmod(path, 0755);
}

/* "LEN:Kok TIME qp PID," becomes "K,". */
static void hide_numbers(struct bytes *text)
{
    struct bytes hidden = {0};
    struct view rest = bytes_view(text);

    while (rest.len) {
        struct view reply = rest;
        uint64_t n;
        if (number_take(&reply, &n) && view_starts(reply, VIEW(":Kok "))) {
            bytes_add_text(&hidden, "K,");
            view_cut(&rest, ',');
        } else {
            bytes_add(&hidden, view_cut(&rest, ','));
            bytes_add_byte(&hidden, ',');
        }
    }
    bytes_free(text);
    *text = hidden;
}

static int run(uint64_t max_bytes, struct view input, struct bytes *output)
{
    memset(&session, 0, sizeof session);
    session.max_bytes = max_bytes;
    make_file("input", input);
    make_file("output", VIEW(""));
    make_file("envelope", VIEW(""));
    make_file("message", VIEW(""));
    int in = fd_open("input", O_RDONLY, 0), out = fd_open("output", O_WRONLY, 0);
    session.queue.message_fd = session.queue.envelope_fd = session.queue.text_fd = -1;
    connection_open(&session.connection, in, out, 10);
    int code = qmqpd_serve(&session);
    fd_close(&session.queue.message_fd);
    fd_close(&session.queue.envelope_fd);
    fd_close(&session.queue.text_fd);
    fd_close(&in);
    fd_close(&out);
    alarm(0);
    while (wait(NULL) != -1)
        ; /* also for queue programs that nobody waited for */
    file_read("output", 1 << 20, output);
    hide_numbers(output);
    return code;
}

int main(void)
{
    struct bytes output = {0};

    scratch();
    put("sink", sink);
    setenv("QMAILQUEUE", "./sink", 1);
    signals_ignore(SIGPIPE);
    for (size_t i = 0; i < COUNT(cases); i++) {
        int code = run(cases[i].max_bytes, cases[i].input, &output);
        same_number((uint64_t)code, (uint64_t)cases[i].exit_code, cases[i].name);
        same(bytes_view(&output), view_of(cases[i].output), cases[i].name);
        if (cases[i].envelope.len)
            same(content_of("envelope"), cases[i].envelope, cases[i].name);
        else
            ok(!view_ends(content_of("envelope"), VIEW("\0\0")), cases[i].name,
               "nothing queued");
        if (cases[i].text)
            ok(view_ends(content_of("message"), view_of(cases[i].text)), cases[i].name,
               "text");
    }
    bytes_free(&output);
    return tap_done();
}
