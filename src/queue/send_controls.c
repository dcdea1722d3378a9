#include "conf.h"
#include "queue/send.h"

#include <unistd.h>

enum { DEFAULT_LOCAL = 10, DEFAULT_REMOTE = 20, DEFAULT_LIFETIME_S = 604800 };

struct send_controls controls = {
    .concurrency = {[CHANNEL_LOCAL] = DEFAULT_LOCAL, [CHANNEL_REMOTE] = DEFAULT_REMOTE},
    .lifetime_s = DEFAULT_LIFETIME_S,
    .remote_recipients = 1,
};

/* The first line of control/me, which stands in for locals whenever that is
 * missing; as it was at the start. */
static struct {
    struct bytes name;
    bool known;
} me;

static bool is_fine(enum control_result result)
{
    return result != CONTROL_FAILED;
}

static bool read_line(const char *name, const char *literal, struct bytes *value)
{
    enum control_result result = control_line(name, value);
    if (result == CONTROL_ABSENT)
        bytes_set(value, view_of(literal));
    return is_fine(result);
}

static const struct bytes *my_name(void)
{
    return me.known ? &me.name : NULL;
}

bool controls_read(void)
{
    enum control_result result = control_line("me", &me.name);
    me.known = result == CONTROL_READ;
    return is_fine(result) && route_rules_read(&controls.rules, my_name()) &&
           is_fine(control_number("concurrencylocal",
                                  &controls.concurrency[CHANNEL_LOCAL])) &&
           is_fine(control_number("concurrencyremote",
                                  &controls.concurrency[CHANNEL_REMOTE])) &&
           is_fine(control_number("queuelifetime", &controls.lifetime_s)) &&
           is_fine(control_number("remoterecipients", &controls.remote_recipients)) &&
           read_line("bouncefrom", "MAILER-DAEMON", &controls.bounce_from) &&
           is_fine(
               control_line_or_me("bouncehost", "bouncehost", &controls.bounce_host)) &&
           read_line("doublebounceto", "postmaster", &controls.double_bounce_to) &&
           is_fine(control_line_or_me("doublebouncehost", "doublebouncehost",
                                      &controls.double_bounce_host));
}

static void reread_in_home(void)
{
    struct control_list locals = {0}, virtualdomains = {0};

    if (!route_locals_read(&locals, my_name())) {
        log_line("alert: unable to reread control/locals");
    } else if (!is_fine(control_read_map("virtualdomains", &virtualdomains))) {
        log_line("alert: unable to reread control/virtualdomains");
    } else {
        struct route_rules *rules = &controls.rules;
        control_list_free(&rules->locals);
        control_list_free(&rules->virtualdomains);
        rules->locals = locals;
        rules->virtualdomains = virtualdomains;
        return;
    }
    control_list_free(&locals);
    control_list_free(&virtualdomains);
}

void controls_reread(void)
{
    if (chdir(CONF_QMAIL) == -1) {
        log_line(
            "alert: unable to reread controls: unable to switch to home directory");
        return;
    }
    reread_in_home();
    while (chdir(CONF_QMAIL "/queue") == -1) {
        log_line("alert: unable to switch back to queue directory; HELP! sleeping...");
        send_sleep();
    }
}
