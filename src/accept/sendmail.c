/* sendmail - what other programs call to send mail; also as mailq and newaliases.
 *
 * runs as  the caller; becomes another of our programs, by exec
 * fd 0     -bs: SMTP commands; else the message, which it leaves alone
 * becomes  bin/qmail-inject; -bs bin/qmail-smtpd; -bp, mailq bin/qmail-qread
 * exits    100 usage, 111 the program cannot be run; else that program's code */
#include "accept/sendmail.h"
#include "base/die.h"
#include "base/heap.h"
#include "conf.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void become(const char *path, char **argv)
{
    execv(path, argv);
    die_temp("unable to run %s", strrchr(path, '/') + 1);
}

static _Noreturn void become_alone(char *path)
{
    become(path, (char *[]){path, NULL});
}

static void set_or_die(const char *name, const char *value)
{
    if (setenv(name, value, 1) == -1)
        die_temp("out of memory");
}

/* An SMTP session on standard input, from somebody who may relay. */
static _Noreturn void become_smtp(void)
{
    static const char *const session[][2] = {
        {"RELAYCLIENT", ""},
        {"DATABYTES", "0"},
        {"PROTO", "TCP"},
        {"TCPLOCALIP", "127.0.0.1"},
        {"TCPLOCALHOST", "localhost"},
        {"TCPREMOTEIP", "127.0.0.1"},
        {"TCPREMOTEHOST", "localhost"},
        {"TCPREMOTEINFO", "sendmail-bs"},
    };
    static char path[] = "bin/qmail-smtpd";

    if (!getenv("PROTO"))
        for (size_t i = 0; i < COUNT(session); i++)
            set_or_die(session[i][0], session[i][1]);
    become_alone(path);
}

static _Noreturn void become_list(void)
{
    static char path[] = "bin/qmail-qread";
    become_alone(path);
}

/* Makes From follow the envelope sender, and forgets what the environment says. */
static void name_sender(const char *sender)
{
    static const char *const forgotten[] = {"QMAILNAME", "MAILNAME", "NAME",
                                            "QMAILHOST", "MAILHOST"};
    const char *at = strrchr(sender, '@');
    struct bytes user = {0};

    for (size_t i = 0; i < COUNT(forgotten); i++)
        unsetenv(forgotten[i]);
    bytes_set(&user, view_at(sender, at ? (size_t)(at - sender) : strlen(sender)));
    set_or_die("QMAILUSER", bytes_cstring(&user));
    if (at)
        set_or_die("QMAILHOST", at + 1);
    bytes_free(&user);
}

static _Noreturn void become_inject(const struct sendmail_request *request)
{
    if (request->sender)
        name_sender(request->sender);
    if (request->name)
        set_or_die("MAILNAME", request->name);
    become("bin/qmail-inject", sendmail_inject_arguments(request));
}

static _Noreturn void refuse(const struct sendmail_request *request)
{
    struct bytes complaint = request->complaint;

    die_raw(DIE_PERM,
            "%ssendmail: usage: sendmail [ -t ] [ -fsender ] [ -Fname ] [ -bp ] "
            "[ -bs ] [ arg ... ]\n",
            bytes_cstring(&complaint));
}

int main(int argc, char **argv)
{
    struct sendmail_request request;

    (void)argc;
    die_name("sendmail");
    heap_on_failure(die_of_memory);
    if (chdir(CONF_QMAIL) == -1)
        die_temp("unable to switch to qmail home directory");
    switch (sendmail_understand(&request, argv)) {
    case SENDMAIL_SUBMIT:
        become_inject(&request);
    case SENDMAIL_SMTP:
        become_smtp();
    case SENDMAIL_LIST:
        become_list();
    case SENDMAIL_ALIASES:
        die_perm("please use fastforward/newaliases instead");
    case SENDMAIL_USAGE:
        break;
    }
    refuse(&request);
}
