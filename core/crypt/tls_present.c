/* SPDX-License-Identifier: ISC
 *
 * A certificate of our own, for a server that asks for one (RFC 8446, 4.3.2; RFC 5246, 7.4.4). Its
 * signature comes from elsewhere, so the handshake is a fibre from then on; before, and where no
 * server asks, it is none: the server's chain is judged on the caller's own stack.
 */
#include "crypt/tls_int.h"

static int take(SSL *ssl, const struct tls_context *context, enum tls_key_kind kind)
{
    for (size_t i = 0; i < context->n; i++) {
        const struct tls_certificate *one = &context->list[i];
        if (one->kind == kind)
            return SSL_use_cert_and_key(ssl, one->leaf, one->key, one->above, 1);
    }
    return 1;
}

/* Below 1.3 OpenSSL offers the one that was taken last; the other way round it would be RSA. */
int tls_on_asked(SSL *ssl, void *of)
{
    struct tls *tls = SSL_get_app_data(ssl);

    (void)of;
    if (!tls->presents)
        return 1;
    if (!tls->asked) {
        tls->asked = true;
        SSL_set_mode(ssl, SSL_MODE_ASYNC);
        return -1;
    }
    /* What cannot be taken is as not there: the server goes on without, or says so. */
    (void)take(ssl, tls->context, TLS_KEY_RSA);
    (void)take(ssl, tls->context, TLS_KEY_EC);
    ERR_clear_error();
    return 1;
}

bool tls_client_presented(const struct tls *tls)
{
    return tls->presented;
}
