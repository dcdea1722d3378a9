/* queue_dirs - an empty queue for a test: a scratch directory with the directories in
 * which qmail-send's files are, all split ones made. */
#ifndef TESTS_UNIT_QUEUE_DIRS_H
#define TESTS_UNIT_QUEUE_DIRS_H

#include "conf.h"
#include "tap.h"

#include <stdio.h>
#include <sys/stat.h>

/* Messages of a test whose numbers are below least have a directory each, of their own
 * number: with a smaller conf-split the test is skipped. */
static inline void scratch_queue(unsigned least)
{
    static const char *const trees[] = {"info", "mess", "local", "remote"};
    char path[100];

    if (CONF_SPLIT < least)
        skip_rest("conf-split is too small for the names here");
    scratch();
    mkdir("todo", 0700), mkdir("bounce", 0700);
    for (size_t i = 0; i < sizeof trees / sizeof *trees; i++) {
        mkdir(trees[i], 0700);
        for (unsigned split = 0; split < CONF_SPLIT; split++) {
            snprintf(path, sizeof path, "%s/%u", trees[i], split);
            mkdir(path, 0700);
        }
    }
}

#endif
