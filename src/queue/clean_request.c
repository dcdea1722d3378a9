#include "queue/clean.h"

#include "base/file.h"
#include "mail/queue_dir.h"

enum read_result clean_next_request(struct reader *requests, struct bytes *text)
{
    enum read_result result = reader_until(requests, '\0', CLEAN_MAX_REQUEST + 1, text);
    if (result == READ_TOO_LONG)
        result = reader_skip_past(requests, '\0');
    return result;
}

bool clean_parse(struct view text, struct clean_request *request)
{
    static const struct {
        const char *word;
        enum clean_deed deed;
    } words[] = {{"foop/", CLEAN_MESSAGE}, {"todo/", CLEAN_TODO}};

    if (text.len > CLEAN_MAX_REQUEST)
        return false;
    for (size_t i = 0; i < COUNT(words); i++) {
        struct view word = view_of(words[i].word);
        if (!view_starts(text, word))
            continue;
        struct view number = view_from(text, word.len);
        while (number.len > 1 && number.data[0] == '0')
            number = view_from(number, 1);
        request->deed = words[i].deed;
        return queue_number(number, &request->message);
    }
    return false;
}

/* intd/N goes first: as long as it is there mess/S/N or todo/N is, too, and
 * leads whoever looks for remains to it. */
enum clean_letter clean_answer(struct view text)
{
    struct clean_request request;

    if (!clean_parse(text, &request))
        return CLEAN_NO_REQUEST;
    struct queue_path intd = queue_flat_path("intd", request.message);
    struct queue_path last = request.deed == CLEAN_MESSAGE
                                 ? queue_split_path("mess", request.message)
                                 : queue_flat_path("todo", request.message);
    return file_remove(intd.text) && file_remove(last.text) ? CLEAN_DONE : CLEAN_FAILED;
}
