#include "accept/inject.h"

#include "tap.h"

#include <string.h>

/* NAME=VALUE words in place of the environment; what they make of the sender is
 * shown as user|host|sender user|sender host|name|letters. */
static const struct {
    const char *name, *variables, *want;
} cases[] = {
    {"nothing", "", "anonymous|-|anonymous|-|-|"},
    {"LOGNAME", "LOGNAME=l", "l|-|l|-|-|"},
    {"USER before LOGNAME", "LOGNAME=l USER=u", "u|-|u|-|-|"},
    {"MAILUSER before USER", "USER=u MAILUSER=m", "m|-|m|-|-|"},
    {"QMAILUSER before MAILUSER", "MAILUSER=m QMAILUSER=q", "q|-|q|-|-|"},
    {"empty user counts", "QMAILUSER= USER=u", "|-||-|-|"},
    {"MAILHOST", "MAILHOST=m", "anonymous|m|anonymous|m|-|"},
    {"QMAILHOST before MAILHOST", "MAILHOST=m QMAILHOST=q",
     "anonymous|q|anonymous|q|-|"},
    {"empty host is none", "MAILHOST=m QMAILHOST=", "anonymous|-|anonymous|-|-|"},
    {"sender user", "USER=u QMAILSUSER=s", "u|-|s|-|-|"},
    {"empty sender user", "USER=u QMAILSUSER=", "u|-||-|-|"},
    {"sender host", "QMAILHOST=h QMAILSHOST=s", "anonymous|h|anonymous|s|-|"},
    {"empty sender host", "QMAILHOST=h QMAILSHOST=", "anonymous|h|anonymous|-|-|"},
    {"NAME", "NAME=n", "anonymous|-|anonymous|-|n|"},
    {"MAILNAME before NAME", "NAME=n MAILNAME=m", "anonymous|-|anonymous|-|m|"},
    {"QMAILNAME, empty", "NAME=n QMAILNAME=", "anonymous|-|anonymous|-||"},
    {"letters", "USER=u QMAILINJECT=csfirm", "u|-|u|-|-|csfirm"},
    {"letters in any order", "USER=u QMAILINJECT=xmzsm", "u|-|u|-|-|sm"},
};

static char **variables;

static char *lookup(const char *name)
{
    size_t len = strlen(name);
    for (char **v = variables; *v; v++)
        if (strncmp(*v, name, len) == 0 && (*v)[len] == '=')
            return *v + len + 1;
    return NULL;
}

static void show(struct bytes *out, const struct inject_environment *env)
{
    const char *texts[] = {env->user, env->host, env->sender_user, env->sender_host,
                           env->name};
    const bool flags[] = {env->name_as_comment,
                          env->drop_return_path,
                          env->drop_from,
                          env->drop_message_id,
                          env->verp,
                          env->sender_per_message};

    for (size_t i = 0; i < COUNT(texts); i++) {
        bytes_add_text(out, texts[i] ? texts[i] : "-");
        bytes_add_byte(out, '|');
    }
    for (size_t i = 0; i < COUNT(flags); i++)
        if (flags[i])
            bytes_add_byte(out, "csfirm"[i]);
}

int main(void)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct inject_environment env;
        struct bytes got = {0};
        variables = tap_words(cases[i].variables);
        inject_environment_read(&env, lookup);
        show(&got, &env);
        same(bytes_view(&got), view_of(cases[i].want), cases[i].name);
        bytes_free(&got);
    }
    return tap_done();
}
