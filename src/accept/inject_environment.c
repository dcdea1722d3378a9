#include "accept/inject.h"

#include <stddef.h>

/* The first of several variables, ended by NULL, that is set. */
static const char *first_set(char *(*lookup)(const char *), const char *const *names)
{
    const char *value = NULL;
    while (!value && *names)
        value = lookup(*names++);
    return value;
}

static const char *const user_names[] = {"QMAILUSER", "MAILUSER", "USER", "LOGNAME",
                                         NULL};
static const char *const host_names[] = {"QMAILHOST", "MAILHOST", NULL};
static const char *const name_names[] = {"QMAILNAME", "MAILNAME", "NAME", NULL};

static const struct {
    char letter;
    size_t flag; /* where it is in struct inject_environment */
} letters[] = {
    {'c', offsetof(struct inject_environment, name_as_comment)},
    {'s', offsetof(struct inject_environment, drop_return_path)},
    {'f', offsetof(struct inject_environment, drop_from)},
    {'i', offsetof(struct inject_environment, drop_message_id)},
    {'r', offsetof(struct inject_environment, verp)},
    {'m', offsetof(struct inject_environment, sender_per_message)},
};

static void read_letters(struct inject_environment *env, const char *text)
{
    for (; text && *text; text++)
        for (size_t i = 0; i < COUNT(letters); i++)
            if (*text == letters[i].letter)
                *(bool *)((char *)env + letters[i].flag) = true;
}

static const char *unless_empty(const char *text)
{
    return text && *text ? text : NULL;
}

void inject_environment_read(struct inject_environment *env,
                             char *(*lookup)(const char *name))
{
    *env = (struct inject_environment){0};
    env->user = first_set(lookup, user_names);
    if (!env->user)
        env->user = "anonymous";
    env->sender_user = lookup("QMAILSUSER");
    if (!env->sender_user)
        env->sender_user = env->user;

    const char *host = first_set(lookup, host_names);
    const char *sender_host = lookup("QMAILSHOST");
    env->host = unless_empty(host);
    env->sender_host = unless_empty(sender_host ? sender_host : host);

    env->name = first_set(lookup, name_names);
    read_letters(env, lookup("QMAILINJECT"));
}

bool inject_mailing_lists_read(struct inject_environment *env, const char *path)
{
    switch (control_read_list_at(path, &env->mailing_lists)) {
    case CONTROL_READ:
        env->wants_followup = true;
        return true;
    case CONTROL_ABSENT:
        return true;
    case CONTROL_FAILED:
        break;
    }
    return false;
}
