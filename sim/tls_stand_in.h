/* SPDX-License-Identifier: ISC
 *
 * sim/tls_stand_in.h: a stand-in for the TLS engine and its keys behind the same headers, for
 * simulated time: OpenSSL reads its own clock and its own chance. Nothing is enciphered; what is
 * kept is the shape: a handshake with a signature in it, records that are whole or are waited for,
 * an alert, a close_notify, and that octets which are no record end it. Only its own two files
 * include this.
 *
 *   record = kind:u8 length:u16 octets      kinds: 'H' the client's hello (its octets are the name
 *            asked for), 'h' the server's (its octets are the certificate), 'F' the client is
 *            through, 'D' data, 'A' an alert, 'C' the end
 *   certificate = ("+" / "-") name SP key     "+": an authority vouches for it
 */
#ifndef POSTERN_SIM_TLS_STAND_IN_H
#define POSTERN_SIM_TLS_STAND_IN_H

#include "crypt/tls_client.h"

enum { HEAD = 3, RECORD_MOST = 16384, KEPT_MOST = HEAD + RECORD_MOST, STAND_IN_RECORDS = 4,
       STAND_IN_KEY = 64 };

struct tls_context {
    size_t users, certificates;
    uint32_t key;
};

enum state {
    WAITS_HELLO, WAITS_SIGNATURE, SIGNED, WAITS_FINISH,     /* the server's side */
    SAYS_HELLO, WAITS_SERVER,                               /* the client's */
    OPEN, CLOSED, FAILED,
};

struct tls {
    struct tls_context *context;
    enum state state;
    struct buffer kept, plain, cipher;
    struct tls_facts facts;
    char name[TLS_NAME_MOST + 1];
    /* the client's side */
    enum tls_proof proof;
    bool must;
    char tlsa[STAND_IN_RECORDS][STAND_IN_KEY + 1];
    size_t tlsa_n;
    struct tls_verdict verdict;
};

struct tls *tls_stand_in_new(struct tls_context *context);
void tls_stand_in_put(struct tls *tls, char kind, struct bytes text);
enum tls_said tls_stand_in_fail(struct tls *tls);
/* The certificate has come. */
enum tls_said tls_stand_in_judge(struct tls *tls, struct bytes certificate);

#endif
