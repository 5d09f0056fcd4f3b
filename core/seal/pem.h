/* SPDX-License-Identifier: ISC
 *
 * seal/pem.h: Privacy-Enhanced Mail (RFC 1421 to 1424, and RIPEM's dialect) read and written.
 *
 * A reader is a value fed with octets in pieces of any size; it gives text and, message by message,
 * a verdict. Its memory does not grow with a text: what must be held is the header (64 KiB). The
 * text it gives out is proved only when the verdict is there: who shows it waits for that.
 * Stands on base, mail and crypt. Knows no file and no clock; keys, the hour and random octets come
 * in as arguments.
 */
#ifndef POSTERN_SEAL_PEM_H
#define POSTERN_SEAL_PEM_H

#include "base/arena.h"
#include "base/buffer.h"
#include "crypt/cipher.h"
#include "crypt/digest.h"
#include "mail/status.h"

enum pem_limit {
    PEM_HEADER_MOST = 64 * 1024,
    PEM_RECIPIENTS_MOST = 1000,
    PEM_CERTIFICATES_MOST = 32,
    PEM_LINE = 64,              /* base64 characters of a line that is written */
};

enum pem_type {
    PEM_ENCRYPTED, PEM_MIC_ONLY, PEM_MIC_CLEAR, PEM_CRL, PEM_CRL_RETRIEVAL_REQUEST, PEM_TYPES
};
/* "ENCRYPTED" ... */
const char *pem_type_name(enum pem_type type);
/* The reverse, in any case. */
MUST_USE bool pem_type_of(struct bytes name, enum pem_type *ret_type);
/* "RSA-MD2", "RSA-MD5", "MD2", "MD5", "SHA1", "RSA-SHA1", "SHA-1", "SHA256"... */
MUST_USE bool pem_digest_of(struct bytes name, enum digest_kind *ret_kind);
/* "DES-CBC", "DES-EDE-CBC", "AES-256-GCM". */
MUST_USE bool pem_cipher_of(struct bytes name, enum cipher_kind *ret_kind);

/* What became of a message, as a value. One answer for everything that goes wrong behind a
   decryption: PEM_ALTERED. */
enum pem_verdict {
    PEM_GOOD,               /* unchanged, and the key is trusted */
    PEM_GOOD_UNTRUSTED,     /* unchanged, by a key that nobody here vouches for */
    PEM_GOOD_WEAK,          /* unchanged, by a key or algorithms that prove nothing today */
    PEM_ALTERED,
    PEM_NO_KEY,             /* the sender's key, or one of ours to open it, is not here */
    PEM_UNSUPPORTED,
    PEM_MALFORMED,
    PEM_VERDICTS
};
/* "good", "good-untrusted" ... as in JSON. */
const char *pem_verdict_name(enum pem_verdict verdict);
/* X.7.x of the verdict (RFC 3463, 3.8). */
struct status_code pem_verdict_status(enum pem_verdict verdict);
static inline bool pem_is_good(enum pem_verdict verdict) { return verdict <= PEM_GOOD_WEAK; }

/* ---- a header, read */

/* RFC 1421, 4.6.2: a name of an issuer and a serial number; issuer.n == 0 when not given. */
struct pem_issued {
    struct bytes issuer;    /* DER of the Name */
    struct bytes serial;    /* octets, most significant first, the first not zero; 0 has none */
};

/* RFC 1421, 4.6.2.1: entity.n == 0 when not given. */
struct pem_symmetric {
    struct bytes entity, issuer, version;
};

enum pem_key_way {
    PEM_KEY_NONE,           /* no Key-Info */
    PEM_KEY_RSA,
    PEM_KEY_RSA_OAEP,       /* our extension: "RSA-OAEP-SHA256" */
    PEM_KEY_DES_ECB,
    PEM_KEY_DES_EDE,
    PEM_KEY_OTHER,          /* an algorithm we do not know */
};

static inline bool pem_is_rsa(enum pem_key_way way)
{
    return way == PEM_KEY_RSA || way == PEM_KEY_RSA_OAEP;
}

/* An originator or a recipient: all that its fields say. All slices live in the header's arena. */
struct pem_party {
    uint32_t line;              /* of its first field */
    struct bytes name;          /* Originator-Name, Recipient-Name */
    struct bytes spki;          /* DER: -Key-Asymmetric */
    struct bytes certificate;   /* DER: Originator-Certificate */
    struct pem_issued issued;   /* -ID-Asymmetric */
    struct pem_symmetric symmetric;
    enum pem_key_way way;
    struct bytes key;           /* Key-Info: the DEK in its cover */
    enum digest_kind key_mic_kind;
    struct bytes key_mic;       /* symmetric: the MIC, in the same cover */
};

/* A list of revoked certificates and the certificates behind it. */
struct pem_crl {
    struct bytes der;
    size_t first, count;        /* in header->certificates */
};

struct pem_header {
    unsigned version;           /* 4, or 2001 of RIPEM */
    enum pem_type type;
    uint32_t line;              /* of the BEGIN boundary, from 1 */
    struct bytes domain;        /* Content-Domain, or empty */
    bool has_dek;
    enum cipher_kind dek;
    bool dek_known;
    struct bytes dek_name;
    uint8_t iv[CIPHER_IV_MOST];
    struct pem_party originator;
    struct pem_party *recipients;
    size_t recipients_n;
    struct bytes *certificates; /* Issuer-Certificates in order; of CRL messages, all */
    size_t certificates_n;
    bool has_mic, mic_known;
    enum digest_kind mic;
    struct bytes mic_name, signature;
    struct pem_crl *crls;
    size_t crls_n;
    struct bytes *issuers;      /* CRL-RETRIEVAL-REQUEST: DER Names */
    size_t issuers_n;
    struct bytes originator_text;   /* Originator-* and Issuer-Certificate fields as they stand */
    bool unknown_fields;
};

/* What is wrong, and where. */
struct pem_flaw {
    uint32_t line;              /* of the input, from 1 */
    enum pem_verdict verdict;   /* PEM_MALFORMED or PEM_UNSUPPORTED */
    char words[160];            /* "Key-Info before any Recipient" */
};

/* A header from the line behind its BEGIN boundary, which has number `line - 1`, up to the blank
   line or END. Line ends are LF or CRLF. Everything returned lives in the arena. */
MUST_USE bool pem_header_read(struct bytes text, uint32_t line, struct arena *arena,
                              struct pem_header *ret_header, struct pem_flaw *reterr_flaw);

#endif
