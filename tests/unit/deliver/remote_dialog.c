#include "deliver/remote.h"

#include "tap.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct {
    const char *name;
    struct view address, quoted;
} addresses[] = {
    {"empty", VIEW_INIT(""), VIEW_INIT("")},
    {"plain", VIEW_INIT("a@b"), VIEW_INIT("a@b")},
    {"without at", VIEW_INIT("a b"), VIEW_INIT("a b")},
    {"space", VIEW_INIT("a b@c.d"), VIEW_INIT("\"a b\"@c.d")},
    {"two ats", VIEW_INIT("a@b@c"), VIEW_INIT("\"a@b\"@c")},
    {"quotes", VIEW_INIT("\"q\"@b"), VIEW_INIT("\"\\\"q\\\"\"@b")},
    {"empty local part", VIEW_INIT("@b"), VIEW_INIT("\"\"@b")},
    {"8-bit", VIEW_INIT("\xe9@b"), VIEW_INIT("\"\xe9\"@b")},
    {"domain as it is", VIEW_INIT("a@B..c d"), VIEW_INIT("a@B..c d")},
    {"double bounce", VIEW_INIT("#@[]"), VIEW_INIT("#@[]")},
};

static const struct {
    const char *address;
    bool breaks;
} breaks[] = {
    {"a@b", false},   {"", false},      {"a\tb@c", false},
    {"a\nb@c", true}, {"a\rb@c", true}, {"a@b\r\nRSET", true},
};

/* What the peer says, all at once and ahead of time, and what comes of it. */
static const struct {
    const char *name, *peer;
    enum remote_outcome outcome;
    struct view reports; /* of recipients and message */
    struct view sent;
} dialogs[] = {
    {"greeting dies", "", REMOTE_TRY_NEXT,
     VIEW_INIT("ZConnected to IP but connection died. (#4.4.2)\n\0"), VIEW_INIT("")},
    {"greeting cut", "220 hello", REMOTE_TRY_NEXT,
     VIEW_INIT("ZConnected to IP but connection died. (#4.4.2)\n\0"), VIEW_INIT("")},
    {"name refused for now", "220 x\n421 no\n", REMOTE_TRY_NEXT,
     VIEW_INIT(
         "ZConnected to IP but my name was rejected.\nRemote host said: 421 no\n\0"),
     VIEW_INIT("EHLO me\r\nQUIT\r\n")},
    {"name refused", "220 x\n500 no\n500 no\n", REMOTE_DONE,
     VIEW_INIT(
         "ZConnected to IP but my name was rejected.\nRemote host said: 500 no\n\0"),
     VIEW_INIT("EHLO me\r\nHELO me\r\nQUIT\r\n")},
    {"closing after MAIL", "220 x\n250 x\n421 bye\n", REMOTE_TRY_NEXT,
     VIEW_INIT(
         "ZConnected to IP but sender was rejected.\nRemote host said: 421 bye\n\0"),
     VIEW_INIT("EHLO me\r\nMAIL FROM:<s@x>\r\nQUIT\r\n")},
    {"dies after MAIL", "220 x\n250 x\n250 ok\n", REMOTE_DONE,
     VIEW_INIT("ZConnected to IP but connection died. (#4.4.2)\n\0"),
     VIEW_INIT("EHLO me\r\nMAIL FROM:<s@x>\r\nRCPT TO:<r@h>\r\n")},
    {"pipelined", "220 x\n250-x\n250 PIPELINING\n250 ok\n250 ok\n550 no\n451 no\n",
     REMOTE_DONE,
     VIEW_INIT("r\0hIP does not like recipient.\nRemote host said: 550 no\n\0"
               "ZIP failed on DATA command.\nRemote host said: 451 no\n\0"),
     VIEW_INIT("EHLO me\r\nMAIL FROM:<s@x>\r\nRCPT TO:<r@h>\r\nRCPT TO:<t@h>\r\n"
               "DATA\r\nQUIT\r\n")},
    {"pipelined, sender refused",
     "220 x\n250-x\n250 PIPELINING\n550 no\n503 what\n503 what\n", REMOTE_DONE,
     VIEW_INIT(
         "DConnected to IP but sender was rejected.\nRemote host said: 550 no\n\0"),
     VIEW_INIT("EHLO me\r\nMAIL FROM:<s@x>\r\nRCPT TO:<r@h>\r\nRCPT TO:<t@h>\r\n"
               "QUIT\r\n")},
    {"2xx to DATA", "220 x\n250 x\n250 x\n250 x\n250 x\n250 x\n", REMOTE_DONE,
     VIEW_INIT("r\0r\0ZIP failed on DATA command.\nRemote host said: 250 x\n\0"),
     VIEW_INIT("EHLO me\r\nMAIL FROM:<s@x>\r\nRCPT TO:<r@h>\r\nRCPT TO:<t@h>\r\n"
               "DATA\r\nQUIT\r\n")},
    {"whole", "220 x\n250 x\n250 x\n250 x\n250 x\n354 x\n250 taken\n", REMOTE_DONE,
     VIEW_INIT("r\0r\0KIP accepted message.\nRemote host said: 250 taken\n\0"),
     VIEW_INIT("EHLO me\r\nMAIL FROM:<s@x>\r\nRCPT TO:<r@h>\r\nRCPT TO:<t@h>\r\n"
               "DATA\r\nhi\r\n..\r\n.\r\nQUIT\r\n")},
    {"dies after the dot", "220 x\n250 x\n250 x\n250 x\n250 x\n354 x\n", REMOTE_DONE,
     VIEW_INIT("r\0r\0ZConnected to IP but connection died. Possible duplicate! "
               "(#4.4.2)\n\0"),
     VIEW_INIT("EHLO me\r\nMAIL FROM:<s@x>\r\nRCPT TO:<r@h>\r\nRCPT TO:<t@h>\r\n"
               "DATA\r\nhi\r\n..\r\n.\r\n")},
};

