#include "admin/log.h"
#include "base/number.h"

#include <string.h>

enum {
    MAX_ADDRESS = 320, /* what may stand between < and > */
    CODE_LEN = 3,      /* 550 */
    CODE_PARTS = 3,    /* 5.1.1 */
    MIN_ID = 8,        /* shorter words with digits are names of things */
    MIN_ID_DIGITS = 2,
    MIN_COLONS = 4 /* of an IPv6 address without "::" */
};

static const char separators[] = "_ /()<>[]{}\",;'`|\\";
static const char sentence_ends[] = ".:!?=-";

static bool is_letter(char c)
{
    return byte_lower(c) >= 'a' && byte_lower(c) <= 'z';
}

static size_t count_of(struct view v, bool (*kind)(char c))
{
    size_t count = 0;
    for (size_t i = 0; i < v.len; i++)
        count += kind(v.data[i]);
    return count;
}

static bool is_of_number(char c)
{
    return byte_is_digit(c) || c == '.';
}

static bool is_of_ipv6(char c)
{
    return is_of_number(c) || c == ':' ||
           (byte_lower(c) >= 'a' && byte_lower(c) <= 'f');
}

static bool is_colon(char c)
{
    return c == ':';
}

/* The number of parts if v is nothing but numbers with dots between, else 0. */
static size_t dotted_parts(struct view v)
{
    size_t parts = 0;

    if (count_of(v, is_of_number) < v.len)
        return 0;
    while (v.len) {
        if (view_cut(&v, '.').len == 0)
            return 0;
        parts++;
    }
    return parts;
}

/* A reply's code, or the status that goes with it, which are the gist of a reason:
 * 550, #5.1.1, and 550-5.1.1 at the beginning of a reply's lines. */
static bool is_code(struct view v)
{
    if (v.len && v.data[0] == '#')
        v = view_from(v, 1);
    if (v.len > CODE_LEN && v.data[CODE_LEN] == '-' &&
        dotted_parts(view_before(v, CODE_LEN)) == 1)
        v = view_from(v, CODE_LEN + 1);
    if (!v.len || v.data[0] < '2' || v.data[0] > '5')
        return false;
    size_t parts = dotted_parts(v);
    return (parts == 1 && v.len == CODE_LEN) ||
           (parts == CODE_PARTS && v.data[1] == '.');
}

static bool is_address(struct view v)
{
    size_t at = view_find_last(v, '@');
    return at > 0 && at + 1 < v.len;
}

static bool is_ip(struct view v)
{
    struct view rest = v;

    if (dotted_parts(view_cut(&rest, ':')) == 4)
        return true;
    if (count_of(v, is_of_ipv6) < v.len)
        return false;
    size_t colons = count_of(v, is_colon);
    for (size_t i = 0; i + 1 < v.len && colons >= 2; i++)
        if (v.data[i] == ':' && v.data[i + 1] == ':')
            return true;
    return colons >= MIN_COLONS;
}

/* Labels with dots between, the last of letters alone. */
static bool is_host(struct view v)
{
    struct view label = {0};
    size_t labels = 0;

    for (; v.len; labels++) {
        label = view_cut(&v, '.');
        if (!label.len)
            return false;
        for (size_t i = 0; i < label.len; i++)
            if (!is_letter(label.data[i]) && !byte_is_digit(label.data[i]) &&
                label.data[i] != '-')
                return false;
    }
    return labels > 1 && label.len > 1 && count_of(label, is_letter) == label.len;
}

/* The general word for a token, or NULL where it is the same in every mail. */
static const char *word_for(struct view v)
{
    if (is_code(v))
        return NULL;
    if (is_address(v))
        return "ADDRESS";
    if (is_ip(v))
        return "IP";
    size_t digits = count_of(v, byte_is_digit);
    if (v.len && digits == v.len)
        return "N";
    if (is_host(v))
        return "HOST";
    if (v.len >= MIN_ID && digits >= MIN_ID_DIGITS)
        return "ID";
    return NULL;
}

static void add_token(struct bytes *out, struct view token)
{
    struct view core = view_trim_end(token, sentence_ends);
    const char *word = word_for(core);

    if (word)
        bytes_add_text(out, word);
    else
        bytes_add(out, core);
    bytes_add(out, view_from(token, core.len));
}

/* The length of an address in angle brackets that text begins with, or 0: in it a '_'
 * does not end a word. */
static size_t bracketed_address(struct view text)
{
    struct view inside =
        view_before(text, text.len < MAX_ADDRESS ? text.len : MAX_ADDRESS);
    size_t end = view_find(inside, '>');

    if (!text.len || text.data[0] != '<' || end == inside.len)
        return 0;
    return is_address(view_at(text.data + 1, end - 1)) ? end + 1 : 0;
}

/* The length of a URL that text begins with, or 0. */
static size_t url(struct view text)
{
    size_t len = 0;

    if (!view_starts_case(text, VIEW("http:")) &&
        !view_starts_case(text, VIEW("https:")))
        return 0;
    while (len < text.len && !view_has(VIEW("_ \"<>()[]',"), text.data[len]))
        len++;
    return len;
}

static size_t token_length(struct view text)
{
    size_t len = 0;
    while (len < text.len && !memchr(separators, text.data[len], sizeof separators - 1))
        len++;
    return len;
}

/* A separator; of several spaces one is enough. */
static void add_separator(struct bytes *out, char c)
{
    if (c != '_' && c != ' ')
        bytes_add_byte(out, c);
    else if (out->len && out->data[out->len - 1] != ' ')
        bytes_add_byte(out, ' ');
}

void log_reason(struct bytes *out, struct view text)
{
    bytes_clear(out);
    text = view_trim_end(text, "/_ ");
    while (text.len && out->len < LOG_MAX_REASON) {
        size_t len = bracketed_address(text);
        if (len)
            bytes_add(out, VIEW("<ADDRESS>"));
        else if ((len = url(text)) > 0)
            bytes_add(out, VIEW("URL"));
        else if ((len = token_length(text)) > 0)
            add_token(out, view_before(text, len));
        else {
            add_separator(out, text.data[0]);
            len = 1;
        }
        text = view_from(text, len);
    }
    if (out->len > LOG_MAX_REASON)
        bytes_cut(out, LOG_MAX_REASON);
    if (!out->len)
        bytes_add_text(out, "(no reason)");
}
