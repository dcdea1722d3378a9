#include "mail/queue_exit.h"

#include <stddef.h>

enum { PERMANENT_FIRST = 11, PERMANENT_LAST = 40 };

static const struct {
    int first, last;
    const char *text;
} texts[] = {
    {QUEUE_ADDRESS_TOO_LONG, QUEUE_ADDRESS_TOO_LONG,
     "Denvelope address too long for qq (#5.1.3)"},
    {QUEUE_ADDRESS_TOO_LONG_2, QUEUE_ADDRESS_TOO_LONG_2,
     "Denvelope address too long for qq (#5.1.3)"},
    {QUEUE_REFUSED, QUEUE_REFUSED,
     "Dmail server permanently rejected message (#5.3.0)"},
    {QUEUE_MEMORY, QUEUE_MEMORY, "Zqq out of memory (#4.3.0)"},
    {QUEUE_TIMEOUT, QUEUE_TIMEOUT, "Zqq timeout (#4.3.0)"},
    {QUEUE_WRITE, QUEUE_WRITE, "Zqq write error or disk full (#4.3.0)"},
    {QUEUE_READ, QUEUE_READ, "Zqq read error (#4.3.0)"},
    {QUEUE_CONFIGURATION, QUEUE_CONFIGURATION,
     "Zqq unable to read configuration (#4.3.0)"},
    {QUEUE_NETWORK, QUEUE_NETWORK, "Zqq trouble making network connection (#4.3.0)"},
    {QUEUE_HOME, QUEUE_HOME, "Zqq trouble in home directory (#4.3.0)"},
    {QUEUE_DIRECTORY, QUEUE_TODO, "Zqq trouble creating files in queue (#4.3.0)"},
    {QUEUE_SERVER_TEMP, QUEUE_SERVER_TEMP,
     "Zmail server temporarily rejected message (#4.3.0)"},
    {QUEUE_SERVER_TIMEOUT, QUEUE_SERVER_TIMEOUT,
     "Zconnection to mail server timed out (#4.4.1)"},
    {QUEUE_SERVER_REJECTED, QUEUE_SERVER_REJECTED,
     "Zconnection to mail server rejected (#4.4.1)"},
    {QUEUE_SERVER_FAILED, QUEUE_SERVER_FAILED,
     "Zcommunication with mail server failed (#4.4.2)"},
    {QUEUE_BUG, QUEUE_BUG, "Zqq internal bug (#4.3.0)"},
    {QUEUE_ENVELOPE, QUEUE_ENVELOPE, "Zqq internal bug (#4.3.0)"},
    {QUEUE_NOT_RUN, QUEUE_NOT_RUN, "Zunable to exec qq (#4.3.0)"},
    {PERMANENT_FIRST, PERMANENT_LAST, "Dqq permanent problem (#5.3.0)"},
};

const char *queue_exit_text(int code)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (code >= texts[i].first && code <= texts[i].last)
            return texts[i].text;
    return "Zqq temporary problem (#4.3.0)";
}
