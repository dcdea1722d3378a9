/* What qmail-send must do, from spec and manuals, and what it has done, from its log,
 * its commands and the disk. Exact times are asked for where nothing has gone wrong;
 * that nobody is lost, everywhere. */
#include "model.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    LIFETIME_DEFAULT_S = 604800,
    SCAN_MS = 1500 * 1000,
    SLACK_S = 2, /* where the moment at which something became due cannot be seen */
    ABANDONED_S = 129600,
    HELD_MODE = 0610,
    RETURNED_MODE = 0601,
    DELETED_MODE = 0620,
    UNSYNCED_MODE = 0611,
    REPORTS_MAX = 1024,
    REPORT_KEPT = 9998
};

static const char *const trees[CHANNELS] = {"local", "remote"};

struct message messages[MESSAGES_MAX];
unsigned message_count;

struct started {
    struct message *m;
    struct recipient *r;
    uint64_t id;
};

/* Of this life. */
static struct {
    unsigned limit[CHANNELS], running[CHANNELS];
    bool leaving, lost[CHANNELS], lost_clean, exiting, refused, status_due;
    uint64_t last_id;
    struct started slots[CHANNELS][SLOTS_MAX];
    struct started commanded[CHANNELS]
                            [SLOTS_MAX]; /* logged, its command not yet whole */
    unsigned first_commanded[CHANNELS], commands[CHANNELS];
    bool full[CHANNELS]; /* a command has had to wait */
    struct report {
        unsigned slot;
        struct buf text;
    } reports[CHANNELS][REPORTS_MAX];
    unsigned first_report[CHANNELS], report_count[CHANNELS];
    unsigned unanswered;
    int rules, rules_before;
    int64_t last_scan_ms;
    int64_t pause_begun_ms; /* the first in this turn */
    uint64_t paused_turn;
    bool begun; /* the first status line has been written */
    unsigned progress[CHANNELS];
    ino_t must_start[CHANNELS]; /* somebody who is due; 0: nobody */
    uint64_t set_back_in;       /* the last turn in which the clock was */
    uint64_t idle_turns, idle_events;
    int64_t idle_since;
    ino_t bounce_opened;
    struct {
        pid_t pid;
        struct message *m;
        int64_t wall_s;
        bool accepted;
    } bounces[64];
    unsigned bounce_running;
    unsigned refused_bounces, refused_cleans;
} life;

static bool had_fault, had_power_cut;

/* Rewriting, from send.md 8 */

struct rule {
    const char *key, *prepend;
};
static const struct rule rules[2][5] = {{{"v.test", "joe"},
                                         {"ann@a.test", "special"},
                                         {".w.test", "joew"},
                                         {"not.v.test", ""},
                                         {NULL, NULL}},
                                        {{"v.test", "bob"}, {NULL, NULL}}};

static bool same_text(const char *a, const char *b)
{
    while (*a && tolower((unsigned char)*a) == tolower((unsigned char)*b))
        a++, b++;
    return tolower((unsigned char)*a) == tolower((unsigned char)*b);
}

static bool is_local_domain(const char *domain, int version)
{
    return same_text(domain, "l.test") || same_text(domain, "me.test") ||
           (version == 1 && same_text(domain, "r.test"));
}

static const struct rule *find_rule(int version, const char *address,
                                    const char *domain)
{
    const char *rest = domain;
    for (const char *key = address; key; key = key == address && key != domain
                                                   ? domain
                                                   : (rest = strchr(rest + 1, '.')))
        for (const struct rule *r = rules[version]; r->key; r++)
            if (same_text(r->key, key))
                return r;
    return NULL;
}

static int rewrite(const char *address, int version, char *out)
{
    char text[ADDRESS_MAX * 2];
    snprintf(text, sizeof text, "%s%s", address, strchr(address, '@') ? "" : "@l.test");
    char *at = strrchr(text, '@'), *percent;
    while (same_text(at + 1, "ph.test")) {
        *at = '\0';
        percent = strrchr(text, '%');
        if (!percent) {
            *at = '@';
            break;
        }
        *percent = '@';
        at = percent;
    }
    snprintf(out, ADDRESS_MAX, "%.*s", ADDRESS_MAX - 1, text);
    if (is_local_domain(at + 1, version))
        return 0;
    const struct rule *r = find_rule(version, text, at + 1);
    if (!r || !r->prepend[0])
        return 1;
    if (snprintf(out, ADDRESS_MAX, "%s-%s", r->prepend, text) >= ADDRESS_MAX)
        abort();
    return 0;
}

/* The address of a note, from send.md 10. */
static const char *without_prefix(const char *address, int version)
{
    const char *at = strrchr(address, '@');
    if (!at || is_local_domain(at + 1, version))
        return address;
    for (const struct rule *r = rules[version]; r->key; r++) {
        size_t len = strlen(r->prepend);
        if (strchr(r->key, '@') && strncmp(address, r->prepend, len) == 0 &&
            address[len] == '-' && same_text(address + len + 1, r->key))
            return address + len + 1;
    }
    const struct rule *r = find_rule(version, at + 1, at + 1);
    size_t len = r ? strlen(r->prepend) : 0;
    return len && strncmp(address, r->prepend, len) == 0 && address[len] == '-'
               ? address + len + 1
               : address;
}

/* send.md 7 */
static void sender_of_delivery(const struct message *m, const char *recipient,
                               char *out, size_t room)
{
    size_t len = strlen(m->sender);
    char pre[ADDRESS_MAX];
    snprintf(out, room, "%s", m->sender);
    if (len < 4 || strcmp(m->sender + len - 4, "-@[]") != 0)
        return;
    snprintf(pre, sizeof pre, "%.*s", (int)(len - 4), m->sender);
    char *host = strrchr(pre, '@');
    const char *at = strrchr(recipient, '@');
    if (!host || !at)
        return;
    *host = '\0';
    snprintf(out, room, "%s%.*s=%s@%s", pre, (int)(at - recipient), recipient, at + 1,
             host + 1);
}

/* Texts */

static void safe(char *text)
{
    for (; *text; text++)
        if (*text == '\n')
            *text = '/';
        else if (*text < 33 || *text > 126 || *text == '%')
            *text = '_';
}

/* send.md 10 */
static void add_paragraph(struct buf *out, const char *address, const char *report,
                          size_t len)
{
    struct buf p = {0};
    buf_format(&p, "<%s>:\n", address);
    for (size_t i = 0; i < p.len - 1; i++)
        if (p.data[i] == '\n')
            p.data[i] = '_';
    buf_add(&p, report, len);
    if (len && report[len - 1] != '\n')
        buf_text(&p, "\n");
    size_t whole = p.len;
    char *old = malloc(whole);
    memcpy(old, p.data, whole);
    for (size_t i = 1; i + 1 < whole; i++)
        if (old[i] == '\n' && old[i - 1] == '\n')
            p.data[i] = '/';
    free(old);
    buf_add(out, p.data, whole);
    buf_text(out, "\n");
    free(p.data);
}

static void add_quoted(struct buf *out, const char *address)
{
    const char *at = strrchr(address, '@');
    size_t len = at ? (size_t)(at - address) : strlen(address);
    if (!*address)
        return;
    bool plain = len && address[0] != '.' && address[len - 1] != '.';
    for (size_t i = 0; i < len; i++)
        plain &= isalnum((unsigned char)address[i]) ||
                 (strchr("!#$%&'*+-./=?^_`{|}~", address[i]) &&
                  !(i && address[i] == '.' && address[i - 1] == '.'));
    if (!plain)
        buf_text(out, "\"");
    for (size_t i = 0; i < len; i++) {
        if (!plain && strchr("\r\n\"\\", address[i]))
            buf_text(out, "\\");
        buf_add(out, address + i, 1);
    }
    if (!plain)
        buf_text(out, "\"");
    buf_text(out, at ? at : "");
}

/* Schedule, from send.md 6 */

