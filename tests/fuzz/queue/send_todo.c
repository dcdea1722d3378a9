/* Any bytes as todo/N: qmail-send takes it whole or not at all. What it takes it sorts
 * into info, local and remote as an oracle of few lines does, and all programs that
 * read these files find the same in them. */
#include "queue/send.h"

#include "queue/info_file.h"
#include "queue/qctl.h"
#include "queue/qfix.h"

#include "fuzz.h"
#include "must.h"
#include "played.h"
#include "scratch.h"

enum { FILES = 3, LOG = PLAYED };

static const char *const trees[FILES] = {"local", "remote", "info"};

struct send_controls controls;

static struct bytes log_written;
static bool taken, leaving;
static unsigned channels;

/* What qmail-send's other parts would do */

bool send_is_leaving(void)
{
    return leaving;
}

bool send_sleep(void)
{
    abort();
}

void waiting_add(enum channel c, ino_t message, int64_t due)
{
    must(message == SCRATCH_MESSAGE && due > 0);
    channels |= 1U << c;
}

void finish_add(ino_t message)
{
    must(message == SCRATCH_MESSAGE && !channels);
}

void clean_request(const char *verb, ino_t message, unsigned detail, clean_done *done)
{
    must(view_is(view_of(verb), "todo") && message == SCRATCH_MESSAGE);
    taken = true;
    done(message, detail, true);
}

const struct route_rules *qctl_rules(void)
{
    return &controls.rules;
}

/* The oracle. Local is what is at h.test, and at v.test with "joe-" before it. */

static void add_recipient(struct bytes files[FILES], struct view address)
{
    bool local = false, is_virtual = false;
    for (size_t i = 0; i < address.len; i++)
        if (address.data[i] == '@') {
            local = view_is_case(view_from(address, i + 1), "h.test");
            is_virtual = view_is_case(view_from(address, i + 1), "v.test");
        }
    struct bytes *to = &files[local || is_virtual ? 0 : 1];
    bytes_add_text(to, is_virtual ? "Tjoe-" : "T");
    bytes_add(to, address);
    bytes_add_text(to, view_has(address, '@') ? "" : "@none.test");
    bytes_add_byte(to, '\0');
}

/* False: not to be taken. */
static bool sort_records(struct view in, struct bytes files[FILES])
{
    bool has_sender = false;
    while (in.len) {
        if (!view_has(in, '\0'))
            return false;
        struct view record = view_cut(&in, '\0');
        char letter = record.len ? record.data[0] : '\0';
        if (letter == 'T') {
            add_recipient(files, view_from(record, 1));
        } else if (letter == 'F') {
            has_sender = true;
            bytes_add(&files[2], record);
            bytes_add_byte(&files[2], '\0');
        } else if (letter != 'u' && letter != 'p') {
            return false;
        }
    }
    return has_sender;
}

/* Reading back */

static void add_record(void *arg, char letter, struct view value)
{
    bytes_add_byte(arg, letter);
    bytes_add(arg, value);
    bytes_add_byte(arg, '\0');
}

static void check_info(struct view first_record)
{
    static struct bytes sender;
    struct stat st;
    uint64_t senders, records;

    must(info_read(SCRATCH_MESSAGE, &sender, &st));
    must(view_equal(bytes_view(&sender), view_from(first_record, 1)));
    int fd = open(queue_split_path("info", SCRATCH_MESSAGE).text, O_RDONLY);
    must(qfix_records(fd, "F", &senders, &records) == QFIX_SOUND && senders == records);
    close(fd);
}

static void check_files(const struct bytes want[FILES])
{
    static struct bytes got;
    for (int i = 0; i < FILES; i++) {
        struct queue_path path = queue_split_path(trees[i], SCRATCH_MESSAGE);
        must(scratch_get(path, &got) == (want[i].len > 0));
        must(view_equal(bytes_view(&got), bytes_view(&want[i])));
    }
    for (int c = 0; c < CHANNELS; c++) {
        bytes_clear(&got);
        must(order_each_recipient((enum channel)c, SCRATCH_MESSAGE, add_record, &got));
        must(view_equal(bytes_view(&got), bytes_view(&want[c])));
        must((channels >> c & 1) == (want[c].len > 0));
    }
    struct view info = bytes_view(&want[2]);
    check_info(view_cut(&info, '\0'));
}

/* Readers of todo/N that change nothing: the same verdict, and the same records. */
static void check_todo(struct view in, bool good)
{
    static struct bytes all;
    uint64_t senders, records;
    int fd = open(queue_flat_path("todo", SCRATCH_MESSAGE).text, O_RDONLY);

    bool sound = qfix_records(fd, "upFT", &senders, &records) == QFIX_SOUND;
    must((sound && senders > 0) == good);
    lseek(fd, 0, SEEK_SET);
    bytes_clear(&all);
    must(qctl_each_record(fd, add_record, &all) == sound);
    must(view_starts(in, bytes_view(&all)) && (!sound || in.len == all.len));
    close(fd);
}

static void check_log(void)
{
    struct view rest = bytes_view(&log_written);
    while (rest.len) {
        must(view_has(rest, '\n'));
        must(is_printable_text(view_cut(&rest, '\n')));
    }
}

/* Takes it; ends the batch; a message for one recipient, which is being tried, need not
 * be on the disk before qmail-send leaves. */
static void turns(void)
{
    struct loop l = {0};
    todo_serve(&l);
    fresh_serve();
    leaving = true;
    fresh_serve();
    leaving = false;
}

static void start(void)
{
    static bool started;
    scratch_enter();
    if (started)
        return;
    started = true;
    scratch_put(queue_split_path("mess", SCRATCH_MESSAGE), VIEW("m\n"));
    bytes_set(&controls.rules.envnoathost, VIEW("none.test"));
    table_add(&controls.rules.locals.table, VIEW("h.test"), VIEW("h.test"));
    table_add(&controls.rules.virtualdomains.table, VIEW("v.test"), VIEW("joe"));
    played[0].out = &log_written;
    log_open(LOG);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view in = input_of(data, len);
    struct bytes want[FILES] = {{0}, {0}, {0}};

    start();
    bytes_clear(&log_written);
    taken = false;
    channels = 0;
    scratch_put(queue_flat_path("todo", SCRATCH_MESSAGE), in);
    todo_start();
    turns();
    bool good = sort_records(in, want);
    must(taken == good);
    if (good)
        check_files(want);
    check_todo(in, good);
    check_log();
    for (int i = 0; i < FILES; i++) {
        scratch_drop(queue_split_path(trees[i], SCRATCH_MESSAGE));
        bytes_free(&want[i]);
    }
    scratch_leave();
    return 0;
}
