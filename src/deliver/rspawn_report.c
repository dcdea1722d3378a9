#include "deliver/rspawn.h"

#include "base/die.h"
#include "base/heap.h"
#include "mail/delivery.h"

#include <string.h>
#include <sys/wait.h>

bool rspawn_expect(struct rspawn_output *o, size_t recipients)
{
    o->fates = heap_try(recipients, sizeof *o->fates);
    if (!o->fates)
        return false;
    o->recipients = recipients;
    memset(o->fates, 0, recipients * sizeof *o->fates);
    return true;
}

static bool is_message_letter(char c)
{
    return c == DELIVERY_SUCCESS || c == DELIVERY_DEFERRAL || c == DELIVERY_FAILURE;
}

static bool is_recipient_letter(char c)
{
    return c == 'r' || c == 'h' || c == 's';
}

/* Whether the string on its way is the fate of the next recipient. */
static bool is_fate(const struct rspawn_output *o)
{
    return o->told < o->recipients && is_recipient_letter(o->letter);
}

/* Where the text of the string on its way is kept, or NULL. */
static struct bytes *text_of_string(struct rspawn_output *o)
{
    if (!o->fates)
        return o->strings < COUNT(o->texts) ? &o->texts[o->strings] : NULL;
    if (is_fate(o))
        return &o->fates[o->told].text;
    return is_message_letter(o->letter) && !o->message_letter ? &o->texts[0] : NULL;
}

/* Adds to the text of the string on its way, as far as it is kept. */
static void keep(struct rspawn_output *o, struct view piece)
{
    struct bytes *text = text_of_string(o);
    if (!text)
        return;
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
    if (o->in_string && is_fate(o))
        o->fates[o->told++].letter = letter;
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

/* What is said of the recipient outweighs what is said of the message. */
static char result_of(char recipient, char message)
{
    return recipient == 's'   ? DELIVERY_DEFERRAL
           : recipient == 'h' ? DELIVERY_FAILURE
                              : message;
}

/* The text of the message is left out where it would say better things than the
 * result. */
static bool is_worth_saying(char message, char result)
{
    return goodness(message) <= goodness(result);
}

static void report_only(struct bytes *report, const struct rspawn_output *o)
{
    /* without a word about the message nothing is known to be refused */
    char message = o->message_letter ? o->message_letter : DELIVERY_DEFERRAL;
    char result = result_of(o->first, message);

    bytes_add_byte(report, result);
    if (o->strings >= 1)
        bytes_add(report, bytes_view(&o->texts[0]));
    if (o->strings >= 2 && is_message_letter(o->letters[1]) &&
        is_worth_saying(message, result))
        bytes_add(report, bytes_view(&o->texts[1]));
}

/* A message that was accepted was so for those of whom that is said. */
static void report_one(struct bytes *report, const struct rspawn_output *o,
                       size_t number)
{
    char message = o->message_letter ? o->message_letter : DELIVERY_DEFERRAL;
    if (number >= o->told && message == DELIVERY_SUCCESS) {
        bytes_add_text(report, "Zqmail-remote did not tell of this recipient.\n");
        return;
    }
    char recipient = number < o->told ? o->fates[number].letter : '\0';
    char result = result_of(recipient, message);
    bytes_add_byte(report, result);
    if (number < o->told)
        bytes_add(report, bytes_view(&o->fates[number].text));
    if (o->message_letter && is_worth_saying(message, result))
        bytes_add(report, bytes_view(&o->texts[0]));
}

void rspawn_report(struct bytes *report, int status, const struct rspawn_output *o,
                   size_t number)
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
    else if (o->fates)
        report_one(report, o, number);
    else
        report_only(report, o);
}

void rspawn_free(struct rspawn_output *o)
{
    for (size_t i = 0; i < COUNT(o->texts); i++)
        bytes_free(&o->texts[i]);
    for (size_t i = 0; i < o->recipients; i++)
        bytes_free(&o->fates[i].text);
    heap_free(o->fates);
}
