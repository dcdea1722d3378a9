/* AUTH with any name and password (and authorization id), in each way a client may put
 * it: the program gets these two and nothing else if they are fit to be given to it,
 * and is not asked if not. Afterwards no trace of them is left in the session's
 * buffers.
 *
 * The first byte chooses the way and the program's answer; the three strings follow,
 * each ended by a byte 10. */
#include "accept/smtpd.h"

#include "fake.h"
#include "fuzz.h"

#include <string.h>

enum { WAY = 3, WAY_LOGIN = 1, WAY_INITIAL = 2, TELLTALE = 8, MAX_SECRET = 509 };
enum { ANSWER = 2, ANSWERS = 3 };

static struct smtpd s;
static struct bytes secret;
static int asked, exit_code;
static char *const checker[] = {(char[]){"checker"}, NULL};

static int check_password(struct view given)
{
    asked++;
    bytes_set(&secret, given);
    return exit_code;
}

static void add_base64(struct bytes *out, struct view v)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < v.len; i += 3) {
        uint32_t group = 0;
        size_t n = v.len - i < 3 ? v.len - i : 3;
        for (size_t j = 0; j < 3; j++)
            group = group << 8 | (j < n ? (unsigned char)v.data[i + j] : 0);
        for (size_t j = 0; j < 4; j++)
            bytes_add_byte(out, j > n ? '=' : alphabet[group >> (18 - 6 * j) & 63]);
    }
}

/* What the client says; the answers alone go to trace, too. */
static void say(struct bytes *said, unsigned way, struct view id, struct view name,
                struct view password)
{
    struct bytes first = {0}, second = {0};

    if (way & WAY_LOGIN) {
        add_base64(&first, name);
        add_base64(&second, password);
    } else {
        struct bytes all = {0};
        bytes_add(&all, id);
        bytes_add_byte(&all, '\0');
        bytes_add(&all, name);
        bytes_add_byte(&all, '\0');
        bytes_add(&all, password);
        add_base64(&first, bytes_view(&all));
        bytes_free(&all);
    }
    bytes_add_text(said, way & WAY_LOGIN ? "AUTH LOGIN" : "AUTH PLAIN");
    bytes_add_text(said, way & WAY_INITIAL ? " " : "\r\n");
    if (way & WAY_INITIAL && first.len == 0)
        bytes_add_byte(said, '=');
    bytes_add(said, bytes_view(&first));
    bytes_add_text(said, "\r\n");
    if (way & WAY_LOGIN) {
        bytes_add(said, bytes_view(&second));
        bytes_add_text(said, "\r\n");
    }
    bytes_free(&first);
    bytes_free(&second);
}

static void serve(struct view said, struct bytes *output)
{
    fake_begin();
    fake_program = check_password;
    asked = 0;
    s.policy.rcpthosts.all = true;
    s.auth = (struct smtpd_auth){
        .program = (char **)(uintptr_t)checker, .on = true, .clear_text_allowed = true};
    s.over = s.mail_given = false;
    s.errors = 0;
    /* what sessions before have left here is not this one's */
    bytes_wipe(&s.line);
    memset(s.connection.in.data, 0, sizeof s.connection.in.data);
    connection_open(&s.connection, fake_input(said, 0), fake_output(output), 0);
    smtpd_serve(&s);
    fake_end();
}

static bool contains(const char *data, size_t len, struct view v)
{
    struct view rest = view_at(data, len);
    while (view_has(rest, v.data[0])) {
        rest = view_from(rest, view_find(rest, v.data[0]));
        if (view_starts(rest, v))
            return true;
        rest = view_from(rest, 1);
    }
    return false;
}

/* A string of some length would not be in a buffer by accident. No more than said bytes
 * of that of the reader can have been used. */
static void look_for(struct view v, size_t said)
{
    struct bytes coded = {0};
    const struct reader *in = &s.connection.in;

    if (v.len < TELLTALE || view_has(v, '\0')) /* NULs are all that may be there */
        return;
    add_base64(&coded, view_before(v, v.len - v.len % 3));
    MUST(!contains(in->data, said, bytes_view(&coded)));
    MUST(!contains(s.line.data, s.line.room, bytes_view(&coded)));
    MUST(!contains(in->data, said, v));
    MUST(!contains(s.line.data, s.line.room, v));
    bytes_free(&coded);
}

static void look_at(struct view output, struct view name, struct view password)
{
    static const char *const replies[] = {"235 ", "535 ", "454 "};
    bool fit =
        name.len && password.len && !view_has(name, '\0') && !view_has(password, '\0');
    bool given = fit && name.len + password.len <= MAX_SECRET;
    struct bytes want = {0};

    view_cut(&output, '\n'); /* the greeting */
    while (view_starts(output, VIEW("334 ")))
        view_cut(&output, '\n');
    MUST(asked == given);
    if (!fit)
        MUST(view_starts(output, VIEW("501 malformed auth input")));
    else if (!given)
        MUST(view_starts(output, VIEW("535 ")));
    else
        MUST(view_starts(output, view_of(replies[exit_code == 111 ? 2 : exit_code])));
    if (given) {
        bytes_add(&want, name);
        bytes_add_byte(&want, '\0');
        bytes_add(&want, password);
        bytes_add(&want, VIEW("\0\0"));
        MUST(view_equal(bytes_view(&secret), bytes_view(&want)));
        MUST(s.auth.done == (exit_code == 0));
    }
    bytes_free(&want);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const int codes[ANSWERS] = {0, 1, 111};
    static struct bytes said, output;

    if (len == 0)
        return 0;
    struct view rest = view_at((const char *)data + 1, len - 1);
    struct view id = view_cut(&rest, '\n'), name = view_cut(&rest, '\n');
    struct view password = view_cut(&rest, '\n');
    id = view_before(id, view_find(id, '\0'));
    exit_code = codes[(data[0] >> ANSWER) % ANSWERS];
    /* the environment never forgets a value */
    if (exit_code == 0 && name.len > 2)
        exit_code = 1;
    bool is_plain = !(data[0] & WAY_LOGIN);
    if (is_plain && view_has(name, '\0'))
        return 0; /* then it would be another name */
    bytes_clear(&said);
    bytes_clear(&output);
    say(&said, data[0] & WAY, id, name, password);
    if (said.len > SMTPD_MAX_AUTH_LINE)
        return 0;
    serve(bytes_view(&said), &output);
    look_at(bytes_view(&output), name, password);
    /* a password that nobody has asked for is a command, and stays one */
    if (is_plain || (name.len && !view_has(name, '\0')))
        look_for(password, said.len);
    return 0;
}
