#include "admin/log.h"

#include "tap.h"

#include <stdlib.h>
#include <time.h>

static const struct {
    int64_t us;
    const char *want;
} spans[] = {
    {0, "0.000 s"},
    {1234567, "1.235 s"},
    {12345678, "12.3 s"},
    {61000000, "1 min 1 s"},
    {INT64_C(3725000000), "1 h 2 min"},
    {INT64_C(90000000000), "1 d 1 h"},
    {LOG_NO_TIME, "-"},
};

int main(void)
{
    struct bytes out = {0};

    setenv("TZ", "ABC-1", 1);
    tzset();
    for (size_t i = 0; i < COUNT(spans); i++) {
        bytes_clear(&out);
        log_add_span(&out, spans[i].us);
        same(bytes_view(&out), view_of(spans[i].want), "span");
    }
    bytes_clear(&out);
    log_add_time(&out, INT64_C(1700848292000042));
    same(bytes_view(&out), VIEW("2023-11-24 18:51:32.000042"), "local time");
    bytes_clear(&out);
    log_add_time(&out, LOG_NO_TIME);
    same(bytes_view(&out), VIEW("-"), "no time");
    bytes_clear(&out);
    log_json_time(&out, "a", INT64_C(1700848292000042));
    log_json_time(&out, "b", LOG_NO_TIME);
    log_json_span(&out, "c", 1500000);
    log_json_span(&out, "d", LOG_NO_TIME);
    log_json_ratio(&out, "e", 0.25);
    same(bytes_view(&out),
         VIEW("\"a\":\"2023-11-24T17:51:32.000042Z\",\"b\":null,\"c\":1.500000,"
              "\"d\":null,\"e\":0.250"),
         "JSON");
    bytes_clear(&out);
    log_add_safe(&out, VIEW("a\x1b\n\xff\0b"));
    same(bytes_view(&out), VIEW("a????b"), "a terminal's text");
    ok(log_span(5, 9) == 4 && log_span(9, 5) == LOG_NO_TIME &&
           log_span(LOG_NO_TIME, 5) == LOG_NO_TIME && log_span(5, 5) == 0,
       "span", "between times");
    bytes_free(&out);
    return tap_done();
}
