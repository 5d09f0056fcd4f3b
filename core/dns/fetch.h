/* SPDX-License-Identifier: ISC
 *
 * dns/fetch.h: how it went to fetch a document over HTTPS, as the role `fetch` tells it.
 *
 * Stands on base.
 */
#ifndef POSTERN_DNS_FETCH_H
#define POSTERN_DNS_FETCH_H

#include "base/bytes.h"

enum fetch_result {
    FETCH_WELL = 1,         /* a 200, whole, and of the type that was asked for */
    FETCH_STATUS,           /* another HTTP status; a redirection is one (RFC 8461, 3.3) */
    FETCH_NO_ADDRESS,       /* the host's name has no address, or none that we may go to */
    FETCH_UNREACHED,        /* nobody answers there, or it broke off */
    FETCH_UNTRUSTED,        /* no authority vouches for the certificate, or not for that name */
    FETCH_NO_TLS,           /* the handshake failed for another reason */
    FETCH_GARBLED,          /* what came is no HTTP, or cut short */
    FETCH_TOO_LONG,         /* more than FETCH_BODY_MOST octets, or too many of header fields */
    FETCH_WRONG_TYPE,       /* another media type, or a coding that was not asked for */
    FETCH_LATE,             /* it was not done in time */
    FETCH_NOT_NOW,          /* too much is under way, or memory is short; nobody was asked */
    FETCH_RESULTS
};

/* Octets of a document that are taken: what RFC 8461, 3.3 advises, but for what a frame needs. */
enum { FETCH_BODY_MOST = 60 * 1024 };

/* "certificate not trusted" and the like. */
const char *fetch_result_words(enum fetch_result result);
/* What RFC 8460, 4.3.2.2 calls it, of a policy; "" for FETCH_WELL. */
const char *fetch_result_tlsrpt(enum fetch_result result);

#endif
