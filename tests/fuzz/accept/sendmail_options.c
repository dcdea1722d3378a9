/* Any sendmail command line, split at NULs: what is handed to qmail-inject is read by
 * it as that sender and those recipients, whatever they begin with. */
#include "accept/sendmail.h"

#include "accept/inject.h"
#include "base/heap.h"
#include "fuzz.h"

#include <string.h>

enum { MAX_ARGUMENTS = 8, MAX_LEN = 512 };

static bool is_one_of(const char *text, char **argv)
{
    for (; *argv; argv++)
        if (text >= *argv && text <= *argv + strlen(*argv))
            return true;
    return false;
}

static void hand_over(const struct sendmail_request *request)
{
    struct inject_options options;
    struct bytes complaint = {0};
    char **argv = sendmail_inject_arguments(request);

    MUST(inject_options_read(&options, argv, &complaint));
    MUST(options.sender == request->sender && !options.print);
    MUST(options.recipients ==
         (request->header_recipients ? INJECT_BOTH : INJECT_ARGUMENTS));
    size_t i = 0;
    do
        MUST(options.arguments[i] == request->arguments[i]);
    while (request->arguments[i++]);
    heap_free(argv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static char text[MAX_LEN + 1];
    static char names[][16] = {"sendmail", "/usr/bin/mailq", "x/newaliases", ""};
    char *argv[MAX_ARGUMENTS + 2] = {NULL};
    struct sendmail_request request;
    int argc = 1;

    if (len == 0 || len > MAX_LEN)
        return 0;
    argv[0] = names[data[0] % COUNT(names)];
    memcpy(text, data + 1, len - 1);
    text[len - 1] = '\0';
    for (size_t at = 0; at < len && argc <= MAX_ARGUMENTS; at += strlen(text + at) + 1)
        argv[argc++] = text + at;

    enum sendmail_task task = sendmail_understand(&request, argv);
    if (task == SENDMAIL_SUBMIT) {
        MUST(!request.name || is_one_of(request.name, argv));
        MUST(!request.sender || request.sender[0] == '\0' ||
             is_one_of(request.sender, argv));
        hand_over(&request);
    }
    MUST(request.complaint.len == 0 || task == SENDMAIL_USAGE);
    bytes_free(&request.complaint);
    return 0;
}
