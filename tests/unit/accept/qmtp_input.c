#include "accept/qmtp.h"
#include "base/die.h"

#include "tap.h"

int main(void)
{
    struct qmtp_input in;

    qmtp_input_open(&in, NULL); /* nothing of it is read */
    qmtp_enter(&in, 5);
    ok(!qmtp_leave(&in), "the end of a netstring of which bytes are left", NULL);
    ok(in.over && in.exit_code == DIE_PERM, "breaks the rules", NULL);
    return tap_done();
}
