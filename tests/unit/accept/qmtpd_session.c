#include "accept/qmtpd.h"

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

#define NOT_OURS \
    "66:Dsorry, that domain isn't in my list of allowed rcpthosts (#5.7.1),"
#define UNUSABLE "46:Dsorry, I can't handle that recipient (#5.1.3),"
#define BAD_SENDER "29:Dunacceptable sender (#5.1.7),"
#define TOO_LARGE "61:Dsorry, that message size exceeds my databytes limit (#5.3.4),"
#define LOOPING "48:Dtoo many hops, this message is looping (#5.4.6),"
#define NO_MAILBOX "46:Dsorry, no mailbox here by that name. (#5.1.1),"
#define UNVERIFIED "36:Zunable to verify recipient (#4.3.0),"
#define MESSAGE "2:\nm,3:a@b,"
#define TEN(x) x x x x x x x x x x
#define NINE(x) x x x x x x x x x
#define HOP "Received:x\n"
#define X1000 TEN(TEN(TEN("x")))

static struct qmtpd session;

/* Policies */

static void plain(struct qmtpd *s)
{
    (void)s;
}

static void relay(struct qmtpd *s)
{
    s->policy.suffix = "@fix";
}

static void limited(struct qmtpd *s)
{
    s->policy.max_bytes = 5;
}

static void checked(struct qmtpd *s)
{
    s->policy.rcptcheck = "./rcptcheck";
}

static void checked_relay(struct qmtpd *s)
{
    relay(s);
    checked(s);
}

static void checked_all(struct qmtpd *s)
{
    checked_relay(s);
    s->policy.rcptcheck_relay = true;
}

static void damaged(struct qmtpd *s)
{
    make_file("damaged", VIEW("no database"));
    s->policy.rcpthosts.more_fd = fd_open("damaged", O_RDONLY, 0);
}

static void failing(struct qmtpd *s)
{
    (void)s;
    setenv("SINK_EXIT", "53", 1);
}

