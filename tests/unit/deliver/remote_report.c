#include "deliver/remote.h"

#include "tap.h"

static const struct {
    enum remote_text text;
    struct view about, want;
} plain[] = {
    {REMOTE_RECIPIENT_OK, BYTES("IP"), BYTES("r\0")},
    {REMOTE_NO_MEMORY, BYTES(""), BYTES("ZOut of memory. (#4.3.0)\n\0")},
    {REMOTE_NO_HOST, BYTES("a\001 b.\xe9%$\x7f"),
     BYTES("DSorry, I couldn't find any host named a??b.?%$?. (#5.1.2)\n\0")},
    {REMOTE_NULL_MX, BYTES("d.test"),
     BYTES("DSorry, d.test does not accept mail. (#5.1.10)\n\0")},
    {REMOTE_GIVING_UP, BYTES("2001:db8::1"), BYTES("DGiving up on 2001:db8::1.\n\0")},
};

static const struct {
    char letter;
    enum remote_text text;
    struct view reply, want;
} replies[] = {
    {'D', REMOTE_SENDER, BYTES("550-a\n550 b\n"),
     BYTES("DConnected to IP but sender was rejected.\nRemote host said: 550-a\n550 "
           "b\n\0")},
    {'s', REMOTE_RECIPIENT, BYTES("450 \0\xe9\001%\n"),
     BYTES("sIP does not like recipient.\nRemote host said: 450 ?\xe9\001%\n\0")},
    {'Z', REMOTE_DIED, BYTES(""),
     BYTES("ZConnected to IP but connection died. (#4.4.2)\n\0")},
    {'K', REMOTE_ACCEPTED, BYTES("250 cut off"),
     BYTES("KIP accepted message.\nRemote host said: 250 cut off\0")},
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
