#include "deliver/rspawn.h"

#include "base/die.h"
#include "mail/delivery.h"

#include <sys/wait.h>

static bool is_message_letter(char c)
{
    return c == DELIVERY_SUCCESS || c == DELIVERY_DEFERRAL || c == DELIVERY_FAILURE;
}

/* Adds to the text of the string on its way, as far as it is kept. */
static void keep(struct rspawn_output *o, struct view piece)
{
    if (o->strings >= COUNT(o->texts))
        return;
    struct bytes *text = &o->texts[o->strings];
    size_t left = RSPAWN_MAX_TEXT - text->len;
    bytes_add(text, view_before(piece, piece.len < left ? piece.len : left));
}

/* Takes bytes of one string, at least one, without its NUL. */
static void take_part(struct rspawn_output *o, struct view part)
{
    if (!o->in_string) {
        o->in_string = true;
        o->letter = part.data[0];
        part = view_from(part, 1);
    }
    keep(o, part);
}

static void end_string(struct rspawn_output *o)
{
    char letter = o->in_string ? o->letter : '\0';
    if (o->strings < COUNT(o->letters))
        o->letters[o->strings] = letter;
    if (!o->message_letter && is_message_letter(letter))
        o->message_letter = letter;
    if (o->strings < COUNT(o->letters))
        o->strings++; /* more need not be counted */
    o->in_string = false;
}

void rspawn_take(struct rspawn_output *o, struct view piece)
{
    if (!o->any && piece.len) {
        o->any = true;
        o->first = piece.data[0];
    }
    while (piece.len) {
        size_t len = view_find(piece, '\0');
        if (len)
            take_part(o, view_before(piece, len));
        if (len == piece.len)
            return;
        end_string(o);
        piece = view_from(piece, len + 1);
    }
}

/* A higher number is a better fate. */
static int goodness(char letter)
{
    return letter == DELIVERY_SUCCESS ? 2 : letter == DELIVERY_DEFERRAL ? 1 : 0;
}

/* What is said of the recipient outweighs what is said of the message. The text of
 * the message is left out where it would say better things than the result. */
static void report_output(struct bytes *report, const struct rspawn_output *o)
{
    /* without a word about the message nothing is known to be refused */
    char message = o->message_letter ? o->message_letter : DELIVERY_DEFERRAL;
    char result = o->first == 's'   ? DELIVERY_DEFERRAL
                  : o->first == 'h' ? DELIVERY_FAILURE
                                    : message;

    bytes_add_byte(report, result);
    if (o->strings >= 1)
        bytes_add(report, bytes_view(&o->texts[0]));
    if (o->strings >= 2 && is_message_letter(o->letters[1]) &&
        goodness(message) <= goodness(result))
        bytes_add(report, bytes_view(&o->texts[1]));
}

void rspawn_report(struct bytes *report, int status, const struct rspawn_output *o)
{
    if (!WIFEXITED(status))
        bytes_add_text(report, "Zqmail-remote crashed.\n");
    else if (WEXITSTATUS(status) == DIE_TEMP ||
             WEXITSTATUS(status) == DELIVERY_NOT_LOADED)
        bytes_add_text(report, "ZUnable to run qmail-remote.\n");
    else if (WEXITSTATUS(status) != 0)
        bytes_add_text(report, "DUnable to run qmail-remote.\n");
    else if (!o->any)
        bytes_add_text(report, "Zqmail-remote produced no output.\n");
    else
        report_output(report, o);
}

void rspawn_free(struct rspawn_output *o)
{
    for (size_t i = 0; i < COUNT(o->texts); i++)
        bytes_free(&o->texts[i]);
}
