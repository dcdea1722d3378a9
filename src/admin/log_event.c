#include "admin/log.h"
#include "base/number.h"

const char *const log_channel_names[LOG_CHANNELS] = {"local", "remote"};
const char *const log_result_names[LOG_RESULTS] = {"success", "deferral", "failure"};

static bool take(struct view *rest, struct view what)
{
    if (!view_starts(*rest, what))
        return false;
    *rest = view_from(*rest, what.len);
    return true;
}

/* A number, then what. */
static bool number_then(struct view *rest, uint64_t *n, struct view what)
{
    return number_take(rest, n) && take(rest, what);
}

/* A number and no more. */
static bool number_last(struct view rest, uint64_t *n)
{
    return number_take(&rest, n) && rest.len == 0;
}

static enum log_kind read_info(struct view rest, struct log_event *e)
{
    if (!number_then(&rest, &e->message, VIEW(": bytes ")) ||
        !number_then(&rest, &e->size, VIEW(" from <")))
        return LOG_UNKNOWN;
    size_t end = view_find_last(rest, '>');
    e->address = view_before(rest, end);
    rest = view_from(rest, end);
    if (!take(&rest, VIEW("> qp ")) || !number_then(&rest, &e->qp, VIEW(" uid ")) ||
        !number_last(rest, &e->uid))
        return LOG_UNKNOWN;
    return LOG_INFO;
}

static enum log_kind read_start(struct view rest, struct log_event *e)
{
    if (!number_then(&rest, &e->delivery, VIEW(": msg ")) ||
        !number_then(&rest, &e->message, VIEW(" to ")))
        return LOG_UNKNOWN;
    if (take(&rest, VIEW("local ")))
        e->channel = LOG_LOCAL;
    else if (take(&rest, VIEW("remote ")))
        e->channel = LOG_REMOTE;
    else
        return LOG_UNKNOWN;
    e->address = rest;
    return LOG_START;
}

static enum log_kind read_result(struct view rest, struct log_event *e)
{
    if (!number_then(&rest, &e->delivery, VIEW(": ")))
        return LOG_UNKNOWN;
    if (take(&rest, VIEW("success: ")))
        e->result = LOG_SUCCESS;
    else if (take(&rest, VIEW("failure: ")))
        e->result = LOG_FAILURE;
    else if (take(&rest, VIEW("deferral: ")) ||
             view_is(rest, "report mangled, will defer"))
        e->result = LOG_DEFERRAL;
    else
        return LOG_UNKNOWN;
    e->text = rest;
    return LOG_RESULT;
}

static enum log_kind read_status(struct view rest, struct log_event *e)
{
    uint64_t limit;

    if (view_is(rest, "exiting"))
        return LOG_EXITING;
    if (!take(&rest, VIEW("local ")) ||
        !number_then(&rest, &e->running[LOG_LOCAL], VIEW("/")) ||
        !number_then(&rest, &limit, VIEW(" remote ")) ||
        !number_then(&rest, &e->running[LOG_REMOTE], VIEW("/")) ||
        !number_take(&rest, &limit))
        return LOG_UNKNOWN;
    return rest.len == 0 || view_is(rest, " exitasap") ? LOG_STATUS : LOG_UNKNOWN;
}

static enum log_kind read_bounce(struct view rest, struct log_event *e)
{
    bool read =
        number_then(&rest, &e->message, VIEW(" qp ")) && number_last(rest, &e->qp);
    return read ? LOG_BOUNCE : LOG_UNKNOWN;
}

/* What is inside <...>, which ends where what begins. */
static bool bracketed(struct view *rest, struct view *inside, struct view what)
{
    size_t end = view_find(*rest, '>');

    *inside = view_before(*rest, end);
    *rest = view_from(*rest, end);
    return take(rest, what);
}

static enum log_kind read_smtpd(struct view rest, struct log_event *e)
{
    uint64_t pid;

