#include "accept/inject.h"
#include "mail/address_list.h"
#include "mail/fold.h"

/* What is done with a field. */
enum {
    REWRITE = 1,    /* completed and written anew */
    RECIPIENTS = 2, /* its addresses are recipients */
    SENDER = 4,     /* its address is the envelope sender */
    FOLLOWUP = 8,   /* its addresses may be those of a mailing list */
    REMOVE = 16     /* not passed on */
};

struct rule {
    const char *name;
    enum inject_set set;
    unsigned present; /* the bit in message.present */
    unsigned what;
};

/* A field of INJECT_RESENT makes the message a resent one. */
static const struct rule rules[] = {
    {"To", INJECT_OWN, INJECT_TO, REWRITE | RECIPIENTS | FOLLOWUP},
    {"Cc", INJECT_OWN, INJECT_CC, REWRITE | RECIPIENTS | FOLLOWUP},
    {"Apparently-To", INJECT_OWN, 0, REWRITE | RECIPIENTS},
    {"Bcc", INJECT_OWN, 0, RECIPIENTS | REMOVE},
    {"Resent-To", INJECT_RESENT, INJECT_TO, REWRITE | RECIPIENTS},
    {"Resent-Cc", INJECT_RESENT, INJECT_CC, REWRITE | RECIPIENTS},
    {"Resent-Bcc", INJECT_RESENT, 0, RECIPIENTS | REMOVE},
    {"Return-Path", INJECT_OWN, 0, SENDER | REMOVE},
    {"From", INJECT_OWN, INJECT_FROM, REWRITE},
    {"Sender", INJECT_OWN, 0, REWRITE},
    {"Reply-To", INJECT_OWN, 0, REWRITE},
    {"Errors-To", INJECT_OWN, 0, REWRITE},
    {"Return-Receipt-To", INJECT_OWN, 0, REWRITE},
    {"Resent-From", INJECT_RESENT, INJECT_FROM, REWRITE},
    {"Resent-Sender", INJECT_RESENT, 0, REWRITE},
    {"Resent-Reply-To", INJECT_RESENT, 0, REWRITE},
    {"Date", INJECT_OWN, INJECT_DATE, 0},
    {"Message-ID", INJECT_OWN, INJECT_MESSAGE_ID, 0},
    {"Mail-Followup-To", INJECT_OWN, INJECT_FOLLOWUP_TO, 0},
    {"Resent-Date", INJECT_RESENT, INJECT_DATE, 0},
    {"Resent-Message-ID", INJECT_RESENT, INJECT_MESSAGE_ID, 0},
    {"Content-Length", INJECT_OWN, 0, REMOVE},
};

static const struct rule *find_rule(struct view name)
{
    static const struct rule other = {NULL, INJECT_OWN, 0, 0};
    for (size_t i = 0; i < COUNT(rules); i++)
        if (view_is_case(name, rules[i].name))
            return &rules[i];
    return &other;
}

/* Whether QMAILINJECT asks to act as if the field had not come. */
static bool is_dropped(const struct inject_environment *env, const struct rule *rule)
{
    if (rule->what & SENDER)
        return env->drop_return_path;
    if (rule->set != INJECT_OWN)
        return false;
    return (rule->present == INJECT_FROM && env->drop_from) ||
           (rule->present == INJECT_MESSAGE_ID && env->drop_message_id);
}

/* The addresses of one field. */
struct found {
    const struct inject_defaults *defaults;
    bool to_envelope;       /* they must be able to stand there */
    struct bytes addresses; /* plain, each ended by a NUL, from right to left */
};

static bool visit(void *arg, struct tokens *address)
{
    struct found *found = arg;
    size_t start = found->addresses.len;

    inject_complete(address, found->defaults);
    if (!found->to_envelope)
        return true;
    tokens_add_plain(&found->addresses, address);
    if (!inject_may_pass(view_from(bytes_view(&found->addresses), start)))
        return false;
    bytes_add_byte(&found->addresses, '\0');
    return true;
}

/* Appends the field, completed, to out. False where it cannot be parsed. */
static bool rewrite(struct bytes *out, struct view name, struct view value,
                    struct found *found)
{
    struct tokens list = {0}, written = {0};
    bool good =
        tokens_read(&list, value) && address_list_read(&list, &written, visit, found);

    if (good)
        fold_field(out, name, &written);
    tokens_free(&list);
    tokens_free(&written);
    return good;
}

/* Puts the addresses where they are needed. */
static void keep(struct inject *in, const struct rule *rule, struct view addresses)
{
    struct inject_message *message = &in->message;

    if ((rule->what & RECIPIENTS) && inject_uses_header(&in->options))
        bytes_add(&message->recipients[rule->set], addresses);
    if ((rule->what & FOLLOWUP) && in->env.wants_followup)
        bytes_add(&message->followup, addresses);
    if ((rule->what & SENDER) && addresses.len && !message->has_return_path) {
        message->has_return_path = true;
        bytes_set(&message->return_path, view_cut(&addresses, '\0'));
    }
}

/* A field of addresses. One whose recipients do not matter may be anything. */
static bool take_addresses(struct inject *in, const struct rule *rule,
                           struct view field)
{
    struct bytes *out = &in->message.fields;
    struct found found = {
        .defaults = &in->defaults,
        .to_envelope = rule->what & (RECIPIENTS | SENDER),
    };
    size_t before = out->len;
    bool good = rewrite(out, header_name(field), header_value(field), &found);
    bool must_be_good = !(rule->what & RECIPIENTS) || inject_uses_header(&in->options);

    if (good)
        keep(in, rule, bytes_view(&found.addresses));
    else
        bytes_add(out, field);
    if (rule->what & REMOVE)
        bytes_cut(out, before);
    bytes_free(&found.addresses);
    return good || !must_be_good;
}

bool inject_field(struct inject *in, struct view field)
{
    const struct rule *rule = find_rule(header_name(field));
    struct inject_message *message = &in->message;

    if (is_dropped(&in->env, rule))
        return true;
    message->present[rule->set] |= rule->present;
    if (rule->set == INJECT_RESENT)
        message->resent = true;
    if (rule->what & (REWRITE | RECIPIENTS | SENDER))
        return take_addresses(in, rule, field);
    if (!(rule->what & REMOVE))
        bytes_add(&message->fields, field);
    return true;
}

bool inject_write_field(struct bytes *out, const char *name, struct view value,
                        const struct inject_defaults *defaults)
{
    struct found found = {.defaults = defaults};
    return rewrite(out, view_of(name), value, &found);
}
