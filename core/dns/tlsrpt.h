/* SPDX-License-Identifier: ISC
 *
 * dns/tlsrpt.h: reports of TLS (RFC 8460): the record that asks for them, what is counted for one,
 * and its text.
 *
 * Stands on base. Asks nobody and sends nothing. Bounded: what finds no place any more counts in
 * the sums of its policy, or, of a domain that finds none, not at all.
 */
#ifndef POSTERN_DNS_TLSRPT_H
#define POSTERN_DNS_TLSRPT_H

#include "dns/answer.h"

enum {
    TLSRPT_URIS_MOST = 8,               /* of one record */
    TLSRPT_DOMAINS_MOST = 4096,         /* counted at once */
    TLSRPT_POLICIES_MOST = 8,           /* of one domain in a day */
    TLSRPT_FAILURES_MOST = 20,          /* kinds of failure of one policy in a day */
    TLSRPT_POLICY_MOST = 2048,          /* octets of a policy's text that a report shows */
    TLSRPT_WORDS_MOST = 200,            /* octets of a reason, a name, an address */
    TLSRPT_SAVED_MOST = 48 * 1024,      /* octets of one domain's counts, saved */
    TLSRPT_TEXT_MOST = 256 * 1024,      /* octets of a report */
    TLSRPT_GZIP_MOST = 60 * 1024,       /* octets of one, compressed, that are sent */
};

/* ---- the record */

struct tlsrpt_record {
    struct bytes uris[TLSRPT_URIS_MOST];    /* each mailto: or https:, in their order */
    size_t n;
};

/* The one record among the TXT records of _smtp._tls.DOMAIN (3); its text is put behind what `to`
   holds, and *ret_record borrows from there. False: none, more than one, or it is wrong. */
MUST_USE bool tlsrpt_record_read(const struct dns_answer *answer, struct buffer *to,
                                 struct tlsrpt_record *ret_record);
/* The address of a mailto: URI without its %XX, behind what `to` holds. False: it has none, or one
   that no command could carry. */
MUST_USE bool tlsrpt_address_put(struct buffer *to, struct bytes uri);

/* ---- what is counted */

enum tlsrpt_policy { TLSRPT_TLSA, TLSRPT_STS, TLSRPT_NO_POLICY };

/* One session with a server, or the failure to have a policy. */
struct tlsrpt_session {
    struct bytes domain;        /* that is told: of the recipients; A-labels, lower case */
    struct bytes policy_domain; /* that has the policy, as the host with the TLSA records; empty:
                                   the same */
    enum tlsrpt_policy policy;
    struct bytes text;          /* of the policy: the lines of STS, or of TLSA records */
    struct bytes result;        /* as 4.3 calls it; empty: it went well */
    struct bytes host, ip;      /* whom we spoke with; empty: nobody */
    struct bytes sending_ip;    /* ours; may be empty */
    struct bytes reason;        /* words for people; may be empty */
};

struct tlsrpt;

/* `key`: of chance, for its table. NULL: memory is short. */
MUST_USE struct tlsrpt *tlsrpt_new(const uint8_t key[static 16]);
void tlsrpt_free(struct tlsrpt *tlsrpt);

void tlsrpt_count(struct tlsrpt *tlsrpt, const struct tlsrpt_session *session);

/* That domain's counts leave the one for the other, which has none of it. False: no place. */
MUST_USE bool tlsrpt_move(struct tlsrpt *from, size_t i, struct tlsrpt *to);

/* One domain's counts as octets, to be kept or told; and added to what was counted. False: these
   are no such octets, or there is no place. */
void tlsrpt_save_put(struct buffer *to, const struct tlsrpt *tlsrpt, size_t i);
MUST_USE bool tlsrpt_save_read(struct tlsrpt *tlsrpt, struct bytes saved);

/* How many domains were counted, and the name of each. */
size_t tlsrpt_domains(const struct tlsrpt *tlsrpt);
struct bytes tlsrpt_domain(const struct tlsrpt *tlsrpt, size_t i);

/* ---- the report */

struct tlsrpt_sender {
    struct bytes organisation, contact;     /* a name, and an address */
    struct bytes host;                      /* ours; part of the report's id */
    uint64_t from_ms, to_ms;                /* wall clock: of the day, its last second included */
};

/* The report for that domain as JSON (4.4), behind what `to` holds. */
void tlsrpt_put(struct buffer *to, const struct tlsrpt *tlsrpt, size_t i,
                const struct tlsrpt_sender *sender);
/* Its id: of the time it is about, the domain, and us. */
void tlsrpt_id_put(struct buffer *to, struct bytes domain, const struct tlsrpt_sender *sender);
/* How the sessions with that domain went, for people: a line for each policy, and one for each kind
   of failure. */
void tlsrpt_summary_put(struct buffer *to, const struct tlsrpt *tlsrpt, size_t i);
/* How many sessions failed with that domain. */
uint64_t tlsrpt_failed(const struct tlsrpt *tlsrpt, size_t i);
/* The same octets compressed (RFC 1952), behind what `to` holds. */
void tlsrpt_gzip_put(struct buffer *to, struct bytes text);
/* The name of its file (5.1): SENDER!DOMAIN!FROM!TO.json, seconds since 1970. */
void tlsrpt_name_put(struct buffer *to, struct bytes domain, const struct tlsrpt_sender *sender);

/* The letter that brings it (5.3), from that contact to that address, behind what `to` holds. Its
   header asks that no failure of TLS hold it back (RFC 8689, 5): else nobody would hear of one. */
struct tlsrpt_letter {
    struct bytes domain, id, file;
    struct bytes organisation, contact, host;
    struct bytes address;
    struct bytes gzip;
    uint64_t now_ms;            /* wall clock */
};
void tlsrpt_letter_put(struct buffer *to, const struct tlsrpt_letter *letter);

#endif
