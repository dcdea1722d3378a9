/* Any bytes as bounce/N, which a power cut may have left as it is, and a report: a
 * paragraph that is appended stands by itself behind what was there, and is there. */
#include "queue/order.h"

#include "fuzz.h"
#include "must.h"
#include "scratch.h"

/* The first line is the report. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct bytes paragraph, file;
    struct view in = input_of(data, len), report = view_cut(&in, '\n');
    struct queue_path path = queue_flat_path("bounce", SCRATCH_MESSAGE);

    scratch_enter();
    if (in.len)
        scratch_put(path, in);
    bytes_clear(&paragraph);
    note_paragraph(&paragraph, VIEW("a@h"), report);
    struct view note = bytes_view(&paragraph);
    must(note_append(SCRATCH_MESSAGE, note) && note_is_there(SCRATCH_MESSAGE, note));
    must(scratch_get(path, &file));
    struct view all = bytes_view(&file);
    must(view_starts(all, in) && view_ends(all, note));
    struct view between =
        view_before(view_from(all, in.len), all.len - in.len - note.len);
    struct view before = view_before(all, all.len - note.len);
    must(between.len <= 2);
    must(!in.len || view_ends(before, VIEW("\n\n")) || view_is(before, "\n"));
    must(in.len || between.len == 0);
    for (size_t i = 0; i < between.len; i++)
        must(between.data[i] == '\n');
    scratch_drop(path);
    scratch_leave();
    return 0;
}
