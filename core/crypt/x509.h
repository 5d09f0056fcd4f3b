/* SPDX-License-Identifier: ISC
 *
 * crypt/x509.h: certificates (X.509 v1 to v3) and lists of revoked ones (v1, RFC 1422 3.5.2; what a
 * v2 list adds is passed over) of RSA keys: read, checked and made.
 *
 * One certificate is looked at here; what a path of them proves is seal/cert.h's. All slices borrow
 * from the DER that was read.
 */
#ifndef POSTERN_CRYPT_X509_H
#define POSTERN_CRYPT_X509_H

#include "crypt/digest.h"
#include "crypt/dname.h"
#include "crypt/rsa.h"

enum { X509_MOST = 65536, X509_CRL_MOST = 1 << 20, X509_SERIAL_MOST = 64 };

/* What a key may be used for, by its certificate; a v1 certificate says nothing: all. */
enum x509_use {
    X509_MAY_SIGN = 1 << 0,             /* messages */
    X509_MAY_ENCIPHER = 1 << 1,         /* keys for this subject */
    X509_MAY_CERTIFY = 1 << 2,
    X509_MAY_REVOKE = 1 << 3,           /* sign lists of revoked certificates */
};

struct x509 {
    struct bytes der, signed_part;
    unsigned version;                   /* 1 to 3 */
    struct bytes serial;                /* the content of its INTEGER; may be negative or zero */
    struct bytes issuer, subject;       /* names, crypt/dname.h */
    int64_t not_before, not_after;      /* seconds since 1970 */
    struct bytes key_der;               /* SubjectPublicKeyInfo */
    struct rsa_public key;
    bool digest_known;                  /* false: signed with what is not read here */
    enum digest_kind digest;            /* of its signature */
    struct bytes signature;
    unsigned uses;                      /* of enum x509_use */
    uint32_t below_most;                /* authorities below it, when it certifies */
    bool critical;                      /* a critical extension is not understood: trust nothing */
    struct bytes alternative;           /* subjectAltName's list, empty when it has none */
};

/* What is wrong with a text that should be a certificate or a list; a sentence's second half. */
enum x509_flaw {
    X509_WELL, X509_NOT_DER, X509_BAD_VERSION, X509_BAD_SERIAL, X509_BAD_ALGORITHM, X509_BAD_NAME,
    X509_BAD_TIME, X509_BAD_KEY, X509_BAD_EXTENSION, X509_TOO_LONG,
    X509_FLAWS
};
const char *x509_flaw_words(enum x509_flaw flaw);

/* Exactly one certificate. *ret_cert is written only for X509_WELL. */
MUST_USE enum x509_flaw x509_read(struct bytes der, struct x509 *ret_cert);
/* Is the certificate's signature by that key? Neither names nor dates are looked at. */
MUST_USE bool x509_signed_by(const struct x509 *cert, struct rsa_public key);
/* Issuer and subject are one name. */
bool x509_is_self_issued(const struct x509 *cert);
/* Step through the mail addresses of subjectAltName: false at the end. *rest begins as
   cert->alternative. */
bool x509_next_mailbox(struct bytes *rest, struct bytes *ret_mailbox);

/* Two serial numbers as integers, each the content of an INTEGER or octets of a number. */
bool x509_serial_equal(struct bytes a, struct bytes b);
/* In hex, upper case, of even length, without an octet that only holds the sign: RFC 1421, 4.6.2.
   A negative one is written in its two's complement. */
void x509_put_serial(struct buffer *to, struct bytes serial);

/* ---- making */

struct x509_plan {
    unsigned version;                   /* 1 or 3 */
    enum digest_kind digest;            /* MD2 and MD5 only for the profiles of old */
    enum rsa_form key_form;             /* RSA_SPKI or RSA_SPKI_1989 */
    struct bytes serial;                /* octets of a number that is not negative */
    struct bytes issuer, subject;
    int64_t not_before, not_after;
    bool authority;                     /* v3: it may certify, and sign lists */
    struct bytes mailbox;               /* v3: stands in subjectAltName, unless empty */
};

/* A certificate of `key` behind what `to` holds, signed by the issuer's key. */
MUST_USE bool x509_make(const struct x509_plan *plan, struct rsa_public key,
                        const struct rsa_private *issuer, struct buffer *to);

/* ---- lists of revoked certificates */

struct x509_crl {
    struct bytes der, signed_part;
    struct bytes issuer;
    int64_t last_update, next_update;   /* next_update == 0: the list does not say */
    struct bytes revoked;               /* entries; see x509_crl_next */
    size_t revoked_n;
    bool digest_known;
    enum digest_kind digest;
    struct bytes signature;
    bool critical;                      /* v2: a critical extension is not understood */
};

struct x509_revoked {
    struct bytes serial;
    int64_t when;
};

MUST_USE enum x509_flaw x509_crl_read(struct bytes der, struct x509_crl *ret_crl);
MUST_USE bool x509_crl_signed_by(const struct x509_crl *crl, struct rsa_public key);
/* Step through the entries: false at the end. *rest begins as crl->revoked. */
bool x509_crl_next(struct bytes *rest, struct x509_revoked *ret_entry);
/* Is that serial number on the list? Since when goes to *ret_when. */
bool x509_crl_has(const struct x509_crl *crl, struct bytes serial, int64_t *ret_when);

struct x509_crl_plan {
    enum digest_kind digest;
    struct bytes issuer;
    int64_t last_update, next_update;
    const struct x509_revoked *revoked;
    size_t revoked_n;
};

/* A list of version 1, in the order of the entries. */
MUST_USE bool x509_crl_make(const struct x509_crl_plan *plan, const struct rsa_private *issuer,
                            struct buffer *to);

#endif