static int64_t root(int64_t n)
{
    int64_t r = 0;
    for (int64_t bit = INT64_C(1) << 31; bit; bit >>= 1)
        if ((r + bit) * (r + bit) <= n)
            r += bit;
    return r;
}

static int64_t next_attempt(int channel, int64_t birth, int64_t now)
{
    int64_t r = root(now > birth ? now - birth : 0) + (channel ? 20 : 10);
    return birth + r * r;
}

static int64_t birth_s(const struct message *m)
{
    return m->birth_ms / 1000;
}

/* The birth that counts for an attempt: qmail-send has just set that of a message from
 * a time to come, or could not. */
static int64_t birth_for_attempt(struct message *m, int64_t now)
{
    m->birth_ms = disk_find(split_path("info", m->number))->mtime_ms;
    return birth_s(m) < now ? birth_s(m) : now;
}

/* Messages */

struct message *message_find(ino_t number)
{
    for (unsigned i = message_count; i-- > 0;)
        if (messages[i].number == number && messages[i].stage != STAGE_ENDED)
            return &messages[i];
    return NULL;
}

static struct message *last_of(ino_t number)
{
    for (unsigned i = message_count; i-- > 0;)
        if (messages[i].number == number)
            return &messages[i];
    return NULL;
}

static struct message *known(ino_t number, const char *what)
{
    struct message *m = message_find(number);
    if (!m)
        violation("%s %ju, which is no message", what, (uintmax_t)number);
    return m;
}

static mode_t mark_of(const struct message *m)
{
    const struct node *info = disk_find(split_path("info", m->number));
    mode_t mode = info ? info->mode : 0;
    return mode == HELD_MODE || mode == RETURNED_MODE || mode == DELETED_MODE ? mode
                                                                              : 0;
}

static bool is_unsynced(const struct message *m)
{
    const struct node *info = disk_find(split_path("info", m->number));
    return info && info->mode == UNSYNCED_MODE;
}

static unsigned left_in(const struct message *m, int c)
{
    unsigned left = 0;
    for (unsigned i = 0; i < m->count; i++)
        left += m->to[i].channel == c && !m->to[i].done;
    return left;
}

static bool is_blocked(int c)
{
    return life.full[c];
}

static bool has_capacity(int c)
{
    return life.running[c] < life.limit[c] && !is_blocked(c) && !life.leaving &&
           !life.lost[c];
}

static void set_due(struct message *m, int c, int64_t due)
{
    m->in[c].state = DUE;
    m->in[c].due = due;
    m->in[c].since = sim.turns;
}

void judge_reset(void)
{
    message_count = 0;
    had_fault = had_power_cut = false;
}

void judge_fault(ino_t number)
{
    had_fault = true;
    for (unsigned i = 0; i < message_count; i++)
        if (number == 0 || messages[i].number == number)
            messages[i].fuzzy = messages[i].disturbed = true;
}

void judge_queued(struct message *m)
{
    m->text = disk_find(split_path("mess", m->number));
    m->text_at = m->text->mtime_ms;
    for (unsigned i = 0; i < message_count - 1; i++)
        if (messages[i].number == m->number && messages[i].stage != STAGE_ENDED)
            violation("%ju is used twice", (uintmax_t)m->number);
}

/* Lives */

void judge_begin_life(void)
{
    struct report(*kept)[REPORTS_MAX] = malloc(sizeof life.reports);
    memcpy(kept, life.reports, sizeof life.reports);
    memset(&life, 0, sizeof life);
    memcpy(life.reports, kept, sizeof life.reports);
    free(kept);
    life.limit[0] = world_control("concurrencylocal");
    life.limit[1] = world_control("concurrencyremote");
    for (int c = 0; c < CHANNELS; c++)
        if (life.limit[c] > world_announced(c))
            life.limit[c] = world_announced(c);
    life.rules = life.rules_before = world_version();
    life.last_scan_ms = INT64_MIN;
    life.paused_turn = UINT64_MAX;
    life.idle_since = sim.steady_ms;
}

static void complain_lost(const struct message *m, const struct recipient *r,
                          const char *how)
{
    violation("%ju: %s is lost: %s", (uintmax_t)m->number, r->address, how);
}

/* A message has ended: what became of everybody. */
static void judge_ended(struct message *m)
{
    m->stage = STAGE_ENDED;
    trace("ended %ju", (uintmax_t)m->number);
    for (unsigned i = 0; i < m->count; i++) {
        struct recipient *r = &m->to[i];
        if (!m->ordered_away && !r->delivered && !r->bounced && !m->discarded)
            complain_lost(m, r, "neither delivered nor returned");
        if (m->disturbed || r->again)
            continue;
        if (r->delivered + r->bounced > 1)
            violation("%ju: %s: %u delivered, %u returned", (uintmax_t)m->number,
                      r->address, r->delivered, r->bounced);
    }
}

/* A channel as the disk has it when a life begins. */
static void resync_channel(struct message *m, int c, bool revived)
{
    const struct node *f = disk_find(split_path(trees[c], m->number));
    off_t at = 0;
    m->in[c].state = NOBODY;
    m->in[c].running = 0;
    for (unsigned i = 0; i < m->count; i++) {
        struct recipient *r = &m->to[i];
        if (r->channel != c)
            continue;
        r->at = at;
        at += (off_t)strlen(r->rewritten) + 2;
        char letter = !f                            ? 'D'
                      : (size_t)r->at < f->data.len ? f->data.data[r->at]
                                                    : '?';
        if (letter == 'T' && (r->done || r->running) && !revived) {
            if (r->done && !r->to_be_marked && !sim.power_cut && !m->fuzzy)
                violation("%ju: the mark of %s is gone", (uintmax_t)m->number,
                          r->address);
            r->again++;
        }
        if (letter == 'T' && r->failed) /* noted, and not marked: noted again */
            m->disturbed = true;
        if (letter == 'D' && !r->done && !r->to_be_marked && !m->ordered_away &&
            !revived)
            complain_lost(m, r, f ? "marked before its time" : "the list is gone");
        r->done = letter == 'D';
        r->running = r->started = r->to_be_marked = false;
        if (letter == 'T' || revived)
            r->failed = false;
    }
    if (!f)
        return;
    if (at == 0) { /* from an earlier pass, with other rules: it is all duplicates */
        if (!had_power_cut && !sim.power_cut)
            violation("%ju: a list of nobody", (uintmax_t)m->number);
        disk_remove(split_path(trees[c], m->number));
        return;
    }
    if (mark_of(m))
        m->in[c].state = HELD;
    else
        set_due(m, c, f->mtime_ms / 1000);
    m->in[c].unsure |= f->ctime_ms / 1000 > wall_s();
}

static void requeue(struct message *m)
{
    for (unsigned i = 0; i < m->count; i++) {
        struct recipient *r = &m->to[i];
        r->again += r->done || r->running || m->stage == STAGE_ENDED;
        r->done = r->running = r->started = r->to_be_marked = r->failed = false;
    }
    for (int c = 0; c < CHANNELS; c++)
        m->in[c].state = NOBODY;
    m->disturbed |= m->stage != STAGE_QUEUED;
    m->stage = STAGE_QUEUED;
    m->bounce_sent = m->discarded = m->ordered_away = false;
    buf_clear(&m->notes);
}

static void resync(struct message *m)
{
    bool todo = disk_find(flat_path("todo", m->number)),
         info = disk_find(split_path("info", m->number));
    bool mess = disk_find(split_path("mess", m->number));
    bool revived = m->stage == STAGE_ENDED;
    if (revived && (!mess || last_of(m->number) != m || !(todo || info)))
        return;
    if (sim.power_cut || !sim.exited)
        m->disturbed = true;
    m->pulled = m->announced = m->ending = m->bouncing = m->fuzzy = m->early = false;
    m->bounce_due_ms = 0;
    if (!mess)
        violation("%ju: its text is gone", (uintmax_t)m->number);
    if (todo) {
        requeue(m);
        return;
    }
    if (!info && m->stage == STAGE_QUEUED)
        violation("%ju is gone", (uintmax_t)m->number);
    if (!info) {
        judge_ended(m);
        return;
    }
    m->birth_ms = disk_find(split_path("info", m->number))->mtime_ms;
    m->stage = STAGE_TAKEN;
    if (mark_of(m) == RETURNED_MODE || mark_of(m) == DELETED_MODE)
        m->ordered_away = true;
    for (int c = 0; c < CHANNELS; c++)
        resync_channel(m, c, revived);
    if (m->bounce_sent && disk_find(flat_path("bounce", m->number)))
        m->bounce_sent = false; /* it cannot know: once more */
}

