#include "admin/log_count.h"

#include "tap.h"

static struct log_series s;

static uint64_t messages(void)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < s.count; i++)
        sum += s.bins[i].messages;
    return sum;
}

static double held(enum log_channel channel)
{
    double sum = 0;
    for (size_t i = 0; i < s.count; i++)
        sum += s.bins[i].held_us[channel];
    return sum;
}

static void put(int64_t seconds)
{
    log_series_at(&s, seconds * LOG_SECOND_US)->messages++;
}

int main(void)
{
    static const uint64_t running[LOG_CHANNELS] = {2, 5};

    put(1000000);
    put(1000000);
    put(1000003);
    same_number(s.count, 4, "bins");
    same_number(s.bins[0].messages, 2, "first bin");
    same_number(s.bins[3].messages, 1, "last bin");
    put(999999);
    same_number(s.count, 5, "bins to the left");
    same_number(s.bins[1].messages, 2, "which was first");

    for (int64_t at = 1000000; at < 1000512; at++)
        put(at);
    same_number((uint64_t)s.width_us, 2 * LOG_SECOND_US, "twice as wide");
    same_number(messages(), 516, "nothing is lost");
    same_number(s.bins[1].messages, 4, "two bins are one");
    put(2000000);
    put(0);
    same_number(messages(), 518, "nothing is lost over a long time");
    ok(s.count <= LOG_BINS, "bins are bounded", NULL);
    put(253402300799);
    put(5);
    same_number(messages(), 520, "nor over all the time there is");
    ok(s.count <= LOG_BINS, "bins are bounded", "again");

    s = (struct log_series){0};
    log_series_hold(&s, 1500000, 3750000, running);
    ok(held(LOG_LOCAL) == 2 * 2250000.0 && held(LOG_REMOTE) == 5 * 2250000.0, "held",
       NULL);
    same_number(s.count, 3, "held over bins");
    ok(s.bins[1].held_us[LOG_REMOTE] == 5000000.0 && s.bins[1].peak[LOG_REMOTE] == 5,
       "held through a bin", NULL);
    log_series_hold(&s, 3750000, INT64_C(4000000000000), running);
    ok(s.count <= LOG_BINS, "held for weeks", NULL);
    ok(held(LOG_LOCAL) == 2 * (4000000000000.0 - 1500000.0), "held for weeks", "sum");
    log_series_hold(&s, 5, 5, running);
    ok(held(LOG_LOCAL) == 2 * (4000000000000.0 - 1500000.0), "held for no time", NULL);
    return tap_done();
}
