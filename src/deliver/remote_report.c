#include "deliver/remote.h"

/* A letter, and the text; '%' is what it is about, '$' a detail. Where the letter
 * depends on the peer's reply, it comes with that. */
static const char *const texts[] = {
    [REMOTE_NO_MEMORY] = "ZOut of memory. (#4.3.0)\n",
    [REMOTE_NO_SYSTEM] = "ZSystem resources temporarily unavailable. (#4.3.0)\n",
    [REMOTE_NO_CONNECTION] =
        "ZSorry, I wasn't able to establish an SMTP connection. (#4.4.1)\n",
    [REMOTE_NOT_READ] = "ZUnable to read message. (#4.3.0)\n",
    [REMOTE_DNS_TEMPORARY] =
        "ZSorry, I couldn't find any host by that name. (#4.1.2)\n",
    [REMOTE_NO_HOME] = "ZUnable to switch to home directory. (#4.3.0)\n",
    [REMOTE_NO_CONTROL] = "ZUnable to read control files. (#4.3.0)\n",
    [REMOTE_NOT_BOUND] =
        "ZUnable to bind to the address in control/outgoingip. (#4.3.0)\n",
    [REMOTE_PARTIAL_LINE] =
        "DSMTP cannot transfer messages with partial final lines. (#5.6.2)\n",
    [REMOTE_USAGE] = "DI (qmail-remote) was invoked improperly. (#5.3.5)\n",
    [REMOTE_NO_HOST] = "DSorry, I couldn't find any host named %. (#5.1.2)\n",
    [REMOTE_NULL_MX] = "DSorry, % does not accept mail. (#5.1.10)\n",
    [REMOTE_NO_ADDRESS] =
        "DSorry, I couldn't find a mail exchanger or IP address. (#5.4.4)\n",
    [REMOTE_IS_US] =
        "DSorry. Although I'm listed as a best-preference MX or A for that host,\n"
        "it isn't in my control/locals file, so I don't treat it as local. (#5.4.6)\n",
    [REMOTE_SENDER_BREAK] =
        "DSorry, the sender address contains a line break. (#5.1.7)\n",
    [REMOTE_RECIPIENT_OK] = "r",
    [REMOTE_RECIPIENT_BREAK] = "hSorry, that address contains a line break. (#5.1.3)\n",
    [REMOTE_RECIPIENT] = "s% does not like recipient.\n",
    [REMOTE_GREETING] = "ZConnected to % but greeting failed.\n",
    [REMOTE_HELO] = "ZConnected to % but my name was rejected.\n",
    [REMOTE_TLS_NOT_OFFERED] =
        "ZConnected to % but TLS is required and was not offered. (#4.7.5)\n",
    [REMOTE_TLS_FAILED] = "ZConnected to % but TLS could not be started: $. (#4.7.5)\n",
    [REMOTE_TLS_UNVERIFIED] =
        "ZConnected to % but its certificate was not verified: $. (#4.7.5)\n",
    [REMOTE_TOO_LARGE] = "DConnected to % but the message is larger than that host "
                         "allows. (#5.3.4)\n",
    [REMOTE_SENDER] = "ZConnected to % but sender was rejected.\n",
    [REMOTE_GIVING_UP] = "DGiving up on %.\n",
    [REMOTE_DATA] = "Z% failed on DATA command.\n",
    [REMOTE_MESSAGE] = "Z% failed after I sent the message.\n",
    [REMOTE_ACCEPTED] = "K% accepted message.\n",
    [REMOTE_DIED] = "ZConnected to % but connection died. (#4.4.2)\n",
    [REMOTE_DIED_DUPLICATE] =
        "ZConnected to % but connection died. Possible duplicate! (#4.4.2)\n",
};

/* Bytes below lowest and above 126 as '?'. */
static void add_shown(struct bytes *out, struct view v, unsigned char lowest)
{
    for (size_t i = 0; i < v.len; i++) {
        unsigned char c = (unsigned char)v.data[i];
        bytes_add_byte(out, c < lowest || c > 126 ? '?' : (char)c);
    }
}

static void add_text(struct bytes *out, const char *text, struct view about,
                     struct view detail)
{
    for (; *text; text++) {
        if (*text == '%')
            add_shown(out, about, ' ' + 1);
        else if (*text == '$')
            add_shown(out, detail, ' ');
        else
            bytes_add_byte(out, *text);
    }
}

void remote_report_reply(struct bytes *out, char letter, enum remote_text text,
                         struct view about, struct view reply)
{
    bytes_add_byte(out, letter);
    add_text(out, texts[text] + 1, about, VIEW(""));
    if (reply.len)
        bytes_add_text(out, "Remote host said: ");
    for (size_t i = 0; i < reply.len; i++)
        bytes_add_byte(out, reply.data[i] ? reply.data[i] : '?');
    bytes_add_byte(out, '\0');
}

void remote_report(struct bytes *out, enum remote_text text, struct view about)
{
    remote_report_reply(out, texts[text][0], text, about, VIEW(""));
}

void remote_report_detail(struct bytes *out, enum remote_text text, struct view about,
                          struct view detail)
{
    bytes_add_byte(out, texts[text][0]);
    add_text(out, texts[text] + 1, about, detail);
    bytes_add_byte(out, '\0');
}
