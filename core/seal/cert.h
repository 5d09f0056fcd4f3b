/* SPDX-License-Identifier: ISC
 *
 * seal/cert.h: what a path of certificates proves: RFC 1422's hierarchy (IPRA, PCA, CA, user), and
 * direct trust as RIPEM has it.
 */
#ifndef POSTERN_SEAL_CERT_H
#define POSTERN_SEAL_CERT_H

#include "seal/keyring.h"

enum { CERT_PATH_MOST = 10, CERT_TRIES_MOST = 100 };

/* Better before worse: a path has the status of its worst member. */
enum cert_status {
    CERT_VALID,
    CERT_REVOCATION_UNKNOWN,        /* there is no list of its issuer */
    CERT_PENDING,                   /* not yet valid */
    CERT_EXPIRED,
    CERT_CRL_EXPIRED,               /* its issuer's list should have been followed by a newer one */
    CERT_CRL_OUT_OF_SEQUENCE,       /* that list is from the future, or its dates are reversed */
    CERT_UNVALIDATED,               /* no path from whom we trust; or it broke a rule */
    CERT_REVOKED,
    CERT_STATUSES
};
/* "VALID", "REVOCATION UNKNOWN", ... */
const char *cert_status_name(enum cert_status status);

/* Why a step has its status; CERT_BECAUSE_STATUS when the status says all. */
enum cert_because {
    CERT_BECAUSE_STATUS,
    CERT_BECAUSE_NO_ISSUER,         /* no certificate of its issuer is known */
    CERT_BECAUSE_SIGNATURE,         /* self-signed, and the signature is wrong */
    CERT_BECAUSE_UNTRUSTED,         /* the path is whole, but nobody said to trust its end */
    CERT_BECAUSE_DEPTH,             /* more certificates below an issuer than it may vouch for */
    CERT_BECAUSE_NOT_AUTHORITY,     /* it certified another, and may not */
    CERT_BECAUSE_NAME,              /* its subject's name is not below its issuer's */
    CERT_BECAUSE_CRITICAL,          /* a critical extension is not understood */
    CERT_BECAUSE_ALGORITHM,         /* signed by an algorithm that is not read here */
    CERT_BECAUSES
};
const char *cert_because_words(enum cert_because because);

struct cert_step {
    struct x509 cert;
    enum cert_status status;
    enum cert_because because;
    int64_t revoked_when;           /* when REVOKED */
    bool weak;                      /* signed with MD2, MD5 or SHA1, or a key below 2048 bits */
};

/* steps[0] is whom it is about, steps[n - 1] the one who is trusted (or where the path breaks). */
struct cert_path {
    struct cert_step steps[CERT_PATH_MOST];
    size_t n;
    enum cert_status status;
    bool trusted;                   /* it ends at a key of whom somebody said so */
};

struct cert_rules {
    int64_t now;                    /* seconds since 1970 */
    bool subordinate;               /* RFC 1422: a subject's name must be below its issuer's */
};

/* The best path from `leaf` to a trusted key, through the ring's certificates and those that came
   with the message. Slices borrow from all three. */
void cert_judge(const struct keyring *ring, const struct x509 *leaf, const struct x509 *more,
                size_t more_n, const struct cert_rules *rules, struct cert_path *ret_path);

/* A list of revoked certificates came in: may it be kept? Only when its issuer's certificate is
   known, its signature is right, and it is not older than what is kept (then UNVALIDATED, CRL OUT
   OF SEQUENCE); VALID or CRL EXPIRED are to be kept. RFC 1424, 2.2. */
enum cert_status cert_judge_crl(const struct keyring *ring, const struct x509_crl *crl,
                                const struct x509 *more, size_t more_n,
                                const struct cert_rules *rules);

#endif
