/* Linked into every program of make coverage. Programs here end by _exit(2), by exec,
 * by signals that nobody catches, under other user ids, in other directories and with
 * no environment, so nothing is left to their end: the counters lie in a file that is
 * mapped from the start, and what was counted stays. COVERAGE_COUNTS is its directory,
 * which all may write in. The file is a raw profile as llvm-profdata reads it, one for
 * each program file: NAME,INODE,TIME.profraw. A program that cannot have its file runs
 * uncounted, and says nothing: it may be under test with no descriptor left. */
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

enum { MAX_PROFILE = 1 << 20, MAX_NAME = 4200 };

/* Nothing here is counted: it moves the counters. */
#pragma clang attribute push(__attribute__((no_profile_instrument_function)), \
                             apply_to = function)

/* Those of the compiler's runtime library. Its own start and end are not linked in
 * where __llvm_profile_runtime is there. */
int __llvm_profile_runtime;
extern intptr_t __llvm_profile_counter_bias;
uint64_t __llvm_profile_get_size_for_buffer(void);
int __llvm_profile_write_buffer(char *buffer);
char *__llvm_profile_begin_counters(void);
char *__llvm_profile_end_counters(void);

/* Whether the name of this program's file is in path, without what comes after TIME. */
static int name_file(char path[MAX_NAME])
{
    char exe[4000];
    struct stat st;
    ssize_t len = readlink("/proc/self/exe", exe, sizeof exe - 1);

    if (len <= 0 || stat("/proc/self/exe", &st) == -1)
        return 0;
    exe[len] = '\0';
    const char *name = strrchr(exe, '/');
    int n = snprintf(path, MAX_NAME, "%s/%.200s,%ju,%jd.%09ld.profraw",
                     TEXT(COVERAGE_COUNTS), name ? name + 1 : exe, (uintmax_t)st.st_ino,
                     (intmax_t)st.st_mtime, st.st_mtim.tv_nsec);
    return n > 0 && n < MAX_NAME - 100;
}

/* Where the counters are in the profile: the runtime does not tell, so they are marked
 * while it is written. They are all 0 in it, and here. */
static size_t write_profile(char *profile, size_t size)
{
    char *counters = __llvm_profile_begin_counters();
    size_t len = (size_t)(__llvm_profile_end_counters() - counters), at = 0;

    memset(counters, 0xa5, len);
    if (__llvm_profile_write_buffer(profile) == 0)
        for (at = size - len; at > 0 && memcmp(profile + at, counters, len) != 0; at--)
            ;
    memset(counters, 0, len);
    memset(profile + at, 0, at ? len : 0);
    return at;
}

/* Makes the file under a name of its own first: others may be about the same. */
static void make_file(const char *path, const char *profile, size_t size)
{
    char mine[MAX_NAME + 100];
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(mine, sizeof mine, "%s.%ld.%09ld", path, (long)getpid(), now.tv_nsec);
    int fd = open(mine, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd == -1)
        return;
    if (fchmod(fd, 0666) == 0 && write(fd, profile, size) == (ssize_t)size)
        link(mine, path);
    unlink(mine);
    close(fd);
}

__attribute__((constructor)) static void count_in_file(void)
{
    static char profile[MAX_PROFILE];
    char path[MAX_NAME];
    struct stat st;
    size_t size = __llvm_profile_get_size_for_buffer();

    if (size > sizeof profile || !name_file(path))
        return;
    size_t counters = write_profile(profile, size);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd == -1) {
        make_file(path, profile, size);
        fd = open(path, O_RDWR | O_CLOEXEC);
    }
    if (fd == -1)
        return;
    if (counters && fstat(fd, &st) == 0 && (size_t)st.st_size == size) {
        char *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (map != MAP_FAILED)
            __llvm_profile_counter_bias =
                (intptr_t)(map + counters) - (intptr_t)__llvm_profile_begin_counters();
    }
    close(fd);
}

#pragma clang attribute pop
