/* SPDX-License-Identifier: ISC
 *
 * dns/fetch.h: a document that is to be fetched, or brought, over HTTPS; and how it went.
 *
 * Stands on base.
 */
#ifndef POSTERN_DNS_FETCH_H
#define POSTERN_DNS_FETCH_H

#include "base/buffer.h"

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

enum fetch_kind {
    FETCH_POLICY = 1,       /* GET; text/plain and a 200 are wanted (RFC 8461, 3.2) */
    FETCH_REPORT,           /* POST of a gzipped report of TLS (RFC 8460, 3); any 2xx is well */
    FETCH_KINDS
};

enum { FETCH_URL_MOST = 2048, FETCH_ADDRESSES_MOST = 8 };

/* An https: URL, taken apart. Slices borrow. */
struct fetch_url {
    struct bytes host;      /* as written; a name, not an address */
    uint16_t port;
    struct bytes path;      /* from "/" on, with the query; empty: none */
};

/* False: another scheme, somebody's name or password in it, an address for a host, or octets that
   no URL has (RFC 3986). */
MUST_USE bool fetch_url_read(struct bytes text, struct fetch_url *ret_url);

/* What a world is asked to do: to connect to one of these addresses, in this order, and to no
   other; whatever the URL's host may mean elsewhere. */
struct fetch_order {
    enum fetch_kind kind;
    struct bytes url;
    struct bytes addresses; /* 16 octets each, IPv4 mapped */
    struct bytes body;      /* of a REPORT */
};

/* An order as octets, for the effect: put, and read from all of the text. Borrows. */
void fetch_order_put(struct buffer *to, const struct fetch_order *order);
MUST_USE bool fetch_order_read(struct bytes text, struct fetch_order *ret_order);

/* "certificate not trusted" and the like. */
const char *fetch_result_words(enum fetch_result result);
/* What RFC 8460, 4.3.2.2 calls it, of a policy; "" for FETCH_WELL. */
const char *fetch_result_tlsrpt(enum fetch_result result);

#endif
