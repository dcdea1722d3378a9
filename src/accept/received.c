#include "accept/received.h"

#include "mail/date.h"

#include <stdlib.h>

static const char letters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

static void add_safe(struct bytes *out, struct view v, const char *others)
{
    for (size_t i = 0; i < v.len; i++) {
        bool safe = view_has(view_of(letters), v.data[i]) ||
                    view_has(view_of(others), v.data[i]);
        bytes_add_byte(out, safe ? v.data[i] : '?');
    }
}

static void add_part(struct bytes *out, struct view v)
{
    add_safe(out, v, ".@%+/=:-[]");
}

/* The word after "with" (RFC 3848), and how TLS came to it. */
static void add_protocol(struct bytes *out, const struct received *r)
{
    if (r->protocol) {
        bytes_add_text(out, r->protocol);
        return;
    }
    if (!r->tls) {
        bytes_add_text(out, r->authenticated ? "ESMTPA" : "SMTP");
        return;
    }
    bytes_add_text(out, r->authenticated ? "ESMTPSA" : "ESMTPS");
    if (!r->cipher)
        return;
    bytes_add_text(out, " (");
    add_safe(out, view_of(r->cipher), ".@%+/=:-[]_");
    bytes_add_text(out,
                   r->authenticated ? " encrypted, authenticated)" : " encrypted)");
}

struct received received_from_environment(void)
{
    const char *local = getenv("TCPLOCALHOST");

    return (struct received){.remote_host = getenv("TCPREMOTEHOST"),
                             .remote_info = getenv("TCPREMOTEINFO"),
                             .remote_ip = getenv("TCPREMOTEIP"),
                             .local = local ? local : getenv("TCPLOCALIP")};
}

void received_add(struct bytes *out, const struct received *r, int64_t now)
{
    struct view host = view_of(r->remote_host ? r->remote_host : "unknown");

    bytes_add_text(out, "Received: from ");
    add_part(out, host);
    if (r->helo_given && !view_equal_case(r->helo, host)) {
        bytes_add_text(out, " (HELO ");
        add_part(out, r->helo);
        bytes_add_byte(out, ')');
    }
    bytes_add_text(out, " (");
    if (r->remote_info) {
        add_part(out, view_of(r->remote_info));
        bytes_add_byte(out, '@');
    }
    add_part(out, view_of(r->remote_ip ? r->remote_ip : "unknown"));
    bytes_add_text(out, ")\n  by ");
    add_part(out, view_of(r->local ? r->local : "unknown"));
    bytes_add_text(out, " with ");
    add_protocol(out, r);
    bytes_add_text(out, "; ");
    date_add(out, now);
    bytes_add_byte(out, '\n');
}