    e->qp = 0;
    if (!number_then(&rest, &pid, VIEW(" ip ")))
        return LOG_UNKNOWN;
    e->ip = view_cut(&rest, ' ');
    struct view word = view_cut(&rest, ' ');
    if (!take(&rest, VIEW("mail <")) ||
        !bracketed(&rest, &e->address, VIEW("> rcpt <")) ||
        !bracketed(&rest, &e->recipient, VIEW("> helo ")))
        return LOG_UNKNOWN;
    size_t helo = 0; /* a name may have colons in it, but no space */
    while (helo < rest.len && rest.data[helo] != ' ')
        helo++;
    if (helo == rest.len || helo == 0 || rest.data[helo - 1] != ':')
        return LOG_UNKNOWN;
    e->helo = view_before(rest, helo - 1);
    e->text = view_from(rest, helo + 1);
    if (view_is(word, "reject"))
        return LOG_SMTP_REFUSED;
    if (!view_is(word, "accept"))
        return LOG_UNKNOWN;
    /* 250 ok 1792130529 qp 1234 */
    struct view reply = e->text;
    uint64_t when;
    if (take(&reply, VIEW("250 ok ")) && number_then(&reply, &when, VIEW(" qp ")) &&
        !number_last(reply, &e->qp))
        e->qp = 0;
    return LOG_SMTP_TAKEN;
}

/* "held msg 7": what else the line says is for its reader. */
static enum log_kind read_deed(struct view rest, struct log_event *e)
{
    static const char *const words[] = {"held", "released", "return", "delete", "try"};
    struct view word = view_cut(&rest, ' ');

    for (size_t i = 0; i < COUNT(words); i++) {
        if (!view_is(word, words[i]))
            continue;
        e->word = words[i];
        bool read = take(&rest, VIEW("msg ")) && number_take(&rest, &e->message) &&
                    (rest.len == 0 || !byte_is_digit(rest.data[0]));
        e->text = rest;
        return read && (rest.len == 0 || rest.data[0] == ' ' || rest.data[0] == ':')
                   ? LOG_DEED
                   : LOG_UNKNOWN;
    }
    return LOG_UNKNOWN;
}

static enum log_kind read_line(struct view line, struct log_event *e)
{
    struct view rest = line;

    switch (line.len ? line.data[0] : '\0') {
    case 'n':
        return take(&rest, VIEW("new msg ")) && number_last(rest, &e->message)
                   ? LOG_NEW
                   : LOG_UNKNOWN;
    case 'i':
        return take(&rest, VIEW("info msg ")) ? read_info(rest, e) : LOG_UNKNOWN;
    case 's':
        if (take(&rest, VIEW("starting delivery ")))
            return read_start(rest, e);
        return take(&rest, VIEW("status: ")) ? read_status(rest, e) : LOG_UNKNOWN;
    case 'd':
        if (take(&rest, VIEW("delivery ")))
            return read_result(rest, e);
        return read_deed(rest, e);
    case 'e':
        return take(&rest, VIEW("end msg ")) && number_last(rest, &e->message)
                   ? LOG_END
                   : LOG_UNKNOWN;
    case 'b':
        return take(&rest, VIEW("bounce msg ")) ? read_bounce(rest, e) : LOG_UNKNOWN;
    case 't':
        if (take(&rest, VIEW("triple bounce: discarding bounce/")))
            return number_last(rest, &e->message) ? LOG_TRIPLE : LOG_UNKNOWN;
        return read_deed(rest, e);
    case 'h':
    case 'r':
        return read_deed(rest, e);
    case 'q':
        return take(&rest, VIEW("qmail-smtpd: pid ")) ? read_smtpd(rest, e)
                                                      : LOG_UNKNOWN;
    case 'a':
        e->text = line;
        return take(&rest, VIEW("alert: ")) ? LOG_ALERT : LOG_UNKNOWN;
    case 'w':
        e->text = line;
        return take(&rest, VIEW("warning: ")) ? LOG_WARNING : LOG_UNKNOWN;
    default:
        return LOG_UNKNOWN;
    }
}

enum log_kind log_event_read(struct view line, struct log_event *event)
{
    event->kind = read_line(line, event);
    return event->kind;
}
