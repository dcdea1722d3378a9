#include "accept/inject.h"
#include "base/die.h"
#include "base/writer.h"
#include "mail/address.h"

#include <unistd.h>

/* What qmail-send replaces by the recipient: "box-@host-@[]" becomes
 * "box-recipient=its.host@host". */
static const char verp_mark[] = "-@[]";

static void argument_or_die(struct bytes *out, const char *argument,
                            const struct inject_defaults *defaults)
{
    if (!inject_argument(out, view_of(argument), defaults))
        inject_refuse("unable to parse address: ", view_of(argument), "\n");
}

void inject_arguments_or_die(struct inject *in)
{
    if (in->options.sender)
        argument_or_die(&in->sender, in->options.sender, &in->defaults);
    if (!inject_uses_arguments(&in->options))
        return;
    for (char **argument = in->options.arguments; *argument; argument++) {
        argument_or_die(&in->recipients, *argument, &in->defaults);
        bytes_add_byte(&in->recipients, '\0');
    }
}

/* The sender that the environment names. */
static void default_sender_or_die(struct bytes *out, const struct inject *in,
                                  int64_t now)
{
    const struct inject_environment *env = &in->env;
    struct view host = env->sender_host ? view_of(env->sender_host) : VIEW("");
    struct bytes local = {0};

    bytes_add_text(&local, env->sender_user);
    if (env->sender_per_message)
        bytes_add_format(&local, "-%jd.%jd", (intmax_t)now, (intmax_t)getpid());
    if (env->verp)
        bytes_add_byte(&local, '-');
    if (!inject_mailbox(out, bytes_view(&local), env->sender_host ? &host : NULL,
                        &in->defaults)) {
        if (host.len)
            bytes_add_byte(&local, '@');
        bytes_add(&local, host);
        inject_refuse_line(bytes_view(&local));
    }
    bytes_free(&local);
}

void inject_sender_or_die(struct bytes *out, const struct inject *in, int64_t now)
{
    if (in->options.sender) {
        bytes_add(out, bytes_view(&in->sender));
        return;
    }
    if (in->message.has_return_path)
        bytes_add(out, bytes_view(&in->message.return_path));
    else
        default_sender_or_die(out, in, now);
    if (in->env.verp)
        bytes_add_text(out, verp_mark);
}

void inject_recipients(const struct inject *in,
                       void (*give)(void *arg, struct view recipient), void *arg)
{
    const struct inject_message *message = &in->message;
    enum inject_set set = message->resent ? INJECT_RESENT : INJECT_OWN;
    struct view rest = bytes_view(&in->recipients), recipient;

    while (control_list_next(&rest, &recipient))
        give(arg, recipient);
    rest = bytes_view(&message->recipients[set]);
    while (control_list_next(&rest, &recipient))
        give(arg, recipient);
}
