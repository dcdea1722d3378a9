#include "accept/qmtpd.h"

bool qmtpd_text_next(struct qmtpd_text *t, struct view *rest, struct view *run)
{
    if (rest->len == 0)
        return false;
    if (t->cr && rest->data[0] != '\n') {
        t->cr = false;
        *run = VIEW("\r");
        return true;
    }
    t->cr = false;
    size_t len = view_find(*rest, '\r'); /* with the LF of the line before */
    *run = view_before(*rest, len);
    t->cr = len < rest->len;
    *rest = view_from(*rest, len + t->cr);
    return true;
}

struct view qmtpd_text_end(const struct qmtpd_text *t)
{
    return t->cr ? VIEW("\r") : VIEW("");
}
