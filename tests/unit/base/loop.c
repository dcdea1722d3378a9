#include "base/loop.h"

#include "tap.h"

#include <unistd.h>

int main(void)
{
    static struct loop loop; /* kept to the end */
    int a[2], b[2], c[2];
    ok(pipe(a) == 0 && pipe(b) == 0 && pipe(c) == 0, "pipes", NULL);

    loop_begin(&loop);
    size_t of_a = loop_want(&loop, a[0], POLLIN);
    size_t of_b = loop_want(&loop, b[0], POLLIN);
    size_t of_c = loop_want(&loop, c[0], POLLIN);
    ok(write(c[1], "", 1) == 1, "written", NULL);
    ok(loop_wait(&loop), "waited", NULL);
    ok(!loop_ready(&loop, of_a) && !loop_ready(&loop, of_b), "not ready", NULL);
    ok(loop_ready(&loop, of_c), "ready", NULL);

    /* kept from turn to turn */
    same_number(loop_drop(&loop, of_a), of_c, "the last want moves");
    ok(loop_wait(&loop), "waited again", NULL);
    ok(loop_ready(&loop, of_a), "ready under its new number", NULL);
    ok(!loop_ready(&loop, of_b), "the other stays", NULL);
    same_number(loop_drop(&loop, of_b), of_b, "the last want itself");
    same_number(loop.count, 1, "wants left");
    same_number(loop_want(&loop, b[0], POLLIN), 1, "a new want");
    ok(!loop_ready(&loop, 1), "is not ready before the next wait", NULL);
    return tap_done();
}
