/* What qmail-inject makes of any header in any environment.
 *
 * The first byte chooses the letters of QMAILINJECT, the second the options and in what
 * pieces the message comes. Then strings, each ended by a NUL: user, host, personal
 * name, an argument, the value of -f; the rest is the message. What comes out is a
 * header to its last line, and goes through once more without a change: nothing is
 * missing, completed is completed. */
#include "accept/inject.h"

#include "fake.h"
#include "fuzz.h"

#include "base/heap.h"
#include "mail/address.h"

#include <setjmp.h>
#include <string.h>

enum { STRINGS = 5, HEAD = 2, MAX_STRING = 200 };
enum { OPTION_KINDS = 3, OPTION_SENDER = 4, OPTION_ARGUMENT = 8, OPTION_PIECE = 4 };

static jmp_buf refused;
static bool may_refuse;

/* In the place of inject_refuse.c. A program that ends frees nothing, but here it goes
 * on: a line that is not the header's was made on the heap, to be refused. */
static struct bytes field;

_Noreturn void inject_refuse(const char *what, struct view text, const char *end)
{
    (void)what, (void)text, (void)end;
    MUST(may_refuse);
    longjmp(refused, 1);
}

_Noreturn void inject_refuse_line(struct view line)
{
    if (line.data != field.data)
        heap_free((char *)(uintptr_t)line.data);
    inject_refuse("", line, "");
}

/* The environment */

static char strings[STRINGS][MAX_STRING];
static char letters[8];

static char *look_up(const char *name)
{
    static const struct {
        const char *name;
        char *value;
    } variables[] = {{"QMAILUSER", strings[0]},
                     {"MAILHOST", strings[1]},
                     {"NAME", strings[2]},
                     {"QMAILINJECT", letters}};
    for (size_t i = 0; i < COUNT(variables); i++)
        if (strcmp(name, variables[i].name) == 0 && variables[i].value[0])
            return variables[i].value;
    return NULL;
}

static void read_strings(struct view *rest)
{
    for (size_t i = 0; i < STRINGS; i++) {
        struct view v = view_cut(rest, '\0');
        if (v.len >= MAX_STRING)
            v.len = MAX_STRING - 1;
        if (v.len)
            memcpy(strings[i], v.data, v.len);
        strings[i][v.len] = '\0';
    }
}

static void choose_letters(unsigned choice)
{
    static const char all[] = "csfirm";
    size_t n = 0;
    for (size_t i = 0; all[i]; i++)
        if (choice & 1u << i)
            letters[n++] = all[i];
    letters[n] = '\0';
}

/* One run */

struct run {
    struct inject in;
    struct header header;
    struct bytes sender, added, recipients;
    bool good; /* not refused */
};

static void add_recipient(void *arg, struct view recipient)
{
    struct bytes *all = arg;
    MUST(inject_may_pass(recipient));
    bytes_add(all, recipient);
    bytes_add_byte(all, '\0');
}

static void set_options(struct inject_options *options, unsigned choice)
{
    static const enum inject_recipients kinds[OPTION_KINDS + 1] = {
        INJECT_HEADER, INJECT_BOTH, INJECT_ARGUMENTS, INJECT_HEADER};
    static char *arguments[] = {strings[3], NULL};

    options->recipients = kinds[choice & OPTION_KINDS];
    options->sender = choice & OPTION_SENDER ? strings[4] : NULL;
    options->arguments = choice & OPTION_ARGUMENT ? arguments : arguments + 1;
}

static void inject(struct run *run, unsigned choice, struct reader *input)
{
    struct inject *in = &run->in;
    enum header_result result;

    inject_environment_read(&in->env, look_up);
    set_options(&in->options, choice);
    inject_arguments_or_die(in);
    header_open(&run->header, input);
    while ((result = header_next(&run->header, &field)) == HEADER_FIELD)
        if (!inject_field(in, bytes_view(&field)))
            inject_refuse_line(bytes_view(&field));
    MUST(result == HEADER_END);
    inject_sender_or_die(&run->sender, in, FAKE_NOW);
    MUST(inject_may_pass(bytes_view(&run->sender)));
    inject_add_fields_or_die(&run->added, in, FAKE_NOW);
    inject_recipients(in, add_recipient, &run->recipients);
    run->good = true;
}

static void begin(struct run *run, const struct inject_defaults *defaults)
{
    *run = (struct run){.in.defaults = *defaults};
}

static void inject_pieces(struct run *run, unsigned choice, struct view message,
                          unsigned most)
{
    static struct reader input;

    fake_begin();
    reader_open(&input, fake_input(message, most), 0);
    may_refuse = true;
    if (!setjmp(refused))
        inject(run, choice, &input);
    may_refuse = false;
    fake_end();
}

static void forget(struct run *run)
{
    struct inject_message *m = &run->in.message;
    struct bytes *all[] = {&run->sender,        &run->added,       &run->recipients,
                           &m->fields,          &m->recipients[0], &m->recipients[1],
                           &m->followup,        &m->return_path,   &run->in.sender,
                           &run->in.recipients, &run->header.start};
    for (size_t i = 0; i < COUNT(all); i++)
        bytes_free(all[i]);
}

/* Promises */

static void compare(const struct run *a, const struct run *b)
{
    MUST(a->good == b->good);
    MUST(view_equal(bytes_view(&a->in.message.fields),
                    bytes_view(&b->in.message.fields)));
    MUST(view_equal(bytes_view(&a->sender), bytes_view(&b->sender)));
    MUST(view_equal(bytes_view(&a->added), bytes_view(&b->added)));
    MUST(view_equal(bytes_view(&a->recipients), bytes_view(&b->recipients)));
}