/* Deliveries of a spawner that has lost us are finished. */
static void abandon(void)
{
    for (int c = 0; c < CHANNELS; c++)
        for (int s = 0; s < SLOTS_MAX; s++) {
            struct started *d = &life.slots[c][s];
            if (d->m && chance(500000))
                d->r->delivered++;
        }
}

void judge_end_life(void)
{
    if (sim.exited && !life.exiting && !life.refused)
        violation("exits without a word");
    for (unsigned i = 0; i < message_count && sim.exited && life.begun; i++) {
        struct message *m = &messages[i];
        for (int c = 0; c < CHANNELS && m->stage == STAGE_TAKEN && !m->fuzzy; c++) {
            const struct node *f = disk_find(split_path(trees[c], m->number));
            if (m->in[c].state != DUE || !f || mark_of(m))
                continue;
            int64_t off = f->mtime_ms / 1000 - m->in[c].due;
            /* the last answers of a dead qmail-clean need not be read */
            if (m->in[c].unsure || (m->in[c].fresh && life.lost_clean) ? false
                : m->in[c].fresh ? off < -SLACK_S || off > SLACK_S
                                 : off != 0)
                violation("%ju is due at %jd, but its %s file says %jd",
                          (uintmax_t)m->number, (intmax_t)m->in[c].due, trees[c],
                          (intmax_t)(f->mtime_ms / 1000));
        }
    }
    abandon();
    had_power_cut |= sim.power_cut;
    for (unsigned i = 0; i < message_count; i++)
        resync(&messages[i]);
    memset(life.slots, 0, sizeof life.slots);
}

void judge_exit(int code, bool by_itself)
{
    if (!by_itself)
        return;
    if (code == 111 && life.refused && had_fault)
        return;
    if (code != 0 || !life.exiting)
        violation("exits %d", code);
    for (int c = 0; c < CHANNELS; c++)
        if (life.running[c] && !life.lost[c] && life.begun)
            violation("exits with %u deliveries in %s", life.running[c], trees[c]);
}

/* Turns */

static void judge_marks(void);

void judge_turn_end(void)
{
    judge_marks();
    for (int c = 0; c < CHANNELS; c++)
        life.full[c] = life.commands[c] > 0;
    for (int c = 0; c < CHANNELS; c++)
        if (life.must_start[c] && life.progress[c] == 0 && has_capacity(c))
            violation("%ju is due, and in a whole turn nothing is started in %s",
                      (uintmax_t)life.must_start[c], trees[c]);
    if (sim.steady_ms != life.idle_since || sim.events != life.idle_events) {
        life.idle_since = sim.steady_ms;
        life.idle_events = sim.events;
        life.idle_turns = 0;
    } else if (++life.idle_turns > 500 + 20 * (uint64_t)message_count) {
        violation("turns and turns, and does nothing");
    }
    memset(life.progress, 0, sizeof life.progress);
    sim.turns++;
    if (sim.turns > 400000)
        violation("does not end");
}

void judge_turn(void)
{
    life.leaving |= signal_come[15] || life.lost[0] || life.lost[1] || life.lost_clean;
    if (signal_come[14])
        for (unsigned i = 0; i < message_count; i++)
            for (int c = 0; c < CHANNELS; c++)
                if (messages[i].in[c].state == DUE && messages[i].in[c].due > wall_s())
                    set_due(&messages[i], c, wall_s());
    sim.jumped = false;
    life.rules_before = life.rules;
    if (signal_come[1])
        life.rules = world_version();
    memset(signal_come, 0, sizeof signal_come);
    for (int c = 0; c < CHANNELS; c++) {
        life.must_start[c] = 0;
        for (unsigned i = 0; i < message_count && has_capacity(c); i++) {
            const struct message *m = &messages[i];
            bool must = m->stage == STAGE_TAKEN && !m->fuzzy && !m->in[c].unsure &&
                        m->in[c].state == DUE && m->in[c].due <= wall_s() &&
                        m->in[c].since + (m->in[c].fresh ? 10 : 1) < sim.turns;
            if (must)
                life.must_start[c] = m->number;
        }
    }
}

/* Something is known to be due at that moment of the steady clock. */
static void judge_wake(const struct message *m, const char *what, int64_t in_ms,
                       int64_t timeout_ms)
{
    if (timeout_ms > (in_ms > 0 ? in_ms : 0) + 1000)
        violation("sleeps %jd ms, although in %jd ms %ju %s", (intmax_t)timeout_ms,
                  (intmax_t)in_ms, (uintmax_t)m->number, what);
}

static void judge_message_sleep(const struct message *m, int64_t timeout_ms)
{
    bool left = false;
    for (int c = 0; c < CHANNELS; c++) {
        left |= m->in[c].state != NOBODY;
        if (m->in[c].state == DUE && has_capacity(c) && !m->in[c].unsure)
            judge_wake(m, "is due", (m->in[c].due - wall_s()) * 1000, timeout_ms);
        if (m->in[c].state == ATTEMPT && m->in[c].running == 0 && has_capacity(c))
            violation("sleeps in the middle of %s/%ju", trees[c], (uintmax_t)m->number);
    }
    if (left || m->bouncing || m->early)
        return;
    if (life.bounce_running >= 10)
        return; /* it may have to wait for them */
    if (m->bounce_due_ms)
        judge_wake(m, "is to be returned", m->bounce_due_ms - sim.steady_ms,
                   timeout_ms);
    else
        violation("sleeps, and nobody thinks of %ju", (uintmax_t)m->number);
}

void judge_sleep(int64_t timeout_ms)
{
    if (life.leaving || signal_come[15] || !life.begun || sim.jumped)
        return;
    bool asked = life.unanswered; /* qmail-clean, perhaps with half a line */
    for (unsigned i = 0; i < message_count; i++)
        asked |= messages[i].stage == STAGE_QUEUED && messages[i].announced;
    for (unsigned i = 0; i < message_count; i++) {
        const struct message *m = &messages[i];
        if (m->stage == STAGE_QUEUED && m->pulled && !m->fuzzy && !asked)
            violation("sleeps, and does not see todo/%ju", (uintmax_t)m->number);
        if (m->stage == STAGE_TAKEN && !m->fuzzy)
            judge_message_sleep(m, timeout_ms);
    }
    if (!asked && timeout_ms > life.last_scan_ms + SCAN_MS + 1000 - sim.steady_ms)
        violation("sleeps longer than the next scan of todo/ allows");
}

void judge_pause(int64_t ms)
{
    if (life.paused_turn != sim.turns || sim.steady_ms - ms < life.pause_begun_ms)
        life.pause_begun_ms = sim.steady_ms - ms;
    life.paused_turn = sim.turns;
    for (unsigned i = 0; i < message_count; i++)
        if (messages[i].bounce_due_ms && messages[i].bounce_due_ms < sim.steady_ms)
            messages[i].bounce_due_ms = sim.steady_ms;
}

void judge_scan(void)
{
    life.last_scan_ms = sim.steady_ms;
}

/* The log */

static void judge_status(const char *line)
{
    char want[128];
    bool leaving = strstr(line, " exitasap") != NULL;
    snprintf(want, sizeof want, "status: local %u/%u remote %u/%u%s", life.running[0],
             life.limit[0], life.running[1], life.limit[1], leaving ? " exitasap" : "");
    if (strcmp(line, want) != 0)
        violation("not \"%s\"", want);
    if (leaving != life.leaving && !(leaving && signal_come[15]) &&
        !(leaving && (life.lost[0] || life.lost[1] || life.lost_clean)))
        violation(leaving ? "leaves, and nobody has said so" : "does not leave");
    life.status_due = false;
    life.begun = true;
}

