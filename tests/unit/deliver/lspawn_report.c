#include "deliver/lspawn.h"

#include "tap.h"

enum { KILLED = 9, EXIT_SHIFT = 8 }; /* statuses as wait(2) tells them */

static const struct {
    const char *name;
    int status;
    const char *want;
} ends[] = {
    {"killed", KILLED, "Zqmail-local crashed.\n"},
    {"exit 0", 0, "Ktext\n"},
    {"exit 71", 71 << EXIT_SHIFT, "Ztext\n"},
    {"exit 74", 74 << EXIT_SHIFT, "Ztext\n"},
    {"exit 75", 75 << EXIT_SHIFT, "Ztext\n"},
    {"exit 111", 111 << EXIT_SHIFT, "Ztext\n"},
    {"exit 100", 100 << EXIT_SHIFT, "Dtext\n"},
    {"exit 1", 1 << EXIT_SHIFT, "Dtext\n"},
    {"exit 72", 72 << EXIT_SHIFT, "Dtext\n"},
    {"exit 110", 110 << EXIT_SHIFT, "Dtext\n"},
    {"exit 112", 112 << EXIT_SHIFT, "ZInternal qmail-lspawn bug.\n"},
    {"exit 113", 113 << EXIT_SHIFT, "ZNot allowed to perform deliveries as root.\n"},
    {"exit 114", 114 << EXIT_SHIFT, "Dtext\n"},
    {"exit 115", 115 << EXIT_SHIFT, "ZNFS failure in qmail-local.\n"},
    {"exit 116", 116 << EXIT_SHIFT, "ZUnable to find alias user!\n"},
    {"exit 117", 117 << EXIT_SHIFT, "ZTrouble reading users/cdb in qmail-lspawn.\n"},
    {"exit 118", 118 << EXIT_SHIFT, "ZTemporary failure in qmail-lspawn.\n"},
    {"exit 119", 119 << EXIT_SHIFT, "ZOut of memory in qmail-lspawn.\n"},
    {"exit 120", 120 << EXIT_SHIFT, "ZUnable to run qmail-local.\n"},
    {"exit 121", 121 << EXIT_SHIFT, "ZUnable to run qmail-getpw.\n"},
    {"exit 122", 122 << EXIT_SHIFT, "Dtext\n"},
    {"exit 126", 126 << EXIT_SHIFT, "DUnable to run qmail-local.\n"},
    {"exit 127", 127 << EXIT_SHIFT, "Dtext\n"},
    {"exit 255", 255 << EXIT_SHIFT, "Dtext\n"},
};

static void test_not_loaded(void)
{
    static const char *const said[] = {
        "/bin/qmail-local: error while loading shared libraries: libc.so.6: no "
        "memory\n",
        "cannot allocate TLS data structures for initial thread\n",
        "Fatal glibc error: cannot allocate memory for find-object data\n",
    };
    for (size_t i = 0; i < COUNT(said); i++) {
        struct lspawn_text text = {0};
        struct bytes got = {0};
        lspawn_take(&text, view_of(said[i]));
        lspawn_report(&got, 127 << EXIT_SHIFT, &text);
        same(bytes_view(&got), VIEW("ZUnable to run qmail-local.\n"), "not loaded");
        bytes_free(&got);
        bytes_free(&text.kept);
    }
}

static const char notice[] = "\nError report too long, sorry.\n";

/* Output of len bytes, in pieces of step; a NUL at nul, if that is within. */
static const struct {
    const char *name;
    size_t len, step, nul;
    size_t want_len;
    bool want_notice;
} lengths[] = {
    {"nothing", 0, 1, 9999, 0, false},
    {"2999 bytes", 2999, 1, 9999, 2999, false},
    {"3000 bytes", 3000, 7, 9999, 3000, false},
    {"3001 bytes", 3001, 7, 9999, 2966, true},
    {"3001 bytes at once", 3001, 3001, 9999, 2966, true},
    {"a million bytes", 1000000, 16384, 9999999, 2966, true},
    {"3000 bytes, then one", 3001, 3000, 9999, 2966, true},
    {"a NUL early", 5000, 100, 10, 10, false},
    {"a NUL at once", 5, 5, 0, 0, false},
    {"a NUL in what is cut off", 3001, 100, 2966, 2966, true},
    {"a NUL just before that", 3001, 100, 2965, 2965, false},
};

static void test_length(size_t i)
{
    struct lspawn_text text = {0};
    struct bytes output = {0}, got = {0}, want = {0};
    for (size_t at = 0; at < lengths[i].len; at++)
        bytes_add_byte(&output, at == lengths[i].nul ? '\0' : 'x');
    for (struct view rest = bytes_view(&output); rest.len;) {
        size_t len = lengths[i].step < rest.len ? lengths[i].step : rest.len;
        lspawn_take(&text, view_before(rest, len));
        rest = view_from(rest, len);
    }
    bytes_add_byte(&want, 'K');
    for (size_t at = 0; at < lengths[i].want_len; at++)
        bytes_add_byte(&want, 'x');
    if (lengths[i].want_notice)
        bytes_add_text(&want, notice);
    lspawn_report(&got, 0, &text);
    same(bytes_view(&got), bytes_view(&want), lengths[i].name);
    ok(text.kept.len <= LSPAWN_MAX_TEXT, lengths[i].name, "memory");
    bytes_free(&text.kept);
    bytes_free(&output);
    bytes_free(&got);
    bytes_free(&want);
}

int main(void)
{
    struct lspawn_text text = {0};
    struct bytes got = {0};
    lspawn_take(&text, VIEW("text\n\0more"));
    for (size_t i = 0; i < COUNT(ends); i++) {
        bytes_clear(&got);
        lspawn_report(&got, ends[i].status, &text);
        same(bytes_view(&got), view_of(ends[i].want), ends[i].name);
    }
    bytes_free(&text.kept);
    bytes_free(&got);
    for (size_t i = 0; i < COUNT(lengths); i++)
        test_length(i);
    test_not_loaded();
    return tap_done();
}
