#include "accept/qmtpd.h"

#include <stdlib.h>

static bool good(enum control_result result)
{
    return result != CONTROL_FAILED;
}

bool qmtpd_controls_read(struct qmtpd_policy *p)
{
    struct bytes me = {0};
    uint64_t check_relay = 0;

    /* me is not used, but where it cannot be read nothing is as it should be */
    bool read = good(control_line("me", &me)) && rcpthosts_open(&p->rcpthosts) &&
                good(control_size("databytes", &p->max_bytes));
    bytes_free(&me);
    control_environment("DATABYTES", &p->max_bytes);
    p->suffix = getenv("RELAYCLIENT");
    p->rcptcheck = getenv("RCPTCHECK");
    control_environment("RCPTCHECKRELAYCLIENT", &check_relay);
    p->rcptcheck_relay = check_relay > 0;
    return read;
}
