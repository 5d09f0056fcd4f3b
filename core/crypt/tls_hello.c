/* SPDX-License-Identifier: ISC
 *
 * What a client says first. It is written down before anything can fail, so that the owner can be
 * told what a client wanted who then went away. An unknown name is no fault: RFC 6066, 3, warns of
 * the alert, which made great senders fall back to clear text.
 */
#include "crypt/tls_int.h"

#include "base/reader.h"

#include <string.h>

static uint16_t read_big_u16(struct reader *in)
{
    uint16_t high = read_u8(in);

    return (uint16_t)(high << 8 | read_u8(in));
}

/* RFC 6066, 3: a list (u16 length) of names, each a type (0: host name) and a text (u16 length). */
static struct bytes name_in(struct bytes extension)
{
    struct reader in = reader_of(extension);
    uint16_t all = read_big_u16(&in);
    uint8_t type = read_u8(&in);
    uint16_t n = read_big_u16(&in);
    struct bytes name = read_bytes(&in, n);

    return reader_ok(&in) && type == 0 && all >= 3 ? name : BYTES_NONE;
}

static void note_name(struct tls *tls, SSL *ssl)
{
    const unsigned char *at;
    size_t n;

    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &at, &n) != 1)
        return;
    struct bytes name = name_in((struct bytes){ (const char *)at, n });
    name = bytes_first(name, TLS_NAME_MOST);
    if (name.n > 0)
        memcpy(tls->name, name.at, name.n);
    tls->facts.name = (struct bytes){ tls->name, name.n };
}

int tls_on_hello(SSL *ssl, int *alert, void *of)
{
    struct tls *tls = SSL_get_app_data(ssl);
    const unsigned char *at;
    size_t n = SSL_client_hello_get0_ciphers(ssl, &at);

    (void)alert;
    (void)of;
    n = n < TLS_OFFERED_MOST ? n : TLS_OFFERED_MOST;
    if (n > 0)
        memcpy(tls->offered, at, n);
    tls->facts.offered = (struct bytes){ (const char *)tls->offered, n };
    note_name(tls, ssl);
    return SSL_CLIENT_HELLO_SUCCESS;
}

/* The certificates that go with the name asked for; OpenSSL takes the one whose algorithm the
   client can do. */
int tls_on_certificate(SSL *ssl, void *of)
{
    struct tls *tls = SSL_get_app_data(ssl);
    const struct tls_certificate *chosen[TLS_KEY_KINDS];

    (void)of;
    tls->facts.name_known = tls_choose(tls->context, tls->facts.name, chosen);
    SSL_certs_clear(ssl);
    for (size_t i = 0; i < TLS_KEY_KINDS; i++)
        if (chosen[i] != NULL
            && SSL_use_cert_and_key(ssl, chosen[i]->leaf, chosen[i]->key, chosen[i]->above, 1) != 1)
            return 0;
    return 1;
}
