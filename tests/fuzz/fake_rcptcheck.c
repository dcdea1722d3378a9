#include "accept/rcptcheck.h"

#include "fake.h"

#include <stdio.h>

unsigned fake_rcptcheck_asked;

enum rcptcheck_result rcptcheck_ask(const struct rcptcheck_question *q,
                                    struct rcptcheck_reply *reply)
{
    static const struct {
        char letter;
        enum rcptcheck_result result;
        const char *text;
    } answers[] = {{FAKE_NO_MAILBOX, RCPTCHECK_NO_MAILBOX, "550 no"},
                   {FAKE_OVER_LIMIT, RCPTCHECK_OVER_LIMIT, "421 enough"},
                   {FAKE_TROUBLE, RCPTCHECK_TROUBLE, "451 later"}};

    fake_rcptcheck_asked++;
    for (size_t i = 0; i < COUNT(answers); i++)
        if (q->recipient.len && q->recipient.data[0] == answers[i].letter) {
            snprintf(reply->text, sizeof reply->text, "%s", answers[i].text);
            return answers[i].result;
        }
    return RCPTCHECK_ACCEPTED;
}
