/* SPDX-License-Identifier: ISC
 *
 * dns/checkup.h: how a domain's mail is found and protected, as facts and in one verdict: its MX
 * records, DNSSEC, DANE, MTA-STS and TLSRPT, what its hosts said when they were called on, and how
 * we ourselves look to them.
 *
 * Stands on base and mail. Asks nobody: who asked fills in what was said. All that strangers said
 * is bounded, and is made safe for a terminal when it is told.
 */
#ifndef POSTERN_DNS_CHECKUP_H
#define POSTERN_DNS_CHECKUP_H

#include "dns/channel.h"
#include "dns/mx.h"

enum {
    CHECKUP_VISITS_MOST = 6,        /* addresses of a host that are called on */
    CHECKUP_WORDS_MOST = 512,       /* octets of what a stranger said, each time */
    CHECKUP_NAMES_MOST = 8192,      /* of the names in a certificate */
    CHECKUP_FINDINGS_MOST = 32,
};

/* How far a visit at one address came. */
enum checkup_end {
    CHECKUP_NOT_VISITED,
    CHECKUP_BARRED,         /* a name may not lead there (dns/guard.h) */
    CHECKUP_NOBODY,         /* no connection */
    CHECKUP_SILENT,         /* a connection, and then no answer in time, or it was cut */
    CHECKUP_REFUSED,        /* it will not speak with us, or speaks no SMTP */
    CHECKUP_TLS_BROKE,      /* STARTTLS, and the handshake failed */
    CHECKUP_SPOKEN,         /* to the end */
};

struct checkup_proof {
    bool well;
    const char *words;      /* else: what is wrong; static */
};

struct checkup_visit {
    uint8_t ip[16];
    enum checkup_end end;
    struct buffer why;          /* not BARRED, not SPOKEN: ours, or a stranger's octets */
    struct buffer greeting;     /* the first line; a stranger's octets */
    struct buffer extensions;   /* offered and known to us, a blank after each */
    bool tls_offered, tls;
    struct buffer version, cipher;
    /* its certificate; chain 0: none was shown */
    size_t chain;
    struct buffer names;        /* each a block; a stranger's octets */
    bool names_it;              /* one of them is the host's */
    uint64_t from_ms, until_ms;
    struct checkup_proof by_name, by_tlsa;
};

struct checkup_host {
    struct bytes name;
    uint16_t preference;
    size_t addresses;
    bool address_secure;        /* nothing that was found is unsigned */
    enum dns_verdict tlsa;      /* 0: not asked for, as addresses are not signed */
    size_t tlsa_usable;
    bool sts_allows;
    struct checkup_visit visits[CHECKUP_VISITS_MOST];
    size_t visits_n;
    struct channel channel;     /* by checkup_judge */
};

/* One of the addresses that we call from. */
struct checkup_ours {
    bool known;
    bool inside;                /* of a private network: the world sees another */
    uint8_t ip[16];
    enum dns_verdict ptr;       /* 0: not asked */
    struct buffer name;         /* what it says */
    bool confirmed;             /* and that name leads back here */
    enum dns_verdict hello;     /* of the addresses of our name; 0: not asked */
    bool hello_fits;            /* this is one of them */
};

/* What is wrong, and what is worth to be known; words in checkup_fault.def. */
enum checkup_fault {
#define F(fault, word, side, what, how) CHECKUP_FAULT_##fault,
#include "dns/checkup_fault.def"
    CHECKUP_FAULT_LIST(F)
#undef F
    CHECKUP_FAULTS,
};

struct checkup_finding {
    enum checkup_fault fault;
    const struct checkup_host *host;    /* NULL: of the domain, or of us */
    const struct checkup_visit *visit;  /* NULL: of the host */
    const struct checkup_ours *ours;    /* of us */
};

struct checkup {
    struct bytes domain;
    struct bytes hello;         /* our name, as we say it */
    uint64_t now_ms;            /* wall clock */
    enum channel_policy policy; /* what the configuration asks for there */
    enum mx_verdict mx;
    bool mx_secure, mx_bogus;
    struct checkup_host hosts[MX_HOSTS_MOST];
    size_t n;
    bool visited;               /* the hosts were called on */
    bool sts_announced;         /* by a record */
    bool sts_held;              /* its policy was had */
    enum sts_mode sts;
    uint32_t sts_age;           /* max_age, seconds */
    const char *sts_why;        /* announced and not had: why */
    bool tlsrpt;                /* it wants reports */
    struct checkup_ours ours[2];    /* IPv4, IPv6 */
    /* by checkup_judge */
    struct checkup_finding findings[CHECKUP_FINDINGS_MOST];
    size_t findings_n;
};

enum checkup_verdict {
    CHECKUP_DANE = 1,       /* every host that may be used is proved by TLSA records */
    CHECKUP_STS,            /* ... or by an authority, as a policy asks */
    CHECKUP_OPEN,           /* some host may be spoken with unproved: who sits between can listen */
    CHECKUP_CLEAR,          /* ... or has no TLS at all: who only looks on can read */
    CHECKUP_UNREACHED,      /* no host answers */
    CHECKUP_SHUT,           /* those that answer will not speak with us */
    CHECKUP_WAITS,          /* no host may be used as things stand */
    CHECKUP_NO_MAIL,        /* the domain says that it takes none, or is not there */
    CHECKUP_UNKNOWN,        /* the DNS could not be asked */
};

/* What somebody typed as the domain, as A-labels in lower case, behind what `to` holds. False: it
   is none. */
MUST_USE bool checkup_domain_put(struct buffer *to, struct bytes word);

/* The name under which the PTR record of an address stands (RFC 1035, 3.5; RFC 3596, 2.5). */
void checkup_ptr_name_put(struct buffer *to, const uint8_t ip[static 16]);

/* An empty visit at that address; and its memory back. */
struct checkup_visit checkup_visit_of(const uint8_t ip[static 16]);
void checkup_visit_done(struct checkup_visit *visit);

/* Decides for each host what a connection to it must be (dns/channel.h), before it is called on. */
void checkup_decide(struct checkup *checkup);
/* ... and what all that was found comes to. Without visits it is what the DNS alone says. */
enum checkup_verdict checkup_judge(struct checkup *checkup);

/* For people, in lines, the verdict last; or one JSON object and a line end. After
   checkup_judge. */
void checkup_put_text(struct buffer *to, const struct checkup *checkup,
                      enum checkup_verdict verdict);
void checkup_put_json(struct buffer *to, const struct checkup *checkup,
                      enum checkup_verdict verdict);

#endif
