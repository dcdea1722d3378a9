/* Histories, each made up from a number: the same number, the same history.
 *
 *   model FIRST COUNT    runs so many; prints the seed and the end of the trace of the
 *                        first that fails, exit 1; else the figures
 *   model -t SEED        runs one, and prints all of its trace */
#include "model.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int send_main(void);
void arena_reset(void);

/* The memory of qmail-send's objects, as the linker has put it together. */
extern char __start_model_data[], __stop_model_data[];
extern char __start_model_bss[], __stop_model_bss[];

enum { HISTORY_MAX_LIVES = 60, RELEASE_MS = 200000 };

struct sim sim;
struct plan plan;
static uint64_t lives, cuts, crashes, turns, calls, sent, deliveries;
static char *pristine;

/* There where coverage is measured, whose counts are in that memory. */
extern void __gcov_dump(void) __attribute__((weak));
extern void __gcov_reset(void) __attribute__((weak));

/* The process is new. */
static void reset_memory(void)
{
    if (__gcov_dump && __gcov_reset) {
        __gcov_dump();
        __gcov_reset();
    }
    size_t len = (size_t)(__stop_model_data - __start_model_data);
    if (!pristine) {
        pristine = malloc(len + 1);
        memcpy(pristine, __start_model_data, len);
    }
    memcpy(__start_model_data, pristine, len);
    memset(__start_model_bss, 0, (size_t)(__stop_model_bss - __start_model_bss));
    arena_reset();
}

void trace(const char *format, ...)
{
    if (!sim.trace)
        return;
    va_list list;
    va_start(list, format);
    printf("%12.3f %jd ", (double)sim.steady_ms / 1000, (intmax_t)wall_s());
    vprintf(format, list);
    printf("\n");
    va_end(list);
}

static char complaint[16384];

void violation(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(complaint, sizeof complaint, format, list);
    va_end(list);
    longjmp(sim.history, 1);
}

static int64_t exponential(int64_t from, int64_t to)
{
    int64_t n = from;
    while (n < to && chance(700000))
        n *= 3;
    return n < to ? n : to;
}

static void make_plan(void)
{
    bool calm = chance(400000); /* nothing fails: every time must be exact */
    plan = (struct plan){.length_ms = between(1, exponential(2000, 900000000)),
                         .answer_ms = exponential(10, 100000)};
    plan.deferrals = chance(200000) ? 900000 : below(500000);
    plan.failures = below(400000);
    plan.race = chance(500000) ? below(100000) : 0;
    plan.slow_disk = chance(200000) ? 100000 : 0;
    plan.flood = chance(5000);
    plan.garbage = chance(100000);
    plan.orders = chance(250000);
    plan.jumps = chance(100000);
    plan.signals = chance(400000);
    plan.controls = chance(200000);
    plan.trouble = chance(300000) ? 200000 : 0;
    plan.deaths = chance(100000);
    if (calm)
        return;
    plan.fault = chance(500000) ? (unsigned)exponential(300, 30000) : 0;
    plan.crash = chance(500000) ? (unsigned)exponential(100, 10000) : 0;
    plan.powercuts = chance(500000);
}

/* From the start of qmail-send to its end, whatever that is. */
static void live(void)
{
    reset_memory();
    life_begin(chance(900000) ? 1024 : below(300));
    world_begin_life();
    judge_begin_life();
    sim.alive = true;
    sim.power_cut = sim.exited = false;
    sim.exit_code = 0;
    lives++;
    trace("qmail-send starts");
    int way = setjmp(sim.life);
    if (way == 0) {
        sim.exit_code = send_main();
        way = 2;
    }
    sim.exited = way == 2;
    sim.alive = in_child = false;
    trace("qmail-send ends: %s", way == 2 ? "exits" : "is ended");
    judge_exit(sim.exit_code, sim.exited);
    crashes += way == 1;
    cuts += sim.power_cut;
    world_end_life();
    life_end();
    if (sim.power_cut) {
        world_power_cut();
        power_cut();
    }
    judge_end_life();
}

static void drain(void)
{
    if (!sim.draining) {
        trace("from now on everybody behaves");
        world_drain();
        /* who may not start anything must be started anew with other limits */
        if (sim.alive && (world_control("concurrencylocal") == 0 ||
                          world_control("concurrencyremote") == 0))
            send_signal(SIGTERM);
    }
}

/* What the history's plan says of the time, while qmail-send lives; called from the
 * loop. */
void history_turn(void)
{
    if (sim.steady_ms > sim.begun_ms + plan.length_ms)
        drain();
    if (!sim.draining)
        return;
    if (sim.steady_ms > sim.released_ms + RELEASE_MS) {
        sim.released_ms = sim.steady_ms;
        world_release();
    }
    if (judge_alive() == 0 && world_is_quiet() && !sim.told) {
        sim.told = true;
        send_signal(SIGTERM);
    }
}

static void history(void)
{
    sim.steady_ms = sim.begun_ms = 1000000;
    sim.offset_ms = INT64_C(1700000000) * 1000 + 137;
    sim.released_ms = 0;
    sim.turns = sim.calls = sim.events = 0;
    sim.alive = sim.draining = sim.calm = sim.told = false;
    kernel_reset();
    make_plan();
    judge_reset();
    world_reset();
    for (unsigned n = 0;; n++) {
        if (n == HISTORY_MAX_LIVES)
            drain();
        if (n > 2 * HISTORY_MAX_LIVES)
            violation("starts and starts");
        live();
        if (sim.told && judge_alive() == 0)
            break;
        sim.told = false;
        world_pass(between(0, exponential(10, 200000000)));
    }
    judge_drained();
}

/* Whether all is well. */
static bool run(uint64_t seed)
{
    sim.seed = seed;
    if (setjmp(sim.history)) {
        in_child = false;
        life_end();
        return false;
    }
    history();
    turns += sim.turns;
    calls += sim.calls;
    sent += message_count;
    for (unsigned i = 0; i < message_count; i++)
        for (unsigned r = 0; r < messages[i].count; r++)
            deliveries += messages[i].to[r].delivered;
    return true;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: model FIRST COUNT | model -t SEED\n");
        return 2;
    }
    sim.trace = strcmp(argv[1], "-t") == 0;
    uint64_t first = strtoull(argv[sim.trace ? 2 : 1], NULL, 10);
    uint64_t count = sim.trace ? 1 : strtoull(argv[2], NULL, 10);
    for (uint64_t i = 0; i < count; i++)
        if (!run(first + i)) {
            printf("seed %ju, history %ju: %s\n", (uintmax_t)(first + i),
                   (uintmax_t)i + 1, complaint);
            return 1;
        }
    reset_memory();
    printf("histories %ju lives %ju crashes %ju powercuts %ju turns %ju calls %ju "
           "messages %ju "
           "deliveries %ju\n",
           (uintmax_t)count, (uintmax_t)lives, (uintmax_t)crashes, (uintmax_t)cuts,
           (uintmax_t)turns, (uintmax_t)calls, (uintmax_t)sent, (uintmax_t)deliveries);
    return 0;
}