static void judge_new(ino_t n)
{
    struct message *m = known(n, "new msg");
    if (m->stage != STAGE_QUEUED)
        violation("%ju is taken twice", (uintmax_t)n);
    if (life.leaving)
        violation("takes %ju while leaving", (uintmax_t)n);
    m->announced = false;
    off_t at[CHANNELS] = {0, 0};
    for (unsigned i = 0; i < m->count; i++) {
        struct recipient *r = &m->to[i];
        r->channel = rewrite(r->address, life.rules, r->rewritten);
        r->at = at[r->channel];
        at[r->channel] += (off_t)strlen(r->rewritten) + 2;
    }
}

static void judge_info(ino_t n, const char *line)
{
    struct message *m = known(n, "info msg");
    char want[512], sender[ADDRESS_MAX];
    snprintf(sender, sizeof sender, "%s", m->sender);
    safe(sender);
    snprintf(want, sizeof want, "info msg %ju: bytes %zu from <%s> qp %ld uid %u",
             (uintmax_t)n, disk_find(split_path("mess", n))->data.len, sender,
             (long)m->pid, m->uid);
    if (strcmp(line, want) != 0)
        violation("not \"%s\"", want);
    m->announced = true;
}

static void begin_attempt(struct message *m, int c)
{
    int64_t now = wall_s(), due = m->in[c].due;
    bool exact = !m->fuzzy;
    if (exact && m->in[c].state != DUE)
        violation("an attempt of %ju that does not wait", (uintmax_t)m->number);
    if (exact && due > now && !m->in[c].fresh && !m->in[c].unsure)
        violation("an attempt of %ju %jd s too early", (uintmax_t)m->number,
                  (intmax_t)(due - now));
    for (unsigned i = 0; i < message_count && exact && !m->in[c].unsure; i++) {
        const struct message *o = &messages[i];
        if (o->stage == STAGE_TAKEN && o != m && !o->fuzzy && !o->in[c].unsure &&
            o->in[c].state == DUE && o->in[c].due + SLACK_S < due)
            violation("%ju is due %jd s before %ju", (uintmax_t)o->number,
                      (intmax_t)(due - o->in[c].due), (uintmax_t)m->number);
    }
    m->in[c].state = ATTEMPT;
    m->in[c].fresh = m->in[c].stopped = m->in[c].unsure = m->in[c].cut = false;
    m->in[c].set_back = life.set_back_in + 2 >= sim.turns; /* perhaps not noticed yet */
    int64_t birth = birth_for_attempt(m, now);
    m->in[c].next = next_attempt(c, birth, now);
    m->in[c].last = (uint64_t)(now - birth) > world_control("queuelifetime");
    for (unsigned i = 0; i < m->count; i++)
        if (m->to[i].channel == c)
            m->to[i].started = false;
}

/* The end of an attempt: everybody has been tried, and has a result. */
static void look_at_end(struct message *m, int c)
{
    bool untried = false;
    if (m->in[c].state != ATTEMPT || m->in[c].running)
        return;
    for (unsigned i = 0; i < m->count; i++) {
        untried |= m->to[i].channel == c && !m->to[i].done && !m->to[i].started;
        if (m->to[i].channel == c && m->to[i].to_be_marked)
            return; /* in a moment */
    }
    if (untried && !m->in[c].stopped)
        return;
    if (left_in(m, c) == 0)
        m->in[c].state = NOBODY;
    else if (mark_of(m))
        m->in[c].state = HELD;
    else
        set_due(m, c, m->in[c].next);
    m->in[c].unsure = life.leaving || signal_come[15] || m->in[c].set_back;
}

/* What has been reported in a turn is in the queue at its end. */
static void judge_marks(void)
{
    for (unsigned i = 0; i < message_count; i++)
        for (unsigned j = 0; j < messages[i].count; j++) {
            struct recipient *r = &messages[i].to[j];
            if (messages[i].stage == STAGE_ENDED || !r->to_be_marked)
                continue;
            if (!messages[i].fuzzy)
                violation("%s is not marked", r->address);
            r->again++; /* trouble: it may come again, or not */
            r->to_be_marked = false;
            look_at_end(&messages[i], r->channel);
        }
}

static struct recipient *find_recipient(struct message *m, int c, const char *text)
{
    char address[ADDRESS_MAX];
    for (int again = 0; again < 2; again++)
        for (unsigned i = 0; i < m->count; i++) {
            struct recipient *r = &m->to[i];
            snprintf(address, sizeof address, "%s", r->rewritten);
            safe(address);
            if (r->channel == c && strcmp(address, text) == 0 && !r->running &&
                !r->started && (!r->done || (again && m->fuzzy && r->again)))
                return r;
        }
    return NULL;
}

/* What the files of a message must hold: those of its channels, and info/N. */
static void wanted_files(const struct message *m, const char *paths[CHANNELS + 1],
                         struct buf want[CHANNELS + 1])
{
    paths[0] = split_path("local", m->number);
    paths[1] = split_path("remote", m->number);
    paths[CHANNELS] = split_path("info", m->number);
    for (int i = 0; i <= CHANNELS; i++)
        buf_clear(&want[i]);
    for (unsigned i = 0; i < m->count; i++) {
        const struct recipient *r = &m->to[i];
        buf_text(&want[r->channel], "T");
        buf_add(&want[r->channel], r->rewritten, strlen(r->rewritten) + 1);
    }
    buf_text(&want[CHANNELS], "F");
    buf_add(&want[CHANNELS], m->sender, strlen(m->sender) + 1);
}

/* A message for one recipient may be tried before its files are synced. */
static void take_early(struct message *m)
{
    static struct buf want[CHANNELS + 1];
    const char *paths[CHANNELS + 1];
    int c = m->to[0].channel;
    wanted_files(m, paths, want);
    for (int i = 0; i <= CHANNELS; i++) {
        const struct node *f = disk_find(paths[i]);
        if (want[i].len ? !f || !buf_same(&f->data, &want[i]) : f != NULL)
            violation("%s is not as it must be", paths[i]);
    }
    m->stage = STAGE_TAKEN;
    m->early = true;
    m->announced = false;
    m->birth_ms = disk_find(paths[CHANNELS])->mtime_ms;
    m->in[!c].state = NOBODY;
    set_due(m, c, disk_find(paths[c])->mtime_ms / 1000);
    m->in[c].fresh = m->in[c].unsure = true;
    m->in[c].running = 0;
}

static void judge_starting(const char *line)
{
    unsigned long long id, n;
    char channel[8];
    int at = 0;
    if (sscanf(line, "starting delivery %llu: msg %llu to %7s %n", &id, &n, channel,
               &at) != 3 ||
        !at)
        violation("a line that is none");
    int c = strcmp(channel, "remote") == 0;
    struct message *m = known((ino_t)n, "a delivery of");
    if (m->stage == STAGE_QUEUED && m->announced && m->count == 1)
        take_early(m);
    if (m->stage != STAGE_TAKEN)
        violation("a delivery of %llu, which has not been preprocessed", n);
    if (id != life.last_id + 1)
        violation("not number %ju", (uintmax_t)life.last_id + 1);
    if (life.leaving)
        violation("a delivery is begun while leaving");
    if (!has_capacity(c))
        violation("a delivery beyond the limit of %u", life.limit[c]);
    if (mark_of(m) && !m->fuzzy)
        violation("a delivery of %llu, which is marked", n);
    bool tried = true;
    for (unsigned i = 0; i < m->count; i++)
        tried &= m->to[i].channel != c || m->to[i].done || m->to[i].started;
    if (m->in[c].state != ATTEMPT ||
        (m->fuzzy && m->in[c].running == 0 && (tried || m->in[c].cut)))
        begin_attempt(m, c);
    struct recipient *r = find_recipient(m, c, line + at);
    if (!r &&
        m->fuzzy) { /* the attempt before may have ended in the middle of the list */
        begin_attempt(m, c);
        r = find_recipient(m, c, line + at);
    }
    if (!r)
        violation("a delivery to somebody who is not there, done, or just being tried");
    r->running = r->started = true;
    m->in[c].running++;
    life.last_id = id;
    life.running[c]++;
    life.progress[c]++;
    life.commanded[c][(life.first_commanded[c] + life.commands[c]++) % SLOTS_MAX] =
        (struct started){m, r, id};
    life.status_due = true;
}

