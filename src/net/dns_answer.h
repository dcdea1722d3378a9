/* dns_answer - what is in a DNS answer (RFC 1035, 4.1).
 *
 * Whoever answers may send anything: every length is checked against the end of
 * the answer before it is used, and compressed names can only lead backwards. */
#ifndef NET_DNS_ANSWER_H
#define NET_DNS_ANSWER_H

#include "net/ip.h"

enum dns_type { DNS_A = 1, DNS_PTR = 12, DNS_MX = 15, DNS_AAAA = 28 };

enum dns_result {
    DNS_FOUND,     /* there is at least one record */
    DNS_NO_RECORD, /* an answer, but no record of the type in it: a CNAME that leads
                      to none */
    DNS_NO_DATA,   /* the name has no record of the type */
    DNS_NO_NAME,   /* there is no such name */
    DNS_TEMPORARY  /* no answer, a refusal, an answer that is damaged, or an empty one
                      of a server that neither knows nor asks others */
};

/* A record; which of the parts count depends on the type that was asked for. */
struct dns_record {
    unsigned preference;      /* MX */
    size_t name_at, name_len; /* MX, PTR: where the name is in names; see below */
    struct ip_address ip;     /* A, AAAA */
};

/* Records in the order of the answer. {0} is valid and empty. */
struct dns_records {
    struct dns_record *list;
    size_t count, room;
    struct bytes names;
};

/* Reads an answer and appends the records of type to records, whatever name they
 * belong to: that they belong to the name asked for, through CNAMEs, is the name
 * server's business. Nothing is appended unless the result is DNS_FOUND. */
enum dns_result dns_answer_read(struct view answer, enum dns_type type,
                                struct dns_records *records);

/* Whether a server complains of the form of the query, as old ones do of EDNS. */
bool dns_answer_is_form_error(struct view answer);

/* The name of a record, labels joined by dots, without one at the end; the root is
 * empty. Good until records changes. */
struct view dns_record_name(const struct dns_records *records,
                            const struct dns_record *record);

/* Appends record, with its name. */
void dns_records_add(struct dns_records *records, const struct dns_record *record,
                     struct view name);

void dns_records_free(struct dns_records *records);

#endif
