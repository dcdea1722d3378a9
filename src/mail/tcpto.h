/* tcpto - the timeout table: addresses that did not answer of late.
 *
 * qmail-remote asks before it connects and tells what came of it; qmail-rspawn
 * clears it when it starts; qmail-tcpto shows it, qmail-tcpok clears it.
 * queue/lock/tcpto holds 64 records of 16 bytes for IPv4, queue/lock/tcpto6 64 of 32
 * bytes for IPv6: address, count, time of the last timeout that was counted (32 bits,
 * little endian), zeros between. Count 0: unused. Everybody takes an exclusive lock. */
#ifndef MAIL_TCPTO_H
#define MAIL_TCPTO_H

#include "mail/queue_dir.h"
#include "net/ip.h"

enum {
    TCPTO_RECORDS = 64,
    TCPTO_MAX_COUNT = 10,
    TCPTO_SKIP_COUNT = 2,      /* as many timeouts, and the address is left alone */
    TCPTO_SAME_TIMEOUT_S = 120 /* a timeout this soon after another is the same */
};

/* A table in memory, and the locked file it was read from. */
struct tcpto_table {
    enum ip_family family;
    int fd;     /* -1: no file behind it */
    size_t len; /* bytes of whole records */
    unsigned char data[QUEUE_TCPTO6_SIZE];
};

struct tcpto_record {
    struct ip_address ip;
    unsigned count;
    uint32_t when; /* seconds since 1970, modulo 2^32 */
};

/* How far one got with the file. */
enum tcpto_result {
    TCPTO_DONE,
    TCPTO_NOT_OPENED,
    TCPTO_NOT_LOCKED,
    TCPTO_NOT_READ,
    TCPTO_NOT_CLEARED
};

/* The name of the family's table, relative to the queue directory. */
const char *tcpto_path(enum ip_family family);

/* Opens the table in directory queue, waits for its lock and reads it. Without
 * TCPTO_DONE errno says why and there is nothing to close. */
enum tcpto_result tcpto_open(struct tcpto_table *t, const char *queue,
                             enum ip_family family);
void tcpto_close(struct tcpto_table *t);

/* Record number i; false behind the last whole one. */
bool tcpto_record(const struct tcpto_table *t, size_t i, struct tcpto_record *record);

/* Seconds since the record's time. A time to come, after the clock was set back,
 * counts as very long ago. */
uint32_t tcpto_age(const struct tcpto_record *record, int64_t now);

enum tcpto_state {
    TCPTO_UNLISTED,
    TCPTO_LISTED,
    TCPTO_SKIP /* listed, and not to be tried now */
};

/* What the table says of ip. Which part of 3840 to 5824 seconds an address is left
 * alone depends on the process, so that not all try again at once. */
enum tcpto_state tcpto_state(const struct tcpto_table *t, const struct ip_address *ip,
                             int64_t now, pid_t pid);

/* Counts a timeout of ip, or takes note that it answered. Writes the record that
 * changes to the file behind t; a failure there loses the note and nothing else. */
void tcpto_count(struct tcpto_table *t, const struct ip_address *ip, int64_t now);
void tcpto_answered(struct tcpto_table *t, const struct ip_address *ip);

/* Puts zeros in place of the family's table, under its lock. Without TCPTO_DONE errno
 * says why. */
enum tcpto_result tcpto_clear(const char *queue, enum ip_family family);

#endif
