/* SPDX-License-Identifier: ISC
 *
 * role/relay_present_int.h: the certificate that relay presents to a server that asks for one
 * (`client-certificate`). Its key is with the role keys, which signs; when it does not, or a server
 * breaks off, the next connection presents none: a letter never waits for it, and is never in clear
 * because of it.
 */
#ifndef POSTERN_ROLE_RELAY_PRESENT_INT_H
#define POSTERN_ROLE_RELAY_PRESENT_INT_H

#include "base/buffer.h"
#include "base/bytes.h"

struct conf;
struct link;
struct relay;

enum {
    RELAY_SIGN_MS = 10 * 1000,          /* keys has not signed after so long: it will not */
    RELAY_UNSIGNED_MS = 60 * 1000,      /* and so long it is not asked again */
    RELAY_BARE_MS = 5 * 60 * 1000,      /* a server broke off: so long it is met without */
};

/* Of relay. */
struct relay_present {
    bool up;                        /* keys is there */
    struct buffer list, next;       /* as keys told them: u32 number, block chain, over and over;
                                       next: the set is not whole yet */
    uint64_t mark;                  /* of the certificates in `list`; 0: there are none */
    uint64_t rests_until_ms;        /* keys did not sign: none is presented before */
    uint64_t asked;                 /* how often keys was */
};

/* Of a connection. */
struct link_present {
    bool wanted;                    /* it presents a certificate when it is asked for one */
    bool lacks;                     /* the signature did not come */
    uint64_t waits;                 /* for that signature; 0: for none */
};

/* A context by those settings, with the certificates that there are; NULL: memory is short. */
struct tls_context *relay_present_context(const struct relay *relay, const struct conf *conf);
/* A frame of keys; false: it does not read. */
bool relay_present_told(struct relay *relay, struct bytes frame);
/* Keys is there, or is gone. */
void relay_present_peer(struct relay *relay, bool up);
/* Shall that connection present it, as things stand? Noted there. */
void relay_present_choose(struct relay *relay, struct link *link);
/* Of the certificate that it presents; 0: none. */
uint64_t relay_present_mark(const struct relay *relay, const struct link *link);
/* Its handshake wants a signature; when it cannot be had the session knows it already, and
   link->present.waits is 0. */
void relay_present_ask(struct relay *relay, struct link *link);
/* The handshake failed, or stood still, or failed right behind its end. True: for our certificate's
   sake; the next connection there presents none, and it is not held against the server. */
bool relay_present_failed(struct relay *relay, struct link *link);
void relay_present_done(struct relay *relay);

#endif
