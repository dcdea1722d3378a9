/* qreceipt - tell the sender that a message has arrived, if the message asks for it.
 *
 * runs as  the owner of a .qmail file
 * fd 0     the message; its header is read
 * fd 2     why not
 * reads    SENDER of the environment
 * exits    0 sent or not asked for, 100 failed for good, 111 try again */
#include "dotqmail/qreceipt.h"

#include "base/die.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/heap.h"
#include "base/signals.h"
#include "base/writer.h"
#include "conf.h"
#include "mail/enqueue.h"
#include "mail/header.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static _Noreturn void die_of_field(struct view field)
{
    struct bytes line = {0};
    bytes_add_text(&line, "qreceipt: fatal: unable to parse this: ");
    bytes_add(&line, view_trim_end(field, "\n"));
    bytes_add_byte(&line, '\n');
    write_all(2, bytes_view(&line));
    _exit(DIE_PERM);
}

/* Whether the header asks for a notice to address; message_id is its last
 * Message-ID field. */
static bool is_asked_for_or_die(struct view address, struct bytes *message_id)
{
    static struct reader input;
    struct header header;
    struct bytes field = {0};
    enum header_result result;
    bool asked = false;

    reader_open(&input, 0, 0);
    header_open(&header, &input);
    while ((result = header_next(&header, &field)) == HEADER_FIELD) {
        struct view whole = bytes_view(&field), name = header_name(whole);
        if (view_is_case(name, "Message-ID"))
            bytes_set(message_id, whole);
        if (!view_is_case(name, "Notice-Requested-Upon-Delivery-To"))
            continue;
        enum qreceipt_answer answer = qreceipt_lists(header_value(whole), address);
        if (answer == QRECEIPT_NO_LIST)
            die_of_field(whole);
        asked = asked || answer == QRECEIPT_WANTED;
    }
    if (result == HEADER_TOO_LONG)
        die_perm("header is longer than %d bytes (#5.3.4)", HEADER_MAX);
    if (result == HEADER_FAILED)
        die_temp("read error");
    header_free(&header);
    bytes_free(&field);
    return asked;
}

/* Queues the notice, which is a bounce's kin: nobody gets an answer to it. */
static void send_or_die(struct view sender, struct view notice)
{
    static struct enqueue queue;
    struct enqueue_answer answer;

    if (!enqueue_start(&queue, CONF_QMAIL))
        die_temp("unable to fork");
    enqueue_message(&queue, notice);
    enqueue_sender(&queue, VIEW(""));
    enqueue_recipient(&queue, sender);
    enqueue_finish(&queue, &answer);
    if (answer.verdict == ENQUEUE_PERM)
        die_perm("permanent qmail-queue error");
    if (answer.verdict == ENQUEUE_TEMP)
        die_temp("temporary qmail-queue error");
}

int main(int argc, char **argv)
{
    struct bytes message_id = {0}, notice = {0};

    die_name("qreceipt");
    heap_on_failure(die_of_memory);
    const char *sender = getenv("SENDER");
    if (argc < 2 || !sender)
        die_raw(DIE_PERM, "qreceipt: usage: qreceipt deliveryaddress\n");
    if (!fd_fill_standard())
        die_temp("unable to open /dev/null: %s", error_text(errno));
    signals_ignore(SIGPIPE);

    struct view address = view_of(argv[1]), to = view_of(sender);
    if (is_asked_for_or_die(address, &message_id) && to.len && !view_is(to, "#@[]")) {
        qreceipt_add_notice(&notice, to, address, bytes_view(&message_id));
        send_or_die(to, bytes_view(&notice));
    }
    bytes_free(&message_id);
    bytes_free(&notice);
    return 0;
}