static const struct {
    const char *name;
    void (*policy)(struct qmtpd *s);
    int exit_code;
    struct view input;
    const char *output;
    struct view envelope; /* that was completed; without it: none was */
    const char *text;     /* and how it ends; NULL: not looked at */
} cases[] = {
    {"nothing", plain, 0, VIEW_INIT(""), "", VIEW_INIT(""), NULL},
    {"message", plain, 0, VIEW_INIT(MESSAGE "4:1:x,,"), "K,", VIEW_INIT("Fa@b\0Tx\0\0"),
     "-0000\nm"},
    {"empty text", plain, 0, VIEW_INIT("1:\n,0:,4:1:x,,"), "K,", VIEW_INIT("F\0Tx\0\0"),
     "-0000\n"},
    {"CR LF", plain, 0, VIEW_INIT("8:\ra\r\nb\nc\r,1:s,4:1:x,,"), "K,",
     VIEW_INIT("Fs\0Tx\0\0"), "-0000\na\nb\nc\r"},
    {"LF", plain, 0, VIEW_INIT("8:\na\r\nb\nc\r,1:s,4:1:x,,"), "K,",
     VIEW_INIT("Fs\0Tx\0\0"), "-0000\na\r\nb\nc\r"},
    {"recipients", plain, 0, VIEW_INIT(MESSAGE "29:1:x,7:x@y.far,9:X@Ok.teST,0:,,"),
     "K," NOT_OURS "K,K,", VIEW_INIT("Fa@b\0Tx\0TX@Ok.teST\0T\0\0"), NULL},
    {"two messages", plain, 0,
     VIEW_INIT(MESSAGE "4:1:x,,"
                       "2:\nn,0:,8:1:y,1:z,,"),
     "K,K,K,", VIEW_INIT("F\0Ty\0Tz\0\0"), "-0000\nn"},
    {"no recipients", plain, 0, VIEW_INIT(MESSAGE "0:,"), "", VIEW_INIT(""), NULL},
    {"none of them ours", plain, 0, VIEW_INIT(MESSAGE "8:5:x@far,,"), NOT_OURS,
     VIEW_INIT(""), NULL},
    {"failure", failing, 0, VIEW_INIT(MESSAGE "8:1:x,1:y,,"),
     "37:Zqq write error or disk full (#4.3.0),"
     "37:Zqq write error or disk full (#4.3.0),",
     VIEW_INIT("Fa@b\0Tx\0Ty\0\0"), NULL},
    {"what was queued is told in spite of what follows", plain, 100,
     VIEW_INIT(MESSAGE "4:1:x,,?"), "K,", VIEW_INIT("Fa@b\0Tx\0\0"), NULL},

    {"no number", plain, 100, VIEW_INIT("x"), "", VIEW_INIT(""), NULL},
    {"absurd number", plain, 111, VIEW_INIT("9999999999:"), "", VIEW_INIT(""), NULL},
    {"no encoding", plain, 100, VIEW_INIT("0:,"), "", VIEW_INIT(""), NULL},
    {"unknown encoding", plain, 100, VIEW_INIT("1:x,"), "", VIEW_INIT(""), NULL},
    {"end in the text", plain, 0, VIEW_INIT("3:\nm"), "", VIEW_INIT(""), NULL},
    {"no comma behind it", plain, 100, VIEW_INIT("2:\nm;"), "", VIEW_INIT(""), NULL},
    {"end in the sender", plain, 0, VIEW_INIT("2:\nm,2:a"), "", VIEW_INIT(""), NULL},
    {"no comma behind it", plain, 100, VIEW_INIT("2:\nm,1:a;"), "", VIEW_INIT(""),
     NULL},
    {"list too short for a number", plain, 100, VIEW_INIT(MESSAGE "1:1:x,,"), "",
     VIEW_INIT(""), NULL},
    {"list too short for a recipient", plain, 100, VIEW_INIT(MESSAGE "3:1:x,,"), "",
     VIEW_INIT(""), NULL},
    {"list too long", plain, 100, VIEW_INIT(MESSAGE "5:1:x,,"), "", VIEW_INIT(""),
     NULL},
    {"letters inside", plain, 100, VIEW_INIT(MESSAGE "4:x:x,,"), "", VIEW_INIT(""),
     NULL},
    {"no comma inside", plain, 100, VIEW_INIT(MESSAGE "4:1:x;,"), "", VIEW_INIT(""),
     NULL},
    {"no comma at the end", plain, 100, VIEW_INIT(MESSAGE "4:1:x,;"), "", VIEW_INIT(""),
     NULL},
    {"end at the end", plain, 0, VIEW_INIT(MESSAGE "4:1:x,"), "", VIEW_INIT(""), NULL},

    {"long sender", plain, 0, VIEW_INIT("2:\nm,1000:" X1000 ",12:1:x,5:x@far,,"),
     BAD_SENDER NOT_OURS, VIEW_INIT(""), NULL},
    {"sender with NUL", plain, 0, VIEW_INIT("2:\nm,3:a\0b,4:1:x,,"), BAD_SENDER,
     VIEW_INIT(""), NULL},
    {"long recipient", plain, 0, VIEW_INIT(MESSAGE "1010:1000:" X1000 ",1:x,,"),
     UNUSABLE "K,", VIEW_INIT("Fa@b\0Tx\0\0"), NULL},
    {"recipient with NUL", plain, 0, VIEW_INIT(MESSAGE "20:3:x\0y,7:x\0y@far,1:x,,"),
     UNUSABLE NOT_OURS "K,", VIEW_INIT("Fa@b\0Tx\0\0"), NULL},

    {"relay", relay, 0, VIEW_INIT(MESSAGE "8:5:x@far,,"), "K,",
     VIEW_INIT("Fa@b\0Tx@far@fix\0\0"), NULL},
    {"relay, NUL", relay, 0, VIEW_INIT(MESSAGE "10:7:x\0y@far,,"), UNUSABLE,
     VIEW_INIT(""), NULL},
    {"damaged database", damaged, 111, VIEW_INIT(MESSAGE "8:5:x@far,,"), "",
     VIEW_INIT(""), NULL},

    {"size at the limit", limited, 0, VIEW_INIT("6:\n12345,1:s,4:1:x,,"), "K,",
     VIEW_INIT("Fs\0Tx\0\0"), "\n12345"},
    {"size beyond it", limited, 0, VIEW_INIT("7:\n123456,1:s,12:1:x,5:x@far,,"),
     TOO_LARGE NOT_OURS, VIEW_INIT(""), ""},
    {"size of CR LF", limited, 0, VIEW_INIT("7:\r1234\r\n,1:s,4:1:x,,"), "K,",
     VIEW_INIT("Fs\0Tx\0\0"), "\n1234\n"},
    {"size of CR LF beyond it", limited, 0, VIEW_INIT("8:\r12345\r\n,1:s,4:1:x,,"),
     TOO_LARGE, VIEW_INIT(""), NULL},
    {"size of a CR at the end", limited, 0, VIEW_INIT("7:\r12345\r,1:s,4:1:x,,"),
     TOO_LARGE, VIEW_INIT(""), NULL},
    {"size, and the sender", limited, 0, VIEW_INIT("7:\n123456,3:a\0b,4:1:x,,"),
     TOO_LARGE, VIEW_INIT(""), NULL},
    {"each message anew", limited, 0,
     VIEW_INIT("7:\n123456,1:s,4:1:x,,6:\n12345,1:s,4:1:x,,"), TOO_LARGE "K,",
     VIEW_INIT("Fs\0Tx\0\0"), "\n12345"},

    {"99 hops", plain, 0, VIEW_INIT("1090:\n" NINE(TEN(HOP)) NINE(HOP) ",1:s,4:1:x,,"),
     "K,", VIEW_INIT("Fs\0Tx\0\0"), NULL},
    {"hops", plain, 0, VIEW_INIT("1101:\n" TEN(TEN(HOP)) ",1:s,4:1:x,,"), LOOPING,
     VIEW_INIT(""), NULL},
    {"hops in CR LF", plain, 0,
     VIEW_INIT("1201:\r" TEN(TEN("Received:x\r\n")) ",1:s,12:5:x@far,1:x,,"),
     NOT_OURS LOOPING, VIEW_INIT(""), NULL},

    {"recipient check", checked, 0,
     VIEW_INIT(MESSAGE "30:4:good,3:bad,4:late,4:full,0:,,"),
     "K," NO_MAILBOX UNVERIFIED UNVERIFIED UNVERIFIED, VIEW_INIT("Fa@b\0Tgood\0\0"),
     NULL},
    {"recipient check, relay", checked_relay, 0, VIEW_INIT(MESSAGE "6:3:bad,,"), "K,",
     VIEW_INIT("Fa@b\0Tbad@fix\0\0"), NULL},
    {"recipient check, relay too", checked_all, 0, VIEW_INIT(MESSAGE "6:3:bad,,"),
     NO_MAILBOX, VIEW_INIT(""), NULL},
    {"recipient check, sender with NUL", checked, 0,
     VIEW_INIT("2:\nm,3:a\0b,6:3:bad,,"), BAD_SENDER, VIEW_INIT(""), NULL},
};

