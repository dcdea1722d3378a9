#include "queue/clean.h"

#include "base/fd.h"

#include "tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ZEROS_30 "000000000000000000000000000000"
#define ZEROS_90 ZEROS_30 ZEROS_30 ZEROS_30

static const struct {
    const char *name, *text;
    bool valid;
    enum clean_deed deed;
    ino_t message;
} cases[] = {
    {"message", "foop/1091970", true, CLEAN_MESSAGE, 1091970},
    {"todo", "todo/7", true, CLEAN_TODO, 7},
    {"zero", "todo/0", true, CLEAN_TODO, 0},
    {"leading zeros", "foop/0012", true, CLEAN_MESSAGE, 12},
    {"99 bytes", "foop/" ZEROS_90 "0012", true, CLEAN_MESSAGE, 12},
    {"100 bytes", "foop/" ZEROS_90 "00012", false, 0, 0},
    {"largest", "foop/18446744073709551615", true, CLEAN_MESSAGE, UINT64_MAX},
    {"beyond the largest", "foop/18446744073709551616", false, 0, 0},
    {"empty", "", false, 0, 0},
    {"no number", "foop/", false, 0, 0},
    {"no slash", "todo7", false, 0, 0},
    {"other byte for the slash", "todo.7", false, 0, 0},
    {"other word", "mess/7", false, 0, 0},
    {"upper case", "FOOP/7", false, 0, 0},
    {"sign", "foop/+7", false, 0, 0},
    {"letter behind", "foop/7a", false, 0, 0},
    {"path", "foop/../7", false, 0, 0},
    {"split path", "foop/1/7", false, 0, 0},
    {"space", "todo/ 7", false, 0, 0},
    {"line feed", "todo/7\n", false, 0, 0},
};

static void make(const char *path)
{
    int fd = fd_open(path, O_WRONLY | O_CREAT, 0644);
    fd_close(&fd);
}

static bool there(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

/* Number 5 lies in mess/5, whatever conf-split is, as long as it is above 5. */
static void answers(void)
{
    char dir[] = "/tmp/clean.XXXXXX";
    if (!mkdtemp(dir) || chdir(dir) == -1 || mkdir("mess", 0755) == -1 ||
        mkdir("mess/5", 0755) == -1 || mkdir("intd", 0755) == -1 ||
        mkdir("todo", 0755) == -1)
        skip_rest("no temporary directory");

    make("intd/5"), make("todo/5"), make("mess/5/5");
    ok(clean_answer(VIEW("todo/5")) == CLEAN_DONE, "todo", "answer");
    ok(!there("intd/5") && !there("todo/5") && there("mess/5/5"), "todo", "files");
    make("intd/5"), make("todo/5");
    ok(clean_answer(VIEW("foop/5")) == CLEAN_DONE, "foop", "answer");
    ok(!there("intd/5") && there("todo/5") && !there("mess/5/5"), "foop", "files");
    ok(clean_answer(VIEW("foop/5")) == CLEAN_DONE, "nothing there", "answer");
    ok(clean_answer(VIEW("foop/5x")) == CLEAN_NO_REQUEST, "no request", "answer");

    /* a directory cannot be unlinked */
    make("mess/5/5"), mkdir("intd/5", 0755);
    ok(clean_answer(VIEW("foop/5")) == CLEAN_FAILED, "intd fails", "answer");
    ok(there("mess/5/5"), "intd fails", "message stays");
    ok(clean_answer(VIEW("todo/5")) == CLEAN_FAILED, "intd fails for todo", "answer");
    ok(there("todo/5"), "intd fails for todo", "todo stays");

    rmdir("intd/5"), unlink("mess/5/5"), unlink("todo/5");
    rmdir("mess/5"), rmdir("mess"), rmdir("intd"), rmdir("todo");
    ok(chdir("/") == 0 && rmdir(dir) == 0, "nothing else was made", NULL);
}

int main(void)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct clean_request request = {0};
        ok(clean_parse(view_of(cases[i].text), &request) == cases[i].valid,
           cases[i].name, "result");
        if (!cases[i].valid)
            continue;
        ok(request.deed == cases[i].deed, cases[i].name, "deed");
        same_number(request.message, cases[i].message, cases[i].name);
    }
    ok(!clean_parse((struct view){"foop/7\0", 7}, &(struct clean_request){0}),
       "NUL inside", NULL);
    answers();
    return tap_done();
}
