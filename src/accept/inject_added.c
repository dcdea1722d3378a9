#include "accept/inject.h"
#include "mail/address.h"
#include "mail/date.h"

#include <unistd.h>

/* "Resent-From" where name is From and the message is a resent one. */
static struct bytes field_name(const struct inject *in, const char *name)
{
    struct bytes full = {0};
    if (in->message.resent)
        bytes_add_text(&full, "Resent-");
    bytes_add_text(&full, name);
    return full;
}

static void begin_field(struct bytes *out, const struct inject *in, const char *name)
{
    struct bytes full = field_name(in, name);
    bytes_add(out, bytes_view(&full));
    bytes_add_text(out, ": ");
    bytes_free(&full);
}

static void add_date(struct bytes *out, const struct inject *in, int64_t now)
{
    begin_field(out, in, "Date");
    date_add(out, now);
    bytes_add_byte(out, '\n');
}

static void add_message_id(struct bytes *out, const struct inject *in, int64_t now)
{
    begin_field(out, in, "Message-ID");
    bytes_add_byte(out, '<');
    date_add_stamp(out, now);
    bytes_add_byte(out, '.');
    bytes_add_number(out, (uint64_t)getpid());
    bytes_add_text(out, ".qmail@");
    bytes_add(out, bytes_view(&in->defaults.id_host));
    bytes_add_text(out, ">\n");
}

static void add_mailbox(struct bytes *value, const struct inject_environment *env)
{
    address_quote_local(value, view_of(env->user));
    if (env->host) {
        bytes_add_byte(value, '@');
        bytes_add_text(value, env->host);
    }
}

/* The sender with the personal name, in one of the two styles. */
static void make_from(struct bytes *value, const struct inject_environment *env)
{
    if (!env->name) {
        add_mailbox(value, env);
    } else if (env->name_as_comment) {
        add_mailbox(value, env);
        token_write(value, (struct token){TOKEN_COMMENT, view_of(env->name)});
    } else {
        token_write(value, (struct token){TOKEN_QUOTED, view_of(env->name)});
        bytes_add_byte(value, '<');
        add_mailbox(value, env);
        bytes_add_byte(value, '>');
    }
}

static void add_from_or_die(struct bytes *out, const struct inject *in)
{
    struct bytes name = field_name(in, "From"), value = {0};

    make_from(&value, &in->env);
    bool good = inject_write_field(out, bytes_cstring(&name), bytes_view(&value),
                                   &in->defaults);
    bytes_free(&name);
    if (!good)
        inject_refuse_line(bytes_view(&value));
    bytes_free(&value);
}

/* Mail-Followup-To: where answers to a mailing list should go */

/* The end of addresses before the last one of them, which it returns. They are
 * each ended by a NUL. */
static struct view take_last(struct view *addresses)
{
    struct view before_nul = view_before(*addresses, addresses->len - 1);
    size_t nul = view_find_last(before_nul, '\0');
    size_t start = nul < before_nul.len ? nul + 1 : 0;
    *addresses = view_before(*addresses, start);
    return view_from(before_nul, start);
}

static bool names_mailing_list(const struct inject *in)
{
    struct view rest = bytes_view(&in->message.followup), address;
    while (control_list_next(&rest, &address))
        if (control_list_has(&in->env.mailing_lists, address))
            return true;
    return false;
}

/* The addresses were found from right to left: the last becomes the first. */
static void add_followup(struct bytes *out, const struct inject *in)
{
    struct view rest = bytes_view(&in->message.followup);
    const char *separator = "Mail-Followup-To: ";

    if (in->message.present[INJECT_OWN] & INJECT_FOLLOWUP_TO || !names_mailing_list(in))
        return;
    while (rest.len) {
        struct view address = take_last(&rest);
        if (address.len == 0)
            continue;
        bytes_add_text(out, separator);
        address_quote(out, address);
        separator = ",\n  ";
    }
    bytes_add_byte(out, '\n');
}

void inject_add_fields_or_die(struct bytes *out, const struct inject *in, int64_t now)
{
    const struct inject_message *message = &in->message;
    unsigned present = message->present[message->resent ? INJECT_RESENT : INJECT_OWN];

    if (!(present & INJECT_DATE))
        add_date(out, in, now);
    if (!(present & INJECT_MESSAGE_ID))
        add_message_id(out, in, now);
    if (!(present & INJECT_FROM))
        add_from_or_die(out, in);
    if (!(present & (INJECT_TO | INJECT_CC))) {
        begin_field(out, in, "Cc");
        bytes_add_text(out, "recipient list not shown: ;\n");
    }
    if (!message->resent)
        add_followup(out, in);
}