static const char rcptcheck[] =
    "#!/bin/sh\n[ \"$SENDER,$HELO\" = a@b, ] || exit 1\n"
    "case $RECIPIENT in good) exit 0;; bad*) echo 550 own words >&4; exit 100;;"
    "late) echo 550 own words >&4; exit 111;; full) exit 113;; esac; exit 3\n";

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

static int run(void (*policy)(struct qmtpd *s), struct view input, struct bytes *output)
{
    struct control_list *hosts = &session.policy.rcpthosts.list;

    memset(&session, 0, sizeof session);
    session.policy.rcpthosts.more_fd = -1;
    table_add(&hosts->table, VIEW("ok.test"), VIEW("ok.test"));
    setenv("SINK_EXIT", "0", 1);
    make_file("input", input);
    make_file("output", VIEW(""));
    make_file("envelope", VIEW(""));
    make_file("message", VIEW(""));
    int in = fd_open("input", O_RDONLY, 0), out = fd_open("output", O_WRONLY, 0);
    session.queue.message_fd = session.queue.envelope_fd = session.queue.text_fd = -1;
    connection_open(&session.connection, in, out, 10);
    policy(&session);
    int code = qmtpd_serve(&session);
    fd_close(&session.queue.message_fd);
    fd_close(&session.queue.envelope_fd);
    fd_close(&session.queue.text_fd);
    fd_close(&session.policy.rcpthosts.more_fd);
    fd_close(&in);
    fd_close(&out);
    alarm(0);
    while (wait(NULL) != -1)
        ; /* also for queue programs that nobody waited for */
    file_read("output", 1 << 20, output);
    hide_numbers(output);
    control_list_free(hosts);
    bytes_free(&session.message.sender);
    bytes_free(&session.message.fates);
    bytes_free(&session.recipient);
    return code;
}

int main(void)
{
    struct bytes output = {0};

    scratch();
    put("sink", sink);
    put("rcptcheck", rcptcheck);
    setenv("QMAILQUEUE", "./sink", 1);
    signals_ignore(SIGPIPE);
    for (size_t i = 0; i < COUNT(cases); i++) {
        int code = run(cases[i].policy, cases[i].input, &output);
        same_number((uint64_t)code, (uint64_t)cases[i].exit_code, cases[i].name);
        if (cases[i].output)
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
