#include "admin/showctl.h"
#include "mail/control.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static const char trouble[] = "Oops! Trouble reading this file.\n";
static const char default_mark[] = "(Default.) ";

#define NUMBER(name, before, after, missing)         \
    {                                                \
        name, SHOWCTL_NUMBER, before, after, missing \
    }
#define LINE(name, before, missing)              \
    {                                            \
        name, SHOWCTL_LINE, before, ".", missing \
    }
#define LIST(name, before, after, missing)         \
    {                                              \
        name, SHOWCTL_LIST, before, after, missing \
    }
#define OTHER(name)                     \
    {                                   \
        name, SHOWCTL_OTHER, "", "", "" \
    }

const struct showctl_file showctl_files[] = {
    LIST("badmailfrom", "", " not accepted in MAIL FROM.", "Any MAIL FROM is allowed."),
    LINE("bouncefrom", "Bounce user name is ", "MAILER-DAEMON"),
    LINE("bouncehost", "Bounce host name is ", NULL),
    NUMBER("concurrencylocal", "Local concurrency is ", ".", "10"),
    NUMBER("concurrencyremote", "Remote concurrency is ", ".", "20"),
    NUMBER("databytes", "SMTP DATA limit is ", " bytes.", "0"),
    LINE("defaultdomain", "Default domain name is ", NULL),
    LINE("defaulthost", "Default host name is ", NULL),
    LINE("doublebouncehost", "2B recipient host: ", NULL),
    LINE("doublebounceto", "2B recipient user: ", "postmaster"),
    LINE("envnoathost", "Presumed domain name is ", NULL),
    LINE("helohost", "SMTP client HELO host name is ", NULL),
    LINE("idhost", "Message-ID host name is ", NULL),
    LINE("localiphost", "Local IP address becomes ", NULL),
    LIST("locals", "Messages for ", " are delivered locally.",
         "Messages for me are delivered locally."),
    LINE("me", "My name is ", "undefined! Uh-oh"),
    LIST("percenthack", "The percent hack is allowed for user%host@", ".",
         "The percent hack is not allowed."),
    LINE("plusdomain", "Plus domain name is ", NULL),
    LIST("qmqpservers", "QMQP server: ", ".", "No QMQP servers."),
    NUMBER("queuelifetime", "Message lifetime in the queue is ", " seconds.", "604800"),
    LIST("rcpthosts", "SMTP clients may send messages to recipients at ", ".",
         "SMTP clients may send messages to any recipient."),
    OTHER("morercpthosts"),
    OTHER("morercpthosts.cdb"),
    LINE("smtpgreeting", "SMTP greeting: 220 ", NULL),
    LIST("smtproutes", "SMTP route: ", "", "No artificial SMTP routes."),
    NUMBER("timeoutconnect", "SMTP client connection timeout is ", " seconds.", "60"),
    NUMBER("timeoutremote", "SMTP client data timeout is ", " seconds.", "1200"),
    NUMBER("timeoutsmtpd", "SMTP server data timeout is ", " seconds.", "1200"),
    LIST("virtualdomains", "Virtual domain: ", "", "No virtual domains."),
    LIST("outgoingip", "Outgoing IP: ", "",
         "Outgoing IP addresses are chosen by the system."),
    OTHER("tlsclient"),
    LIST("tlspolicy", "TLS policy: ", "", "No TLS policies."),
    LIST("badrcptto", "badrcptto: ", "", "Not used."),
    LIST("badhelo", "badhelo: ", "", "Not used."),
    LIST("badmailfromnorelay", "badmailfromnorelay: ", "", "Not used."),
    LIST("badrcpttonorelay", "badrcpttonorelay: ", "", "Not used."),
    LIST("badhelonorelay", "badhelonorelay: ", "", "Not used."),
    NUMBER("maxrcpt", "maxrcpt: ", ".", "0"),
    NUMBER("brtlimit", "brtlimit: ", ".", "0"),
    NUMBER("tarpitcount", "tarpitcount: ", ".", "0"),
    NUMBER("tarpitdelay", "tarpitdelay: ", ".", "5"),
    NUMBER("sessionmax", "sessionmax: ", ".", "0"),
    {NULL, SHOWCTL_OTHER, NULL, NULL, NULL},
};

bool showctl_is_known(const char *name)
{
    for (const struct showctl_file *f = showctl_files; f->name; f++)
        if (strcmp(f->name, name) == 0)
            return true;
    return false;
}

void showctl_safe(struct bytes *out, struct view v)
{
    size_t at = out->len;
    bytes_add(out, v);
    for (; at < out->len; at++)
        if (out->data[at] < 32 || out->data[at] > 126)
            out->data[at] = '?';
}

