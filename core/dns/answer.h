/* SPDX-License-Identifier: ISC
 *
 * dns/answer.h: what a validating resolver says to a question, and the records in it.
 *
 * Stands on base. An answer is one of six things and never less: who decides what becomes of a
 * letter must say what it does for each (RFC 4035, 4.3; RFC 7672, 2.1).
 */
#ifndef POSTERN_DNS_ANSWER_H
#define POSTERN_DNS_ANSWER_H

#include "base/buffer.h"
#include "base/bytes.h"
#include "dns/name.h"

/* Types of records (RFC 1035, 3596, 6698), as on the wire. */
enum dns_type {
    DNS_A = 1, DNS_CNAME = 5, DNS_PTR = 12, DNS_MX = 15, DNS_TXT = 16, DNS_AAAA = 28, DNS_TLSA = 52,
};

enum dns_verdict {
    DNS_SECURE = 1,     /* there are records, and signatures from the root down prove it */
    DNS_INSECURE,       /* there are records; nobody signed them */
    DNS_BOGUS,          /* signatures are there and are wrong: nothing of it may be used */
    DNS_NXDOMAIN,       /* there is no such name */
    DNS_NODATA,         /* the name has no record of that type */
    DNS_FAILED,         /* it could not be found out: time-out, SERVFAIL, REFUSED, anything else */
    DNS_VERDICTS,
};

enum {
    DNS_RECORDS_MOST = 100,             /* of one answer; more are not looked at */
    DNS_ANSWER_MOST = 32 * 1024,        /* octets of all of them: fits one frame */
    DNS_TTL_MOST = 86400,               /* seconds; a longer one counts as this (RFC 8767, 4) */
};

struct dns_answer {
    enum dns_verdict verdict;
    bool proved;            /* NXDOMAIN, NODATA: signatures prove that nothing is there */
    uint32_t ttl;           /* seconds it may be kept, at most DNS_TTL_MOST */
    struct bytes canonical; /* the name at the end of the CNAMEs; empty: the one asked for */
    struct bytes records;   /* the data of each record as a block (u32 length, octets) */
};

/* Are there records that may be used? */
static inline bool dns_found(const struct dns_answer *answer)
{
    return answer->verdict == DNS_SECURE || answer->verdict == DNS_INSECURE;
}
/* Is it known, whether proved or not, that nothing is there? */
static inline bool dns_is_negative(const struct dns_answer *answer)
{
    return answer->verdict == DNS_NXDOMAIN || answer->verdict == DNS_NODATA;
}

/* "secure", "nxdomain" and so on. */
const char *dns_verdict_name(enum dns_verdict verdict);

/* An answer as octets, for frames and events: put, and read from all of the text. False: it is
   none, or says what cannot be (records in a negative answer, say). Borrows. */
void dns_answer_put(struct buffer *to, const struct dns_answer *answer);
MUST_USE bool dns_answer_read(struct bytes text, struct dns_answer *ret_answer);

/* The next record's data, cut from *rest; false when there is none. What is no list of blocks ends
   it early. */
bool dns_next_record(struct bytes *rest, struct bytes *ret_data);

/* The addresses of A or AAAA records, IPv4 mapped; those of another length are left out. Returns
   how many were put, at most `most`. */
size_t dns_addresses(const struct dns_answer *answer, uint8_t (*ret_ips)[16], size_t most);

/* The strings of one TXT record, joined (RFC 7208, 3.3), behind what `to` holds; false: it is no
   TXT record, or too long for `to`. */
MUST_USE bool dns_text(struct bytes data, struct buffer *to);

/* A TLSA record (RFC 6698, 2.1). False: shorter than its three numbers and one octet. Borrows. */
struct dns_tlsa {
    uint8_t usage, selector, matching;
    struct bytes data;
};
MUST_USE bool dns_tlsa_read(struct bytes data, struct dns_tlsa *ret_tlsa);

#endif
