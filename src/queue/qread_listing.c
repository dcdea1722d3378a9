#include "queue/qread.h"

#include "base/json.h"
#include "mail/date.h"

/* Appends v from byte number start on, made fit for a terminal. */
static void make_printable(struct bytes *out, size_t start)
{
    for (size_t i = start; i < out->len; i++)
        if (out->data[i] < ' ' || out->data[i] > '~')
            out->data[i] = '_';
}

static void add_text(struct bytes *out, const struct qread_message *m)
{
    date_add_plain(out, m->birth);
    bytes_add_text(out, " GMT  #");
    bytes_add_number(out, m->number);
    bytes_add_text(out, "  ");
    bytes_add_number(out, m->size);
    bytes_add_text(out, "  <");
    size_t start = out->len;
    bytes_add(out, m->sender);
    make_printable(out, start);
    bytes_add_text(out, m->bouncing ? ">  bouncing\n" : "> \n");
}

static void add_json(struct bytes *out, const struct qread_message *m)
{
    struct bytes birth = {0};

    date_add_internet(&birth, m->birth);
    bytes_add_byte(out, '{');
    json_add_number(out, "number", m->number);
    json_add_text(out, "birth", bytes_view(&birth));
    json_add_name(out, "birth_seconds");
    bytes_add_format(out, "%lld", (long long)m->birth);
    json_add_number(out, "size", m->size);
    json_add_text(out, "sender", m->sender);
    json_add_bool(out, "bouncing", m->bouncing);
    json_add_name(out, "recipients");
    bytes_add_byte(out, '[');
    bytes_free(&birth);
}

void qread_add_message(struct bytes *out, enum qread_form form,
                       const struct qread_message *m)
{
    if (form == QREAD_TEXT)
        add_text(out, m);
    else
        add_json(out, m);
}

void qread_add_record(struct bytes *out, enum qread_form form, const char *channel,
                      struct view record)
{
    if (!record.len || (record.data[0] != 'T' && record.data[0] != 'D'))
        return;
    bool done = record.data[0] == 'D';
    struct view address = view_from(record, 1);

    if (form == QREAD_JSON) {
        json_add_comma(out);
        bytes_add_byte(out, '{');
        json_add_text(out, "channel", view_of(channel));
        json_add_text(out, "address", address);
        json_add_bool(out, "done", done);
        bytes_add_byte(out, '}');
        return;
    }
    bytes_add_text(out, done ? "  done\t" : "\t");
    bytes_add_text(out, channel);
    bytes_add_byte(out, '\t');
    size_t start = out->len;
    bytes_add(out, address);
    make_printable(out, start);
    bytes_add_byte(out, '\n');
}

void qread_end_message(struct bytes *out, enum qread_form form)
{
    if (form == QREAD_JSON)
        bytes_add_text(out, "]}\n");
}