static void add_value(struct bytes *out, const struct showctl_file *f,
                      struct view value)
{
    bytes_add_text(out, f->before);
    showctl_safe(out, value);
    bytes_add_text(out, f->after);
    bytes_add_byte(out, '\n');
}

static void explain_number(struct bytes *out, const struct showctl_file *f)
{
    struct bytes digits = {0};
    uint64_t n;
    /* the only one that may be larger than the others */
    enum control_result result = strcmp(f->name, "databytes") == 0
                                     ? control_size(f->name, &n)
                                     : control_number(f->name, &n);
    if (result == CONTROL_FAILED) {
        bytes_add_text(out, trouble);
    } else if (result == CONTROL_ABSENT) {
        bytes_add_text(out, default_mark);
        add_value(out, f, view_of(f->missing));
    } else {
        bytes_add_number(&digits, n);
        add_value(out, f, bytes_view(&digits));
    }
    bytes_free(&digits);
}

static void explain_line(struct bytes *out, const struct showctl_file *f,
                         const struct bytes *me)
{
    struct bytes value = {0};
    enum control_result result = control_line(f->name, &value);
    if (result == CONTROL_FAILED) {
        bytes_add_text(out, trouble);
    } else if (result == CONTROL_READ) {
        add_value(out, f, bytes_view(&value));
    } else {
        bytes_add_text(out, default_mark);
        add_value(out, f,
                  f->missing ? view_of(f->missing)
                  : me       ? bytes_view(me)
                             : view_of(f->name));
    }
    bytes_free(&value);
}

static void explain_list(struct bytes *out, const struct showctl_file *f)
{
    struct control_list list = {0};
    enum control_result result = control_read_list(f->name, &list);
    if (result == CONTROL_FAILED) {
        bytes_add_text(out, trouble);
    } else if (result == CONTROL_ABSENT) {
        bytes_add_text(out, default_mark);
        bytes_add_text(out, f->missing);
        bytes_add_byte(out, '\n');
    } else {
        struct view rest = bytes_view(&list.entries), entry;
        bytes_add_byte(out, '\n');
        while (control_list_next(&rest, &entry))
            add_value(out, f, entry);
    }
    control_list_free(&list);
}

static void explain_morercpthosts(struct bytes *out)
{
    static const struct showctl_file
        with = LIST("morercpthosts", "SMTP clients may send messages to recipients at ",
                    ".", "No effect."),
        without = LIST("morercpthosts",
                       "No rcpthosts; doesn't matter that morercpthosts has ", ".",
                       "No rcpthosts; morercpthosts is irrelevant.");
    struct stat st;
    bool absent = stat("control/rcpthosts", &st) == -1 && errno == ENOENT;
    explain_list(out, absent ? &without : &with);
}

static void explain_morercpthosts_cdb(struct bytes *out)
{
    struct stat text, cdb;
    bool has_text = stat("control/morercpthosts", &text) == 0;
    bool has_cdb = stat("control/morercpthosts.cdb", &cdb) == 0;

    if (!has_text && !has_cdb)
        bytes_add_text(out, "(Default.) No effect.\n");
    else if (!has_text)
        bytes_add_text(out,
                       "Oops! morercpthosts.cdb exists but morercpthosts doesn't.\n");
    else if (!has_cdb)
        bytes_add_text(out,
                       "Oops! morercpthosts exists but morercpthosts.cdb doesn't.\n");
    else if (text.st_mtime > cdb.st_mtime)
        bytes_add_text(out, "Oops! morercpthosts.cdb is older than morercpthosts.\n");
    else
        bytes_add_text(out, "Modified recently enough; hopefully up to date.\n");
}

static void explain_tlsclient(struct bytes *out)
{
    static const struct showctl_file file = LINE("tlsclient", "TLS helper: ", "");
    struct bytes value = {0};
    enum control_result result = control_line(file.name, &value);
    if (result == CONTROL_FAILED)
        bytes_add_text(out, trouble);
    else if (result == CONTROL_READ)
        add_value(out, &file, bytes_view(&value));
    else
        bytes_add_text(out, "(Default.) No TLS for outgoing mail.\n");
    bytes_free(&value);
}

void showctl_explain(struct bytes *out, const struct showctl_file *file,
                     const struct bytes *me)
{
    switch (file->kind) {
    case SHOWCTL_NUMBER:
        explain_number(out, file);
        return;
    case SHOWCTL_LINE:
        explain_line(out, file, me);
        return;
    case SHOWCTL_LIST:
        explain_list(out, file);
        return;
    case SHOWCTL_OTHER:
        break;
    }
    if (strcmp(file->name, "morercpthosts") == 0)
        explain_morercpthosts(out);
    else if (strcmp(file->name, "tlsclient") == 0)
        explain_tlsclient(out);
    else
        explain_morercpthosts_cdb(out);
}
