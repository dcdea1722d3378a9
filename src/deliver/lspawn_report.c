#include "deliver/lspawn.h"

#include "mail/delivery.h"

#include <sys/wait.h>

enum {
    CUT_TEXT = 2966 /* bytes left of a text that is too long */
};

/* What is said instead of the output. Codes that are not here: the output, after
 * the letter that letter_of() gives. */
static const struct {
    enum local_exit code;
    const char *report;
} fixed[] = {
    {LOCAL_BUG, "ZInternal qmail-lspawn bug.\n"},
    {LOCAL_ROOT, "ZNot allowed to perform deliveries as root.\n"},
    {LOCAL_NFS, "ZNFS failure in qmail-local.\n"},
    {LOCAL_NO_ALIAS, "ZUnable to find alias user!\n"},
    {LOCAL_CDB, "ZTrouble reading users/cdb in qmail-lspawn.\n"},
    {LOCAL_SYSTEM, "ZTemporary failure in qmail-lspawn.\n"},
    {LOCAL_MEMORY, "ZOut of memory in qmail-lspawn.\n"},
    {LOCAL_EXEC_TEMP, "ZUnable to run qmail-local.\n"},
    {LOCAL_GETPW, "ZUnable to run qmail-getpw.\n"},
    {LOCAL_EXEC_PERM, "DUnable to run qmail-local.\n"},
};

void lspawn_take(struct lspawn_text *t, struct view piece)
{
    size_t left = LSPAWN_MAX_TEXT - t->kept.len;
    if (piece.len > left) {
        t->cut = true;
        piece = view_before(piece, left);
    }
    bytes_add(&t->kept, piece);
}

static char letter_of(int code)
{
    switch (code) {
    case LOCAL_OK:
        return DELIVERY_SUCCESS;
    case LOCAL_TEMP_71:
    case LOCAL_TEMP_74:
    case LOCAL_TEMP_75:
    case LOCAL_TEMP:
        return DELIVERY_DEFERRAL;
    default:
        return DELIVERY_FAILURE;
    }
}

/* The output up to its first NUL, or up to its limit and then the notice. */
static void add_text(struct bytes *report, const struct lspawn_text *t)
{
    struct view text = bytes_view(&t->kept);
    if (t->cut)
        text = view_before(text, CUT_TEXT);
    size_t len = view_find(text, '\0');
    bytes_add(report, view_before(text, len));
    if (t->cut && len == text.len)
        bytes_add_text(report, "\nError report too long, sorry.\n");
}

/* The code alone is not enough: qmail-local may have another in its place. The texts
 * are those of glibc's loader. */
static bool is_not_loaded(int code, const struct lspawn_text *t)
{
    struct view text = bytes_view(&t->kept);
    return code == DELIVERY_NOT_LOADED &&
           (view_starts(view_from(text, view_find(text, ':')),
                        VIEW(": error while loading shared libraries: ")) ||
            view_starts(text, VIEW("cannot allocate TLS data structures for ")) ||
            view_starts(text, VIEW("Fatal glibc error: ")));
}

void lspawn_report_exit(struct bytes *report, int code, const struct lspawn_text *t)
{
    if (is_not_loaded(code, t)) /* not the end of the message */
        code = LOCAL_EXEC_TEMP;
    for (size_t i = 0; i < COUNT(fixed); i++) {
        if ((int)fixed[i].code == code) {
            bytes_add_text(report, fixed[i].report);
            return;
        }
    }
    bytes_add_byte(report, letter_of(code));
    add_text(report, t);
}

void lspawn_report(struct bytes *report, int status, const struct lspawn_text *t)
{
    if (WIFEXITED(status))
        lspawn_report_exit(report, WEXITSTATUS(status), t);
    else
        bytes_add_text(report, "Zqmail-local crashed.\n");
}