static void test_dialog(size_t i)
{
    static char to_r[] = "r@h", to_t[] = "t@h";
    char *recipients[] = {to_r, to_t};
    int ends[2], message[2];
    struct bytes reports = {0}, verdict = {0}, sent = {0};
    char block[4096];
    ssize_t n;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == -1 || pipe(message) == -1) {
        ok(false, dialogs[i].name, "descriptors");
        return;
    }
    write_all(message[1], VIEW("hi\n.\n"));
    close(message[1]);
    write_all(ends[1], view_of(dialogs[i].peer));
    shutdown(ends[1], SHUT_WR);
    struct remote_job job = {VIEW("me"), VIEW("s@x"), recipients,   2, message[0], 5,
                             VIEW("h"),  NULL,        RELAY_TLS_MAY};
    struct remote_peer peer = {ends[0], VIEW("IP"), VIEW("h"), false};
    enum remote_outcome outcome = remote_dialog(&job, &peer, &reports, &verdict);
    close(ends[0]);
    while ((n = read(ends[1], block, sizeof block)) > 0)
        bytes_add(&sent, view_at(block, (size_t)n));
    ok(outcome == dialogs[i].outcome, dialogs[i].name, "outcome");
    bytes_add(&reports, bytes_view(&verdict));
    same(bytes_view(&reports), dialogs[i].reports, dialogs[i].name);
    same(bytes_view(&sent), dialogs[i].sent, dialogs[i].name);
    close(ends[1]);
    close(message[0]);
    bytes_free(&reports);
    bytes_free(&verdict);
    bytes_free(&sent);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < COUNT(addresses); i++) {
        struct bytes out = {0};
        remote_address(&out, addresses[i].address);
        same(bytes_view(&out), addresses[i].quoted, addresses[i].name);
        bytes_free(&out);
    }
    for (size_t i = 0; i < COUNT(breaks); i++)
        ok(remote_has_line_break(view_of(breaks[i].address)) == breaks[i].breaks,
           "line break", NULL);
    for (size_t i = 0; i < COUNT(dialogs); i++)
        test_dialog(i);
    return tap_done();
}
