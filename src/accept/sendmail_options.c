#include "accept/sendmail.h"

#include "base/heap.h"
#include "base/option.h"

#include <string.h>

enum treatment {
    IGNORED,
    IGNORED_TO_END, /* with the letters behind it */
    HEADER_RECIPIENTS,
    SENDER,
    NAME,
    MODE
};

/* What other mail programs pass to sendmail, and what it means here. The letters
 * that are not in the table, such as q, C, d, I and M, ask for something that
 * this system does in another way or not at all. */
static const struct {
    char letter;
    bool has_value;
    enum treatment treatment;
} table[] = {
    {'t', false, HEADER_RECIPIENTS},
    {'f', true, SENDER},
    {'r', true, SENDER}, /* its old name */
    {'F', true, NAME},
    {'b', true, MODE},
    {'v', false, IGNORED}, /* show what is done */
    {'i', false, IGNORED}, /* a lone dot is not the end: it never is */
    {'m', false, IGNORED}, /* to me too */
    {'x', false, IGNORED},
    {'n', false, IGNORED}, /* no aliases */
    {'G', false, IGNORED}, /* a gateway submits */
    {'U', false, IGNORED}, /* a user submits */
    {'e', true, IGNORED},  /* how to tell of errors */
    {'o', true, IGNORED},  /* an option of sendmail's configuration */
    {'O', true, IGNORED},
    {'p', true, IGNORED}, /* protocol and host that it came from */
    {'B', true, IGNORED}, /* body type */
    {'N', true, IGNORED}, /* delivery notices */
    {'R', true, IGNORED}, /* what notices return */
    {'V', true, IGNORED}, /* envelope id */
    {'L', true, IGNORED}, /* log tag */
    {'h', true, IGNORED}, /* hop count */
    {'X', true, IGNORED}, /* traffic log */
    {'A', true, IGNORED}, /* which configuration */
    {'E', false, IGNORED_TO_END},
    {'J', false, IGNORED_TO_END},
};

static enum treatment treatment_of(int letter)
{
    for (size_t i = 0; i < COUNT(table); i++)
        if (table[i].letter == letter)
            return table[i].treatment;
    return IGNORED;
}

/* The table in the form that options_next() takes. */
struct letters {
    char text[2 * COUNT(table) + 1];
};

static struct letters known_letters(void)
{
    struct letters letters = {{0}};
    size_t len = 0;
    for (size_t i = 0; i < COUNT(table); i++) {
        letters.text[len++] = table[i].letter;
        if (table[i].has_value)
            letters.text[len++] = ':';
    }
    return letters;
}

/* The letter behind -b. *task stays for the mode that is ours anyway, m. */
static bool is_final_mode(char mode, enum sendmail_task *task)
{
    switch (mode) {
    case 'm':
        return false;
    case 'p':
        *task = SENDMAIL_LIST;
        return true;
    case 's':
        *task = SENDMAIL_SMTP;
        return true;
    }
    *task = SENDMAIL_USAGE;
    return true;
}

static enum sendmail_task task_of_name(const char *program)
{
    if (strcmp(program, "mailq") == 0)
        return SENDMAIL_LIST;
    if (strcmp(program, "newaliases") == 0)
        return SENDMAIL_ALIASES;
    return SENDMAIL_SUBMIT;
}

enum sendmail_task sendmail_understand(struct sendmail_request *request, char **argv)
{
    static char null_sender[] = "";
    struct letters letters = known_letters();
    struct options options;
    enum sendmail_task task;
    int code;

    *request = (struct sendmail_request){0};
    options_begin(&options, argv);
    while ((code = options_next(&options, letters.text)) != OPTION_END) {
        if (code == OPTION_ILLEGAL || code == OPTION_NO_VALUE) {
            options_complain(&options, code, &request->complaint);
            return SENDMAIL_USAGE;
        }
        switch (treatment_of(code)) {
        case IGNORED:
            break;
        case IGNORED_TO_END:
            options_skip_cluster(&options);
            break;
        case HEADER_RECIPIENTS:
            request->header_recipients = true;
            break;
        case SENDER:
            request->sender = strcmp(options.value, "<>") ? options.value : null_sender;
            break;
        case NAME:
            request->name = options.value;
            break;
        case MODE:
            if (is_final_mode(options.value[0], &task))
                return task;
        }
    }
    request->arguments = options.rest;
    return task_of_name(options.program);
}

char **sendmail_inject_arguments(const struct sendmail_request *request)
{
    enum { OURS = 6 }; /* program, -a, -f, sender, -- and the NULL */
    static char program[] = "bin/qmail-inject", arguments_alone[] = "-a", both[] = "-H",
                sender[] = "-f", end[] = "--";
    size_t count = 0, n = 0;

    while (request->arguments[count])
        count++;
    char **argv = heap_array(count + OURS, sizeof *argv);
    argv[n++] = program;
    argv[n++] = request->header_recipients ? both : arguments_alone;
    if (request->sender) {
        argv[n++] = sender;
        argv[n++] = request->sender;
    }
    argv[n++] = end;
    for (size_t i = 0; i < count; i++)
        argv[n++] = request->arguments[i];
    argv[n] = NULL;
    return argv;
}
