#include "mail/queue_exit.h"

#include "tap.h"

#include <stdio.h>

static const struct {
    int first, last;
    const char *text;
} cases[] = {
    {1, 10, "Zqq temporary problem (#4.3.0)"},
    {11, 11, "Denvelope address too long for qq (#5.1.3)"},
    {12, 30, "Dqq permanent problem (#5.3.0)"},
    {31, 31, "Dmail server permanently rejected message (#5.3.0)"},
    {32, 40, "Dqq permanent problem (#5.3.0)"},
    {41, 50, "Zqq temporary problem (#4.3.0)"},
    {51, 51, "Zqq out of memory (#4.3.0)"},
    {52, 52, "Zqq timeout (#4.3.0)"},
    {53, 53, "Zqq write error or disk full (#4.3.0)"},
    {54, 54, "Zqq read error (#4.3.0)"},
    {55, 55, "Zqq unable to read configuration (#4.3.0)"},
    {56, 56, "Zqq trouble making network connection (#4.3.0)"},
    {57, 60, "Zqq temporary problem (#4.3.0)"},
    {61, 61, "Zqq trouble in home directory (#4.3.0)"},
    {62, 66, "Zqq trouble creating files in queue (#4.3.0)"},
    {67, 70, "Zqq temporary problem (#4.3.0)"},
    {71, 71, "Zmail server temporarily rejected message (#4.3.0)"},
    {72, 72, "Zconnection to mail server timed out (#4.4.1)"},
    {73, 73, "Zconnection to mail server rejected (#4.4.1)"},
    {74, 74, "Zcommunication with mail server failed (#4.4.2)"},
    {75, 80, "Zqq temporary problem (#4.3.0)"},
    {81, 81, "Zqq internal bug (#4.3.0)"},
    {82, 90, "Zqq temporary problem (#4.3.0)"},
    {91, 91, "Zqq internal bug (#4.3.0)"},
    {92, 114, "Zqq temporary problem (#4.3.0)"},
    {115, 115, "Denvelope address too long for qq (#5.1.3)"},
    {116, 119, "Zqq temporary problem (#4.3.0)"},
    {120, 120, "Zunable to exec qq (#4.3.0)"},
    {121, 255, "Zqq temporary problem (#4.3.0)"},
};

int main(void)
{
    int next = 1;
    for (size_t i = 0; i < COUNT(cases); i++) {
        ok(cases[i].first == next, "no code is left out", NULL);
        next = cases[i].last + 1;
        for (int code = cases[i].first; code <= cases[i].last; code++) {
            char name[32];
            snprintf(name, sizeof name, "code %d", code);
            same(view_of(queue_exit_text(code)), view_of(cases[i].text), name);
        }
    }
    same_number((uint64_t)next, 256, "all codes");
    return tap_done();
}
