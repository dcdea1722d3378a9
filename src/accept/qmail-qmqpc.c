/* qmail-qmqpc - give a message to a QMQP server, in the place of qmail-queue.
 *
 * runs as  whoever runs qmail-queue; trusts control/qmqpservers
 * fd 0     the message, to end of file
 * fd 1     the envelope, read (sic) when the message has ended, as by qmail-queue
 * fd 6     if open: what the server says when it does not take the message
 * exits    as qmail-queue: mail/queue_exit.h. 0 when the server has taken the message
 *
 * No message is given away twice: once a server may have read a byte of it, no other
 * is asked. */
#include "accept/qmqpc.h"
#include "base/fd.h"
#include "base/heap.h"
#include "base/os.h"
#include "base/sandbox.h"
#include "base/signals.h"
#include "base/writer.h"
#include "conf.h"
#include "mail/control.h"
#include "mail/enqueue.h"
#include "mail/relay.h"
#include "net/connect.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

enum { CONNECT_S = 10, TALK_S = 60 };

static void out_of_memory(void)
{
    _exit(QUEUE_MEMORY);
}

static void read_servers_or_exit(struct control_list *servers)
{
    struct bytes me = {0};
    struct view rest, entry;

    if (chdir(CONF_QMAIL) == -1)
        _exit(QUEUE_HOME);
    if (control_line("me", &me) == CONTROL_FAILED ||
        control_read_list("qmqpservers", servers) != CONTROL_READ)
        _exit(QUEUE_CONFIGURATION);
    rest = bytes_view(&servers->entries);
    if (!control_list_next(&rest, &entry))
        _exit(QUEUE_CONFIGURATION);
    bytes_free(&me);
}

/* How far one got with a server. */
enum talk {
    TALK_NONE,   /* it has no byte of the request */
    TALK_FAILED, /* it may have all of it */
    TALK_REPLY
};

static enum talk send_request(int fd, struct qmqpc_request *r)
{
    static struct writer out;
    struct view message = bytes_view(&r->message);
    size_t start = message.len < WRITER_ROOM ? message.len : WRITER_ROOM;

    bytes_add(&r->head, view_before(message, start));
    ssize_t n = os_write_now(fd, r->head.data, r->head.len);
    if (n <= 0)
        return TALK_NONE;
    writer_open(&out, fd, TALK_S);
    writer_add(&out, view_from(bytes_view(&r->head), (size_t)n));
    writer_add(&out, view_from(message, start));
    writer_add(&out, bytes_view(&r->tail));
    return writer_flush(&out) ? TALK_REPLY : TALK_FAILED;
}

static enum talk read_reply(int fd, struct qmqpc_reply *reply)
{
    static struct reader in;
    struct view part;

    reader_open(&in, fd, TALK_S);
    while (!reply->whole && reader_peek(&in, &part) == READ_ITEM) {
        if (!qmqpc_reply_add(reply, part))
            return TALK_FAILED;
        reader_skip(&in, part.len);
    }
    return reply->letter ? TALK_REPLY : TALK_FAILED;
}

/* Tries the servers in their order, until one may have read a part of the request. */
static enum queue_exit ask_servers(const struct control_list *servers,
                                   struct qmqpc_request *request,
                                   struct qmqpc_reply *reply)
{
    const struct ip_address any = {0};
    struct view rest = bytes_view(&servers->entries), entry, remark;
    enum queue_exit code = QUEUE_CONFIGURATION; /* until an entry can be used */
    size_t head_len = request->head.len;
    struct ip_address ip;
    unsigned port;
    int fd;

    while (control_list_next(&rest, &entry)) {
        if (!relay_of_server(entry, &ip, &port, &remark))
            continue;
        enum connect_result result = connect_to(&ip, port, &any, CONNECT_S, &fd);
        if (result == CONNECT_NO_SOCKET)
            return QUEUE_NETWORK;
        code =
            result == CONNECT_TIMED_OUT ? QUEUE_SERVER_TIMEOUT : QUEUE_SERVER_REJECTED;
        if (result != CONNECT_MADE)
            continue;
        bytes_cut(&request->head, head_len);
        enum talk talk = send_request(fd, request);
        if (talk == TALK_REPLY)
            talk = read_reply(fd, reply);
        fd_close(&fd);
        if (talk != TALK_NONE)
            return talk == TALK_REPLY ? QUEUE_OK : QUEUE_SERVER_FAILED;
    }
    return code;
}

int main(void)
{
    static struct qmqpc_request request;
    static struct qmqpc_reply reply;
    struct control_list servers = {0};
    /* asked before we open anything that may get this number */
    bool text_wanted = fcntl(ENQUEUE_FD_TEXT, F_GETFD) != -1;

    signals_ignore(SIGPIPE);
    heap_on_failure(out_of_memory);
    read_servers_or_exit(&servers);
    sandbox_enter(SANDBOX_NETWORK);

    enum queue_exit code = qmqpc_request_read(&request, 0, 1);
    if (code == QUEUE_OK)
        code = ask_servers(&servers, &request, &reply);
    if (code == QUEUE_OK)
        code = qmqpc_reply_exit(&reply, text_wanted);
    if (code == QUEUE_CUSTOM &&
        !write_all(ENQUEUE_FD_TEXT, view_at(reply.text, reply.text_len)))
        code = qmqpc_reply_exit(&reply, false);
    return (int)code;
}
