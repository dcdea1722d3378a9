#include "admin/splogger.h"

#include "tap.h"

static const struct {
    const char *name, *text, *entry;
    enum os_level level;
} lines[] = {
    {"plain", "new msg 7", "12.000345 new msg 7", OS_INFO},
    {"warning", "warning: x", "12.000345 warning: x", OS_WARNING},
    {"alert", "alert: x", "12.000345 alert: x", OS_ALERT},
    {"not at the start", "x warning: alert:", "12.000345 x warning: alert:", OS_INFO},
    {"other case", "Warning: x", "12.000345 Warning: x", OS_INFO},
    {"without a colon", "warning", "12.000345 warning", OS_INFO},
    {"unprintable", "a\tb\r\001\177\200\377~ ", "12.000345 a?b?????~ ", OS_INFO},
    {"percent", "%s%n", "12.000345 %s%n", OS_INFO},
};

static const struct {
    const char *name, *number;
    int want;
} facilities[] = {
    {"default", NULL, 16},      {"mail", "2", 16},
    {"local0", "16", 128},      {"zero", "0", 0},
    {"no number", "mail", 0},   {"empty", "", 0},
    {"too large", "999", 1016}, {"huge", "99999999999999999999", 1016},
};

static void whole_lines(struct bytes *entry)
{
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct splogger_line line = {0};
        ok(splogger_add(&line, view_of(lines[i].text), true, 12000345, entry),
           lines[i].name, "logged");
        same(bytes_view(entry), view_of(lines[i].entry), lines[i].name);
        ok(line.level == lines[i].level, lines[i].name, "level");
        ok(!line.begun, lines[i].name, "is over");
    }
    struct splogger_line line = {0};
    ok(!splogger_add(&line, VIEW(""), true, 1, entry), "empty line", NULL);
    ok(splogger_add(&line, VIEW("a\0b"), true, 1, entry), "NUL", "logged");
    same(bytes_view(entry), VIEW("0.000001 a?b"), "NUL");
}

static void pieces(struct bytes *entry)
{
    struct splogger_line line = {0};
    splogger_add(&line, VIEW("alert: one"), false, 5000001, entry);
    same(bytes_view(entry), VIEW("5.000001 alert: one"), "first piece");
    splogger_add(&line, VIEW("warning: two"), false, 7000002, entry);
    same(bytes_view(entry), VIEW("5.000001+warning: two"), "second piece");
    ok(line.level == OS_ALERT, "second piece", "level");
    splogger_add(&line, VIEW("three"), true, 8000003, entry);
    same(bytes_view(entry), VIEW("5.000001+three"), "third piece");
    splogger_add(&line, VIEW("next"), true, 9000004, entry);
    same(bytes_view(entry), VIEW("9.000004 next"), "next line");
    ok(line.level == OS_INFO, "next line", "level");
}

int main(void)
{
    struct bytes entry = {0};

    whole_lines(&entry);
    pieces(&entry);
    for (size_t i = 0; i < COUNT(facilities); i++)
        ok(splogger_facility(facilities[i].number) == facilities[i].want, "facility",
           facilities[i].name);
    bytes_free(&entry);
    return tap_done();
}
