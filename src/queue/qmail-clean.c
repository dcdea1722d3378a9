/* qmail-clean - remove the queue files of messages that are done with.
 *
 * runs as  qmailq, started by qmail-start; trusts qmail-send with no file name
 * fd 0     requests: "foop/NUMBER" or "todo/NUMBER", each ended by a NUL
 * fd 1     an answer each: '+' gone, '!' try again later, 'x' not a request
 * exits    0 when qmail-send is gone, 100 when it takes no answer,
 *          111 when the queue or the requests cannot be reached */
#include "base/clock.h"
#include "base/die.h"
#include "base/fd.h"
#include "base/heap.h"
#include "base/reader.h"
#include "base/sandbox.h"
#include "base/signals.h"
#include "base/writer.h"
#include "conf.h"
#include "mail/queue_dir.h"
#include "queue/clean.h"

#include <signal.h>
#include <unistd.h>

/* Answers to requests that have come together go back together: each one wakes
 * qmail-send. */
static struct answers {
    char bytes[64];
    size_t count;
} answers;

static void write_answers(void *arg)
{
    (void)arg;
    if (answers.count && !write_all(1, view_at(answers.bytes, answers.count)))
        _exit(DIE_PERM);
    answers.count = 0;
}

int main(void)
{
    static struct reader requests;
    struct bytes text = {0};

    die_name("qmail-clean");
    heap_on_failure(die_of_memory);
    if (!fd_fill_standard())
        return DIE_TEMP;
    queue_enter_or_die(CONF_QMAIL);
    signals_ignore(SIGPIPE);
    sandbox_enter(SANDBOX_FILES);
    reader_open(&requests, 0, 0);
    reader_on_wait(&requests, write_answers, NULL);

    for (int served = 0;; served = (served + 1) % CLEAN_REQUESTS_PER_SWEEP) {
        if (served == 0) {
            write_answers(NULL);
            clean_sweep(clock_now()); /* what qmail-queue left behind when it died */
        }
        enum read_result result = clean_next_request(&requests, &text);
        if (result != READ_ITEM)
            return result == READ_END ? 0 : DIE_TEMP;
        if (fd_hung_up(0, 1)) /* by now its number may be another message's */
            return DIE_PERM;
        answers.bytes[answers.count++] = (char)clean_answer(bytes_view(&text));
        if (answers.count == sizeof answers.bytes)
            write_answers(NULL);
    }
}