void judge_command(int c, unsigned slot, const char *name, const char *sender,
                   const char *recipient)
{
    const struct started *d = &life.commanded[c][life.first_commanded[c]];
    char want[ADDRESS_MAX * 2];
    if (!life.commands[c])
        violation("a command of which the log knows nothing");
    if (slot >= life.limit[c] || life.slots[c][slot].m)
        violation("slot %u", slot);
    snprintf(want, sizeof want, "%ju/%ju", (uintmax_t)d->m->number % CONF_SPLIT,
             (uintmax_t)d->m->number);
    if (strcmp(name, want) != 0 || strcmp(recipient, d->r->rewritten) != 0)
        violation("a command for %s %s", name, recipient);
    sender_of_delivery(d->m, recipient, want, sizeof want);
    if (strcmp(sender, want) != 0)
        violation("a delivery from <%s>, not <%s>", sender, want);
    life.slots[c][slot] = *d;
    life.first_commanded[c] = (life.first_commanded[c] + 1) % SLOTS_MAX;
    if (--life.commands[c] == 0)
        life.full[c] = false;
}

bool judge_is_slot_used(int c, unsigned slot)
{
    return slot < SLOTS_MAX && life.slots[c][slot].m;
}

void judge_report(int c, unsigned slot, const char *text, size_t len)
{
    if (life.report_count[c] == REPORTS_MAX)
        violation("reports are not read");
    struct report *r =
        &life.reports[c][(life.first_report[c] + life.report_count[c]++) % REPORTS_MAX];
    r->slot = slot;
    buf_clear(&r->text);
    buf_add(&r->text, text, len < REPORT_KEPT + 1 ? len : REPORT_KEPT + 1);
}

static struct report *take_report(int c)
{
    struct report *r = &life.reports[c][life.first_report[c]];
    life.first_report[c] = (life.first_report[c] + 1) % REPORTS_MAX;
    life.report_count[c]--;
    return r;
}

static void judge_out_of_range(void)
{
    int c = sim.reporting;
    const struct report *r = &life.reports[c][life.first_report[c]];
    if (!life.report_count[c] || (r->slot < life.limit[c] && life.slots[c][r->slot].m))
        violation("a report that is in range");
    take_report(c);
}

static const char too_long[] =
    "I'm not going to try again; this message has been in the queue too long.\n";
static const char returned[] =
    "The postmaster of this host has returned this message. (#5.3.0)\n";

static void fail_recipient(struct message *m, struct recipient *r,
                           const struct buf *text)
{
    if (mark_of(m) == DELETED_MODE) {
        r->failed = false;
        return;
    }
    r->failed = true;
    add_paragraph(&m->notes, without_prefix(r->rewritten, life.rules),
                  text->data ? text->data : "", text->len);
}

/* What the log must say of a report: words and text in *out; how it counts. */
static char result_of(const struct report *r, mode_t mark, bool last, struct buf *out,
                      struct buf *text)
{
    char letter = r->text.len ? r->text.data[0] : '\0';
    buf_clear(out);
    buf_clear(text);
    if (r->text.len)
        buf_add(text, r->text.data + 1, r->text.len - 1);
    if (letter == 'Z' && (last || mark == RETURNED_MODE)) {
        buf_text(text, mark == RETURNED_MODE ? returned : too_long);
        letter = 'D';
    }
    buf_text(out, letter == 'K'   ? "success: "
                  : letter == 'Z' ? "deferral: "
                  : letter == 'D' ? "failure: "
                                  : "report mangled, will defer");
    if (letter == 'K' || letter == 'Z' || letter == 'D') {
        size_t at = out->len;
        buf_add(out, text->data, text->len);
        for (size_t i = at; i < out->len; i++) {
            char one[2] = {out->data[i], '\0'};
            safe(one);
            out->data[i] = one[0];
        }
    }
    return letter;
}

static void judge_result(const char *line)
{
    static struct buf want, text;
    unsigned long long id;
    int at = 0;
    if (sscanf(line, "delivery %llu: %n", &id, &at) != 1 || !at)
        violation("a line that is none");
    int c = sim.reporting;
    const struct report *head = &life.reports[c][life.first_report[c]];
    if (!life.report_count[c] || head->slot >= life.limit[c] ||
        !life.slots[c][head->slot].m || life.slots[c][head->slot].id != id)
        violation("a result that nobody has reported");
    struct report *report = take_report(c);
    struct started d = life.slots[c][report->slot];
    struct message *m = d.m;
    struct recipient *r = d.r;
    life.slots[c][report->slot].m = NULL;
    mode_t mark = mark_of(m);
    char letter = result_of(report, mark, m->in[c].last, &want, &text);
    if (m->fuzzy && strcmp(want.data, line + at) != 0)
        letter = result_of(report, mark, !m->in[c].last, &want, &text);
    if (m->fuzzy &&
        strcmp(want.data, line + at) != 0) /* one that could not be taken back */
        letter = result_of(report, 0, m->in[c].last, &want, &text);
    if (strcmp(want.data, line + at) != 0)
        violation("not \"%s\"", want.data);
    life.running[c]--;
    m->in[c].running--;
    r->running = false;
    if (letter == 'K' || letter == 'D') {
        r->to_be_marked = true;
    }
    if (letter == 'K') {
        r->delivered++;
        r->failed = false; /* it may have, and could not be marked */
    }
    if (letter == 'D')
        fail_recipient(m, r, &text);
    life.status_due = true;
    if (letter != 'K' && letter != 'D')
        look_at_end(m, c);
}

/* Who has failed has a note when that is in the queue. */
static void require_note(const struct message *m, const struct recipient *r)
{
    const struct node *note = disk_find(flat_path("bounce", m->number));
    char head[ADDRESS_MAX + 8];
    if (!r->failed)
        return;
    snprintf(head, sizeof head, "<%s>:\n", without_prefix(r->rewritten, life.rules));
    for (char *p = head; p[1]; p++)
        if (*p == '\n' && p[1])
            *p = '_';
    /* others have come to it since, perhaps, and could not be synced */
    if (!note || !disk_name_is_stable(flat_path("bounce", m->number)) ||
        !buf_count(&note->stable, head))
        violation("%s is marked, and its note is not on the disk", r->address);
}

void judge_mark(const char *tree, ino_t n, off_t at, const struct node *f)
{
    struct message *m = known(n, "a mark in");
    struct recipient *r = NULL;
    int c = strcmp(tree, "remote") == 0;
    (void)f;
    for (unsigned i = 0; i < m->count; i++)
        if (m->to[i].channel == c && m->to[i].at == at)
            r = &m->to[i];
    if (!r || !r->to_be_marked)
        violation("%s/%ju: a mark at %jd that means nobody, or comes before its report",
                  tree, (uintmax_t)n, (intmax_t)at);
    require_note(m, r);
    r->to_be_marked = false;
    r->done = true;
    look_at_end(m, c);
}

static void judge_end_msg(ino_t n)
{
    struct message *m = known(n, "end msg");
    if (m->stage != STAGE_TAKEN)
        violation("an end before the beginning");
    if (disk_find(split_path("local", n)) || disk_find(split_path("remote", n)) ||
        disk_find(flat_path("todo", n)) || disk_find(flat_path("bounce", n)))
        violation("%ju ends, and has files yet", (uintmax_t)n);
    if (m->ending && !m->fuzzy)
        violation("%ju ends twice", (uintmax_t)n);
    m->ending = true;
}

