/* The argument of MAIL or RCPT. Any bytes: what is read has no control byte and comes
 * from the argument, parameters are its end. The same bytes as an address: quoted they
 * are read as themselves, in brackets and without, alone and before parameters. */
#include "accept/smtpd_address.h"

#include "fuzz.h"
#include "mail/address.h"

static bool has_control_byte(struct view v)
{
    for (size_t i = 0; i < v.len; i++)
        if ((unsigned char)v.data[i] < 32 || v.data[i] == 127)
            return true;
    return false;
}

static void read_argument(struct view argument)
{
    struct bytes address = {0};
    struct view parameters, value;

    bool good = smtpd_address_parse(argument, &address, &parameters);
    MUST(!good || !has_control_byte(bytes_view(&address)));
    MUST(address.len <= argument.len);
    if (good) {
        MUST(view_ends(argument, parameters));
        const struct ip_address ip = {IP_V4, {127, 0, 0, 1}};
        const struct ip_own own = {(struct ip_address *)(uintptr_t)&ip, 1, 1};
        while (smtpd_parameter_next(&parameters, VIEW("SIZE="), &value))
            MUST(!view_has(value, ' '));
        smtpd_address_literal(&address, &own, VIEW("me"));
        MUST(!view_ends(bytes_view(&address), VIEW("@[127.0.0.1]")));
        MUST(!view_ends(bytes_view(&address), VIEW("@[IPv6:::ffff:127.0.0.1]")));
    }
    bytes_free(&address);
}

/* Quoting is for local parts: a domain must be able to stand as it is. */
static bool can_be_written(struct view address, const char *hidden)
{
    struct view local, domain;

    if (has_control_byte(address))
        return false;
    if (!address_split(address, &local, &domain))
        return true;
    for (size_t i = 0; i < domain.len; i++)
        if (view_has(view_of(hidden), domain.data[i]))
            return false;
    return true;
}

static void write_and_read(struct view address, const char *before, const char *behind,
                           const char *words)
{
    struct bytes argument = {0}, again = {0};
    struct view parameters;

    bytes_add_text(&argument, before);
    address_quote(&argument, address);
    bytes_add_text(&argument, behind);
    bytes_add_text(&argument, words);
    MUST(smtpd_address_parse(bytes_view(&argument), &again, &parameters));
    MUST(view_equal(bytes_view(&again), address));
    MUST(view_is(parameters, words[0] == ' ' ? words + 1 : words));
    bytes_free(&argument);
    bytes_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view v = view_at((const char *)data, len);

    read_argument(v);
    if (can_be_written(v, "\"\\>")) {
        write_and_read(v, "FROM:<", ">", "");
        write_and_read(v, "to: <", ">", " SIZE=1 BODY=8BITMIME");
    }
    if (can_be_written(v, "\"\\<> ") && v.len && !view_has(v, '<'))
        write_and_read(v, "FROM: ", "", " SIZE=1");
    return 0;
}
