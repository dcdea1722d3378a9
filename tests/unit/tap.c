#include "tap.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned count, failures;

void ok(bool passed, const char *name, const char *part)
{
    printf("%s %u - ", passed ? "ok" : "not ok", ++count);
    for (; *name; name++)
        putchar(*name < 32 || *name == '#' ? '?' : *name);
    printf("%s%s\n", part ? " " : "", part ? part : "");
    failures += !passed;
    fflush(stdout);
}

static void show(const char *label, struct view v)
{
    printf("# %s: \"", label);
    for (size_t i = 0; i < v.len && i < 400; i++) {
        unsigned char c = (unsigned char)v.data[i];
        if (c < 32 || c > 126 || c == '"' || c == '\\')
            printf("\\%03o", c);
        else
            putchar(c);
    }
    printf("\" (%zu bytes)\n", v.len);
}

void same(struct view got, struct view want, const char *name)
{
    bool equal = view_equal(got, want);
    ok(equal, name, NULL);
    if (!equal) {
        show("got ", got);
        show("want", want);
    }
}

void same_number(uint64_t got, uint64_t want, const char *name)
{
    ok(got == want, name, NULL);
    if (got != want)
        printf("# got %" PRIu64 ", want %" PRIu64 "\n", got, want);
}

char **tap_words(const char *text)
{
    enum { MAX_WORDS = 32 };
    static char *argv[MAX_WORDS + 1];
    static char copy[1024];
    size_t used = 0;

    if (text) {
        if (strlen(text) >= sizeof copy)
            abort();
        strcpy(copy, text);
        argv[used++] = copy;
        for (char *space = copy; (space = strchr(space, ' '));) {
            if (used == MAX_WORDS)
                abort();
            *space++ = '\0';
            argv[used++] = space;
        }
    }
    argv[used] = NULL;
    return argv;
}

static char scratch_path[64];
static pid_t scratch_owner;

static void remove_scratch(void)
{
    int status;
    if (getpid() != scratch_owner)
        return;
    pid_t pid = fork();
    if (pid == 0) {
        execlp("rm", "rm", "-rf", scratch_path, (char *)NULL);
        _exit(127);
    }
    if (pid > 0)
        waitpid(pid, &status, 0);
}

void scratch(void)
{
    strcpy(scratch_path, "/tmp/unit.XXXXXX");
    if (!mkdtemp(scratch_path) || chdir(scratch_path) == -1)
        skip_rest("no temporary directory");
    scratch_owner = getpid();
    atexit(remove_scratch);
}

void make_file(const char *path, struct view content)
{
    FILE *f = fopen(path, "w");
    if (!f || fwrite(content.data, 1, content.len, f) != content.len || fclose(f)) {
        perror(path);
        exit(2);
    }
}

struct view content_of(const char *path)
{
    static char content[1 << 20];
    FILE *f = fopen(path, "r");
    if (!f)
        return view_of("(absent)");
    size_t len = fread(content, 1, sizeof content, f);
    fclose(f);
    return view_at(content, len);
}

static void drain(int fd, struct bytes *out)
{
    char part[4096];
    ssize_t n;
    while ((n = read(fd, part, sizeof part)) > 0)
        if (out)
            bytes_add(out, view_at(part, (size_t)n));
}

int run_apart(void (*run)(void *arg), void *arg, struct bytes *out)
{
    int ends[2], status;
    fflush(stdout);
    if (pipe(ends) == -1)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], 1);
        dup2(ends[1], 2);
        close(ends[0]);
        close(ends[1]);
        run(arg);
        _exit(0);
    }
    close(ends[1]);
    drain(ends[0], out);
    close(ends[0]);
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

void skip_rest(const char *why)
{
    printf("ok %u # SKIP %s\n", ++count, why);
    exit(tap_done());
}

int tap_done(void)
{
    printf("1..%u\n", count);
    return failures ? 1 : 0;
}