/* Bounces */

void judge_bounce_opened(ino_t n)
{
    life.bounce_opened = n;
}

void judge_bounce_begin(pid_t pid)
{
    struct message *m = known(life.bounce_opened, "a bounce of");
    const struct node *note = disk_find(flat_path("bounce", m->number));
    if (m->stage != STAGE_TAKEN || !note || note->data.len == 0)
        violation("a bounce of %ju, which has none", (uintmax_t)m->number);
    if (disk_find(split_path("local", m->number)) ||
        disk_find(split_path("remote", m->number)))
        violation("a bounce of %ju, which is not finished", (uintmax_t)m->number);
    if (strcmp(m->sender, "#@[]") == 0 || m->bouncing ||
        (m->bounce_sent && !m->disturbed))
        violation("a bounce of %ju too many", (uintmax_t)m->number);
    if (mark_of(m) == DELETED_MODE)
        violation("a bounce of %ju, which is deleted", (uintmax_t)m->number);
    if (m->bounce_due_ms && !m->fuzzy &&
        (sim.steady_ms < m->bounce_due_ms || sim.steady_ms > m->bounce_due_ms + 3000))
        violation("a bounce of %ju %jd ms too late", (uintmax_t)m->number,
                  (intmax_t)(sim.steady_ms - m->bounce_due_ms));
    if (life.leaving)
        violation("a bounce is begun while leaving");
    m->bouncing = true;
    m->bounce_due_ms = 0;
    life.bounce_running++;
    unsigned i = 0;
    while (i < 64 && life.bounces[i].m)
        i++;
    if (i == 64 || life.bounce_running > 40)
        violation("too many bounces at once");
    life.bounces[i].pid = pid;
    life.bounces[i].m = m;
    life.bounces[i].wall_s = wall_s();
    life.bounces[i].accepted = false;
}

static int bounce_of(pid_t pid)
{
    for (int i = 0; i < 64; i++)
        if (life.bounces[i].m && life.bounces[i].pid == pid)
            return i;
    return -1;
}

