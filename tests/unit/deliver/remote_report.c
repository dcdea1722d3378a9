#include "deliver/remote.h"

#include "tap.h"

static const struct {
    enum remote_text text;
    struct view about, want;
} plain[] = {
    {REMOTE_RECIPIENT_OK, VIEW_INIT("IP"), VIEW_INIT("r\0")},
    {REMOTE_NO_MEMORY, VIEW_INIT(""), VIEW_INIT("ZOut of memory. (#4.3.0)\n\0")},
    {REMOTE_NO_HOST, VIEW_INIT("a\001 b.\xe9%$\x7f"),
     VIEW_INIT("DSorry, I couldn't find any host named a??b.?%$?. (#5.1.2)\n\0")},
    {REMOTE_NULL_MX, VIEW_INIT("d.test"),
     VIEW_INIT("DSorry, d.test does not accept mail. (#5.1.10)\n\0")},
    {REMOTE_GIVING_UP, VIEW_INIT("2001:db8::1"),
     VIEW_INIT("DGiving up on 2001:db8::1.\n\0")},
};

static const struct {
    char letter;
    enum remote_text text;
    struct view reply, want;
} replies[] = {
    {'D', REMOTE_SENDER, VIEW_INIT("550-a\n550 b\n"),
     VIEW_INIT(
         "DConnected to IP but sender was rejected.\nRemote host said: 550-a\n550 "
         "b\n\0")},
    {'s', REMOTE_RECIPIENT, VIEW_INIT("450 \0\xe9\001%\n"),
     VIEW_INIT("sIP does not like recipient.\nRemote host said: 450 ?\xe9\001%\n\0")},
    {'Z', REMOTE_DIED, VIEW_INIT(""),
     VIEW_INIT("ZConnected to IP but connection died. (#4.4.2)\n\0")},
    {'K', REMOTE_ACCEPTED, VIEW_INIT("250 cut off"),
     VIEW_INIT("KIP accepted message.\nRemote host said: 250 cut off\0")},
};

int main(void)
{
    struct bytes out = {0};
    for (size_t i = 0; i < COUNT(plain); i++) {
        bytes_clear(&out);
        remote_report(&out, plain[i].text, plain[i].about);
        same(bytes_view(&out), plain[i].want, "report");
    }
    for (size_t i = 0; i < COUNT(replies); i++) {
        bytes_clear(&out);
        remote_report_reply(&out, replies[i].letter, replies[i].text, VIEW("IP"),
                            replies[i].reply);
        same(bytes_view(&out), replies[i].want, "with reply");
    }
    bytes_clear(&out);
    remote_report_detail(&out, REMOTE_TLS_FAILED, VIEW("IP"), VIEW("no\001 cipher"));
    same(
        bytes_view(&out),
        VIEW("ZConnected to IP but TLS could not be started: no? cipher. (#4.7.5)\n\0"),
        "with detail");
    bytes_free(&out);
    return tap_done();
}