static bool is_field(struct view line, const char *name)
{
    struct view with = view_of(name);
    return view_starts_case(line, with);
}

static bool has_field(struct view header, const char *name)
{
    while (header.len)
        if (is_field(view_cut(&header, '\n'), name))
            return true;
    return false;
}

/* Letters, digits, dots: what reads the same in every place. */
static bool is_domain(struct view v)
{
    for (size_t i = 0; i < v.len; i++)
        if (!byte_is_digit(v.data[i]) && v.data[i] != '.' &&
            (byte_lower(v.data[i]) < 'a' || byte_lower(v.data[i]) > 'z'))
            return false;
    return v.len && v.data[v.len - 1] != '.';
}

/* Brackets that do not come in pairs, with a list or a half-hidden route in them, or
 * with an address for a name before them: such a field is read as people may have meant
 * it, which is not always the same twice. */
static bool has_odd_brackets(struct view header)
{
    bool open = false, address = false, in_name = true;

    for (size_t i = 0; i < header.len; i++) {
        char c = header.data[i];
        if ((c == '<' && (open || address)) || (c == '>' && !open) ||
            (open && view_has(VIEW(",:;"), c)))
            return true;
        open = c == '<' || (open && c != '>');
        address = c != ',' && (address || view_has(VIEW("@[;"), c) ||
                               (c == ':' && !in_name) || c == '>');
        if (c == '\n' && i + 1 < header.len &&
            !view_has(VIEW(" \t"), header.data[i + 1])) {
            in_name = true;
            address = false;
        } else if (c == ':') {
            in_name = false;
        }
    }
    return open;
}

/* A backslash makes any byte part of an atom, but is written again before some alone:
 * such fields may mean something else the second time (tests/fuzz/mail/address_list).
 */
static bool may_change(struct view message, struct view header)
{
    return view_has(message, '\\') || view_has(header, '\\') ||
           has_odd_brackets(message) || has_odd_brackets(header) ||
           (strings[1][0] && !is_domain(view_of(strings[1])));
}

/* Through once more, with the recipients of the header, and nothing else. */
static void inject_again(const struct run *first, struct view message,
                         const struct inject_defaults *defaults)
{
    struct bytes header = {0};
    struct run second;
    bool resent = first->in.message.resent;

    bytes_add(&header, bytes_view(&first->added));
    bytes_add(&header, bytes_view(&first->in.message.fields));
    bool change = may_change(message, bytes_view(&header));
    letters[0] = strings[0][0] = strings[1][0] = strings[2][0] = '\0';
    begin(&second, defaults);
    inject_pieces(&second, 0, bytes_view(&header), 0);
    /* a list that nobody had to read may be anything */
    MUST(second.good || !inject_uses_header(&first->in.options) || change);
    MUST(!second.good ||
         header_body_start(&second.header).len == 0); /* all is header */
    MUST(!has_field(bytes_view(&header), "Bcc:"));
    MUST(!has_field(bytes_view(&header), "Resent-Bcc:"));
    MUST(!has_field(bytes_view(&header), "Content-Length:"));
    MUST(!has_field(bytes_view(&header), "Return-Path:"));
    if (!change && second.good) {
        MUST(second.in.message.resent == resent);
        MUST(second.added.len == 0);
        if (getenv("DBG")) {
            fwrite(header.data, 1, header.len, stderr);
            fprintf(stderr, "-----\n");
            fwrite(second.in.message.fields.data, 1, second.in.message.fields.len,
                   stderr);
        }
        MUST(view_equal(bytes_view(&second.in.message.fields), bytes_view(&header)));
    }
    bytes_free(&header);
    forget(&second);
}

/* What completes an address leaves a complete one alone. */
static void complete_again(const struct inject_defaults *defaults)
{
    struct bytes once = {0}, twice = {0};

    struct view local, domain;

    if (inject_argument(&once, view_of(strings[3]), defaults) &&
        address_split(bytes_view(&once), &local, &domain) && local.len &&
        is_domain(domain)) {
        MUST(inject_argument(&twice, bytes_view(&once), defaults));
        MUST(view_equal(bytes_view(&once), bytes_view(&twice)));
    }
    bytes_free(&once);
    bytes_free(&twice);
}

static const struct inject_defaults *read_defaults(void)
{
    static struct inject_defaults defaults;
    static bool done;

    if (done)
        return &defaults;
    fake_begin();
    fake_file("control/me", VIEW("me.test\n"));
    fake_file("control/defaultdomain", VIEW("dom.test"));
    fake_file("control/plusdomain", VIEW("plus.test"));
    fake_file("control/defaulthost", VIEW("host"));
    inject_defaults_read_or_die(&defaults);
    fake_end();
    done = true;
    return &defaults;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const struct inject_defaults *defaults = read_defaults();
    struct run whole, pieces;

    if (len < HEAD)
        return 0;
    struct view message = view_at((const char *)data + HEAD, len - HEAD);
    read_strings(&message);
    choose_letters(data[0]);
    begin(&whole, defaults);
    begin(&pieces, defaults);
    inject_pieces(&whole, data[1], message, 0);
    inject_pieces(&pieces, data[1], message, 1u + (data[1] >> OPTION_PIECE));
    compare(&whole, &pieces);
    complete_again(defaults);
    if (whole.good)
        inject_again(&whole, message, defaults);
    forget(&whole);
    forget(&pieces);
    return 0;
}