static void add_date(struct buf *out, int64_t now)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t t = (time_t)now;
    struct tm tm;
    gmtime_r(&t, &tm);
    buf_format(out, "Date: %d %s %d %02d:%02d:%02d -0000\n", tm.tm_mday,
               months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* The time in the text: that of the beginning, or of some moment before, where memory
 * had to be waited for. */
static int64_t date_of(const struct buf *text, int64_t now)
{
    static struct buf date;
    for (int64_t t = now; had_fault && t > now - 100; t--) {
        buf_clear(&date);
        add_date(&date, t);
        if (text->len > date.len && memcmp(text->data, date.data, date.len) == 0)
            return t;
    }
    return now;
}

static void expected_bounce(struct buf *want, const struct message *m, int64_t now,
                            char *to)
{
    char sender[ADDRESS_MAX];
    size_t len = strlen(m->sender);
    snprintf(sender, sizeof sender, "%s", m->sender);
    if (len >= 4 && strcmp(sender + len - 4, "-@[]") == 0)
        sender[len - 4] = '\0';
    snprintf(to, ADDRESS_MAX, "%s", sender);
    if (!sender[0])
        snprintf(to, ADDRESS_MAX, "%s@%s",
                 disk_find("control/doublebounceto") ? "dbl" : "postmaster",
                 disk_find("control/doublebouncehost") ? "far.test" : "me.test");
    buf_clear(want);
    add_date(want, now);
    buf_text(want, "From: MAILER-DAEMON@me.test\nTo: ");
    add_quoted(want, to);
    buf_text(want, "\nSubject: failure notice\n\nHi. This is the qmail-send program at "
                   "me.test.\n");
    buf_text(
        want,
        sender[0]
            ? "I'm afraid I wasn't able to deliver your message to the following "
              "addresses.\n"
              "This is a permanent error; I've given up. Sorry it didn't work out.\n\n"
            : "I tried to deliver a bounce message to this address, but the bounce "
              "bounced!\n\n");
    const struct node *note = disk_find(flat_path("bounce", m->number));
    buf_add(want, note->data.data, note->data.len);
    buf_text(want,
             sender[0]
                 ? "--- Below this line is a copy of the message.\n\nReturn-Path: <"
                 : "--- Below this line is the original bounce.\n\nReturn-Path: <");
    add_quoted(want, sender);
    buf_text(want, ">\n");
    const struct node *mess = disk_find(split_path("mess", m->number));
    buf_add(want, mess->data.data, mess->data.len);
}

/* Everybody who has failed is told, once. */
static void judge_notes(struct message *m)
{
    const struct node *note = disk_find(flat_path("bounce", m->number));
    if (!m->disturbed && !m->ordered_away && !buf_same(&note->data, &m->notes))
        violation("the notes of %ju are \"%s\", not \"%s\"", (uintmax_t)m->number,
                  note->data.data, m->notes.data ? m->notes.data : "");
    for (unsigned i = 0; i < m->count; i++) {
        struct recipient *r = &m->to[i];
        if (!r->failed)
            continue;
        r->bounced++;
        char head[ADDRESS_MAX + 8];
        unsigned wanted = 0, old = 0;
        for (unsigned j = 0; j < m->count; j++)
            wanted += m->to[j].failed && strcmp(m->to[j].rewritten, r->rewritten) == 0;
        for (int v = 0; v < 2; v++) {
            snprintf(head, sizeof head, "<%s>:\n", without_prefix(r->rewritten, v));
            for (char *p = head; p[2]; p++)
                if (*p == '\n')
                    *p = '_';
            unsigned count = (unsigned)buf_count(&note->data, head);
            old = v && strcmp(without_prefix(r->rewritten, 0),
                              without_prefix(r->rewritten, 1)) == 0
                      ? old
                      : old + count;
        }
        /* a return writes no paragraph that the notes end with, be it of a twin */
        unsigned least = wanted > 1 && m->ordered_away ? 1 : wanted;
        if (old < least || (old > wanted && !m->disturbed))
            violation("%ju: %u notes of %s", (uintmax_t)m->number, old, r->address);
    }
}

void judge_bounced(pid_t pid, const struct buf *text, const char *sender,
                   const char *recipient)
{
    static struct buf want;
    char to[ADDRESS_MAX];
    int i = bounce_of(pid);
    if (i == -1)
        return; /* of a life before */
    struct message *m = life.bounces[i].m;
    expected_bounce(&want, m, date_of(text, life.bounces[i].wall_s), to);
    if (!buf_same(&want, text))
        violation("the bounce of %ju is\n%s\n, not\n%s", (uintmax_t)m->number,
                  text->data, want.data);
    if (strcmp(sender, m->sender[0] ? "" : "#@[]") != 0 || strcmp(recipient, to) != 0)
        violation("the bounce of %ju goes from <%s> to <%s>", (uintmax_t)m->number,
                  sender, recipient);
    judge_notes(m);
    if (m->bounces++ && !m->disturbed)
        violation("%ju is returned twice", (uintmax_t)m->number);
    life.bounces[i].accepted = true;
}

void judge_waited(pid_t pid)
{
    int i = bounce_of(pid);
    if (i == -1)
        violation("waits for somebody else's child");
    struct message *m = life.bounces[i].m;
    life.bounce_running--;
    m->bouncing = false;
    if (life.bounces[i].accepted) {
        m->bounce_sent = true;
        for (unsigned r = 0; r < m->count; r++)
            m->to[r].failed = false; /* that has been told */
        return;
    }
    life.bounces[i].m = NULL;
    life.refused_bounces++;
    int64_t age = wall_s() > birth_s(m) ? wall_s() - birth_s(m) : 0;
    m->bounce_due_ms = sim.steady_ms + (next_attempt(0, 0, age) - age) * 1000;
}

static void judge_bounce_line(const char *line)
{
    unsigned long long n;
    long pid;
    if (sscanf(line, "bounce msg %llu qp %ld", &n, &pid) != 2)
        violation("a line that is none");
    int i = bounce_of((pid_t)pid);
    if (i == -1 || life.bounces[i].m->number != (ino_t)n || !life.bounces[i].accepted)
        violation("a bounce that was not accepted");
    life.bounces[i].m = NULL;
}

static void judge_triple(ino_t n)
{
    struct message *m = known(n, "triple bounce");
    if (strcmp(m->sender, "#@[]") != 0)
        violation("no triple bounce");
    m->discarded = true;
}

/* Orders */

static void judge_ordered(const char *verb, ino_t n)
{
    struct message *m = known(n, verb);
    mode_t mark = mark_of(m);
    const struct node *info = disk_find(split_path("info", n));
    mode_t want = strcmp(verb, "held") == 0     ? HELD_MODE
                  : strcmp(verb, "return") == 0 ? RETURNED_MODE
                  : strcmp(verb, "delete") == 0 ? DELETED_MODE
                                                : 0;
    if (m->stage != STAGE_TAKEN || !info ||
        (mark != want && strcmp(verb, "try") != 0) ||
        (want && info->stable_mode != want))
        violation("%s %ju, but its mode is %o", verb, (uintmax_t)n,
                  info ? (unsigned)info->mode : 0);
    if (want == RETURNED_MODE || want == DELETED_MODE)
        m->ordered_away = true;
    m->bounce_due_ms = 0;
    for (int c = 0; c < CHANNELS; c++) {
        if (strcmp(verb, "try") == 0) {
            if (m->in[c].state == DUE && m->in[c].due > wall_s())
                set_due(m, c, wall_s());
            continue;
        }
        if (m->in[c].state == ATTEMPT) {
            m->in[c].stopped |= want != 0;
            m->in[c].next = wall_s();
            look_at_end(m, c);
        } else if (want && m->in[c].state == DUE) {
            m->in[c].state = HELD;
        } else if (!want && m->in[c].state == HELD) {
            set_due(m, c, wall_s());
        }
    }
}

void judge_order(const char *verb, ino_t n, const char *answer)
{
    if (strcmp(verb, "rubbish") == 0 &&
        strncmp(answer, "bad-request - - - -\n", 20) != 0)
        violation("rubbish is answered %s", answer);
    static const char *const results[] = {
        "done",     "new",     "gone",       "other",    "held",
        "not-held", "active",  "returning",  "deleting", "ending",
        "bouncing", "trouble", "bad-request"};
    bool found = false;
    for (size_t i = 0; i < sizeof results / sizeof *results; i++)
        found |= strncmp(answer, results[i], strlen(results[i])) == 0;
    if (!found || (strncmp(answer, "trouble", 7) == 0 && !had_fault))
        violation("%s is answered %s", verb, answer);
    /* the disk can refuse to take a mark back, too: then it will be obeyed */
    struct message *m = message_find(n);
    if (m && strncmp(answer, "trouble", 7) == 0 &&
        (mark_of(m) == DELETED_MODE || mark_of(m) == RETURNED_MODE))
        m->ordered_away = true;
}

/* What ends an attempt in the middle of its list. */
static void judge_cut(const char *line)
{
    char tree[8];
    unsigned long long n;
    if (sscanf(line, "warning: trouble reading %7[a-z]/%*u/%llu;", tree, &n) != 2)
        return;
    struct message *m = known((ino_t)n, "trouble with");
    m->in[strcmp(tree, "remote") == 0].cut = true;
}

/* Trouble that has been reported: is there a reason? */
static void judge_trouble(const char *line)
{
    judge_cut(line);
    if (strcmp(line, "warning: internal error: delivery report out of range") == 0) {
        judge_out_of_range();
        return;
    }
    if (strcmp(line, "warning: trouble injecting bounce message, will try later") ==
            0 &&
        life.refused_bounces) {
        life.refused_bounces--;
        return;
    }
    if (strncmp(line, "warning: qmail-clean unable to clean up ", 40) == 0 &&
        life.refused_cleans) {
        life.refused_cleans--;
        return;
    }
    if (strcmp(line, "alert: oh no! lost spawn connection! dying...") == 0) {
        for (int c = 0; c < CHANNELS; c++)
            if (world_is_dead(c) && !life.lost[c]) {
                life.lost[c] = life.leaving = true;
                return;
            }
    } else if (strcmp(line, "alert: oh no! lost qmail-clean connection! dying...") ==
                   0 &&
               world_is_dead(2)) {
        life.lost_clean = life.leaving = true;
        return;
    } else if (strncmp(line, "alert: cannot start: ", 21) == 0) {
        life.refused = true;
        for (int c = 0; c < CHANNELS; c++)
            had_fault |= world_is_dead(c); /* no greeting: no fire */
    } else if (strstr(line, "reread")) {
        life.rules = life.rules_before;
    }
    if (!had_fault)
        violation("trouble out of nothing");
    for (int c = 0; c < CHANNELS; c++)
        life.progress[c]++;
}

static void judge_line(const char *data, size_t len)
{
    static struct buf line;
    unsigned long long n;
    int end = 0;
    buf_clear(&line);
    buf_add(&line, data, len);
    if (len == 0 || data[len - 1] != '\n' || memchr(data, '\n', len - 1))
        violation("not one line: %s", line.data);
    line.data[--line.len] = '\0';
    trace("log: %s", line.data);
    if (life.exiting)
        violation("speaks after the end");
    bool is_trouble = strncmp(line.data, "warning: ", 9) == 0 ||
                      strncmp(line.data, "alert: ", 7) == 0;
    if (life.status_due && !is_trouble && strncmp(line.data, "status: ", 8) != 0)
        violation("no status line");
    if (is_trouble) {
        judge_trouble(line.data);
    } else if (strcmp(line.data, "status: exiting") == 0) {
        if (!life.leaving && !signal_come[15] && !life.lost[0] && !life.lost[1] &&
            !life.lost_clean)
            violation("exits, and nobody has said so");
        life.exiting = true;
    } else if (strncmp(line.data, "status: ", 8) == 0) {
        judge_status(line.data);
    } else if (sscanf(line.data, "new msg %llu%n", &n, &end) == 1 && !line.data[end]) {
        judge_new((ino_t)n);
    } else if (sscanf(line.data, "info msg %llu:", &n) == 1) {
        judge_info((ino_t)n, line.data);
    } else if (strncmp(line.data, "starting ", 9) == 0) {
        judge_starting(line.data);
    } else if (strncmp(line.data, "delivery ", 9) == 0) {
        judge_result(line.data);
    } else if (sscanf(line.data, "end msg %llu%n", &n, &end) == 1 && !line.data[end]) {
        judge_end_msg((ino_t)n);
    } else if (strncmp(line.data, "bounce msg ", 11) == 0) {
        judge_bounce_line(line.data);
    } else if (sscanf(line.data, "triple bounce: discarding bounce/%llu", &n) == 1) {
        judge_triple((ino_t)n);
    } else {
        char verb[12];
        if (sscanf(line.data, "%11s msg %llu", verb, &n) != 2)
            violation("a line that is none");
        judge_ordered(verb, (ino_t)n);
    }
}

void judge_lines(const char *text, size_t len)
{
    while (len) {
        const char *end = memchr(text, '\n', len);
        if (!end)
            violation("half a line");
        size_t line = (size_t)(end - text) + 1;
        judge_line(text, line);
        text += line;
        len -= line;
    }
}

/* The disk */

static void judge_list_gone(struct message *m, int c)
{
    const struct node *f = disk_find(split_path(trees[c], m->number));
    const struct node *note = disk_find(flat_path("bounce", m->number));
    mode_t mark = mark_of(m);
    for (unsigned i = 0; i < m->count; i++) {
        struct recipient *r = &m->to[i];
        if (r->channel != c)
            continue;
        /* has its result; or had it before a power cut, and nothing was synced */
        bool unmarked = r->to_be_marked || (m->fuzzy && r->again) ||
                        (r->delivered && is_unsynced(m));
        if (r->to_be_marked)
            require_note(m, r);
        if (f->data.data[r->at] == 'T' && !mark && !unmarked)
            complain_lost(m, r, "its list is removed");
        if (f->data.data[r->at] == 'T' && mark == RETURNED_MODE && !unmarked) {
            char head[ADDRESS_MAX];
            snprintf(head, sizeof head, "%.40s",
                     without_prefix(r->rewritten, life.rules));
            for (char *p = head; *p; p++)
                if (*p == '\n')
                    *p = '_';
            if (!note || !disk_is_stable(flat_path("bounce", m->number)) ||
                !buf_count(&note->data, head))
                complain_lost(m, r, "it is to be returned, and not noted");
            r->failed = true;
        }
        if (f->data.data[r->at] == 'T' && mark == HELD_MODE && !unmarked)
            complain_lost(m, r, "it is held, and removed");
        if (r->running)
            complain_lost(m, r, "its delivery is under way");
        r->done = true;
        r->to_be_marked = false;
    }
    m->in[c].state = NOBODY;
    life.progress[c]++;
}

void judge_unlink(const char *dir, ino_t n)
{
    struct message *m = message_find(n);
    if (!m || (disk_find(flat_path("todo", n)) && !m->early))
        return; /* rests of nobody; or preprocessing */
    const struct node *f = disk_find(flat_path("bounce", n));
    if (strcmp(dir, "local") == 0 || strcmp(dir, "remote") == 0) {
        judge_list_gone(m, dir[0] == 'r');
    } else if (strcmp(dir, "bounce") == 0) {
        /* those of an attempt before the one whose files were never synced: a power cut
         * has brought them back */
        bool old = is_unsynced(m) && !m->early && m->to[0].delivered;
        if (f->data.len && !m->bounce_sent && !m->discarded && !old &&
            mark_of(m) != DELETED_MODE)
            violation("%ju: its notes are removed, and nobody has them", (uintmax_t)n);
    } else if (strcmp(dir, "info") == 0) {
        if (f || disk_find(split_path("local", n)) ||
            disk_find(split_path("remote", n)))
            violation("info of %ju is removed too early", (uintmax_t)n);
        judge_ended(m);
    } else {
        violation("qmail-send removes %s/%ju", dir, (uintmax_t)n);
    }
}

void judge_times(const char *tree, ino_t n, int64_t mtime)
{
    const struct message *m = known(n, "the times of");
    int c = tree[0] == 'r';
    int64_t since_ms =
        life.paused_turn == sim.turns ? life.pause_begun_ms : sim.steady_ms;
    if (tree[0] == 'i' &&
        (mtime > wall_s() || mtime < (since_ms + sim.offset_ms) / 1000))
        violation("%ju is born anew at %jd", (uintmax_t)n, (intmax_t)mtime);
    if (tree[0] != 'i' && m->in[c].state == DUE && !m->fuzzy && !m->in[c].fresh &&
        !m->in[c].unsure && m->in[c].due != mtime)
        violation("%ju is due at %jd, not at %jd", (uintmax_t)n, (intmax_t)m->in[c].due,
                  (intmax_t)mtime);
}

/* Before todo/N may go, everything must be on the disk: queue.md 10. Unless the only
 * recipient has been reached already, and nobody is to be told. */
static void judge_taken(struct message *m)
{
    static struct buf want[CHANNELS + 1];
    const char *paths[CHANNELS + 1];
    bool noted = disk_find(flat_path("bounce", m->number));
    if (m->early && m->to[0].done && !noted)
        return;
    wanted_files(m, paths, want);
    for (int i = 0; i <= CHANNELS; i++) {
        const struct node *f = disk_find(paths[i]);
        if (!f && (want[i].len == 0 || (i < CHANNELS && m->early && m->to[0].done)))
            continue;
        if (f && f->stable.len && i < CHANNELS && m->early && m->to[0].done)
            want[i].data[0] =
                f->stable.data[0] == 'D' ? 'D' : 'T'; /* marks are not synced */
        if (!f || !disk_name_is_stable(paths[i]) || !buf_same(&f->stable, &want[i]) ||
            f->stable_mode == UNSYNCED_MODE)
            violation("%s is not on the disk as it must be", paths[i]);
    }
    if (noted && !m->early)
        violation("old notes of %ju are left", (uintmax_t)m->number);
}

void judge_clean(const char *verb, ino_t n)
{
    struct message *m = message_find(n);
    if (strcmp(verb, "todo") == 0) {
        if (!m || !(m->early || (m->stage == STAGE_QUEUED && m->announced)))
            violation("todo/%ju is to be removed", (uintmax_t)n);
        judge_taken(m);
        life.unanswered++;
        return;
    }
    if (m || disk_find(flat_path("todo", n)) || disk_find(split_path("info", n)))
        violation("mess of %ju is to be removed", (uintmax_t)n);
    const struct node *mess = disk_find(split_path("mess", n));
    m = last_of(n); /* its own text, or that of somebody who got its number */
    if (mess && !(m && m->text == mess && m->text_at == mess->mtime_ms)) {
        int64_t used =
            mess->atime_ms > mess->mtime_ms ? mess->atime_ms : mess->mtime_ms;
        if (used / 1000 >= wall_s() - ABANDONED_S)
            violation("mess of %ju is being written, and to be removed", (uintmax_t)n);
    }
}

void judge_cleaned(const char *verb, ino_t n, char answer)
{
    struct message *m = message_find(n);
    if (answer != '+')
        life.refused_cleans++;
    if (strcmp(verb, "todo") != 0)
        return;
    if (life.unanswered)
        life.unanswered--;
    if (m && m->early && answer == '+')
        m->early = false;
    if (!m || m->stage != STAGE_QUEUED)
        return;
    m->announced =
        answer != '+' && m->count == 1; /* it is asked again, and may be tried */
    if (answer != '+') {
        m->pulled = false; /* the next scan finds it */
        return;
    }
    m->stage = STAGE_TAKEN;
    m->birth_ms = disk_find(split_path("info", n))->mtime_ms;
    for (int c = 0; c < CHANNELS; c++) {
        m->in[c].state = NOBODY;
        if (left_in(m, c) == 0)
            continue;
        set_due(m, c, wall_s());
        m->in[c].fresh = true;
        m->in[c].unsure = plan.fault; /* the answer may not be read at once */
        if (m->count == 1) {          /* it has been due since it was written */
            set_due(m, c, disk_find(split_path(trees[c], n))->mtime_ms / 1000);
            m->in[c].unsure = true;
        }
        m->in[c].running = 0;
    }
}

void judge_jump(int64_t ms)
{
    sim.jumped = true;
    if (ms < 0)
        life.set_back_in = sim.turns;
    for (unsigned i = 0; i < message_count; i++)
        for (int c = 0; c < CHANNELS; c++) {
            messages[i].in[c].set_back |= ms < 0;
            messages[i].in[c].unsure |=
                ms < 0 ||
                (messages[i].in[c].fresh && messages[i].in[c].since + 10 >= sim.turns);
        }
}

bool judge_had_fault(void)
{
    return had_fault;
}

unsigned judge_alive(void)
{
    unsigned alive = 0;
    for (unsigned i = 0; i < message_count; i++)
        alive += messages[i].stage != STAGE_ENDED;
    return alive;
}

static void find_rest(void *dir, const char *name)
{
    if (name[0] < '0' || name[0] > '9' || had_power_cut)
        return;
    violation("%s/%s is left over", (const char *)dir, name);
}

/* Everybody has gone. */
void judge_drained(void)
{
    static char bounce[] = "queue/bounce", todo[] = "queue/todo";
    disk_each(bounce, find_rest, bounce);
    disk_each(todo, find_rest, todo);
    for (int s = 0; s < CONF_SPLIT; s++)
        for (int c = 0; c < CHANNELS; c++) {
            char dir[32];
            snprintf(dir, sizeof dir, "queue/%s/%d", trees[c], s);
            disk_each(dir, find_rest, dir);
            snprintf(dir, sizeof dir, "queue/info/%d", s);
            disk_each(dir, find_rest, dir);
        }
}
