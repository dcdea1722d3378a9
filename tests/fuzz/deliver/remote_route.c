/* Any lines as smtproutes, tlspolicy and outgoingip: what a host finds there is what a
 * search of few lines finds, a port is a port, and an address is one. */
#include "deliver/remote.h"

#include "fuzz.h"
#include "must.h"

/* The lines with a colon as a map, as the control files have them. */
static void read_map(struct view in, struct table *t)
{
    while (in.len) {
        struct view line = view_trim_end(view_cut(&in, '\n'), " \t");
        if (!view_has(line, ':') || line.data[0] == '#')
            continue;
        struct view key = view_cut(&line, ':');
        table_add(t, key, line);
    }
}

/* The value of the last line of the key, ASCII case aside. */
static bool look_up(struct view in, struct view key, struct view *value)
{
    bool found = false;
    while (in.len) {
        struct view line = view_trim_end(view_cut(&in, '\n'), " \t");
        if (!view_has(line, ':') || line.data[0] == '#' ||
            !view_equal_case(view_cut(&line, ':'), key))
            continue;
        *value = line;
        found = true;
    }
    return found;
}

static bool look_up_host(struct view in, struct view host, struct view *value)
{
    if (look_up(in, host, value))
        return true;
    for (size_t i = 1; i < host.len; i++)
        if (host.data[i] == '.' && look_up(in, view_from(host, i), value))
            return true;
    return look_up(in, VIEW(""), value);
}

static bool is_within(struct view part, struct view whole)
{
    return part.len == 0 ||
           (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

static void check_route(const struct table *t, struct view in, struct view host)
{
    struct remote_route route;
    struct view value = VIEW("");
    bool good = remote_route_find(t, host, &route);
    bool relayed = look_up_host(in, host, &value) && value.len;

    must(route.relayed == relayed);
    if (!relayed)
        must(good && route.host.data == host.data && route.host.len == host.len &&
             route.port == 25);
    else if (good)
        must(route.port >= 1 && route.port <= 65535 && is_within(route.host, value));
}

static void check_policy(const struct table *t, struct view in, struct view host)
{
    enum relay_tls_policy policy = RELAY_TLS_NONE;
    struct view value = VIEW("");
    bool listed = look_up_host(in, host, &value);

    if (!remote_tls_policy_find(t, host, &policy))
        must(listed);
    else
        must(policy <= RELAY_TLS_VERIFY);
}

static void check_binding(struct view in, struct view host)
{
    struct control_list list = {0};
    struct remote_binding binding;

    while (in.len) {
        struct view line = view_cut(&in, '\n');
        if (line.len == 0 || view_has(line, '\0'))
            continue;
        bytes_add(&list.entries, line);
        bytes_add_byte(&list.entries, '\0');
    }
    if (remote_binding_find(&list, host, &binding))
        must((binding.v4.family == IP_V4 || binding.v4.family == IP_NONE) &&
             (binding.v6.family == IP_V6 || binding.v6.family == IP_NONE));
    control_list_free(&list);
}

static void check_status(struct view line)
{
    struct remote_tls_status status;
    remote_tls_status_read(&status, line);
    must(status.up || !status.verified);
    must(is_within(status.session, line) || !status.up);
}

/* The first line is the host. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view in = input_of(data, len), host = view_cut(&in, '\n');
    struct table t = {0};

    read_map(in, &t);
    check_route(&t, in, host);
    check_policy(&t, in, host);
    check_binding(in, host);
    check_status(host);
    table_free(&t);
    return 0;
}
