/* SPDX-License-Identifier: ISC
 *
 * A stand-in for the sessions that we open, behind the same header: there are none. A server that
 * offers TLS is as one whose TLS cannot be begun here.
 */
#include "crypt/tls_client.h"

struct tls_context *tls_context_new_client(struct bytes authorities, size_t *ret_n)
{
    (void)authorities;
    *ret_n = 0;
    return tls_context_new(BYTES_NONE);
}

size_t tls_tlsa_usable(const struct bytes *tlsa, size_t n)
{
    (void)tlsa;
    return n;
}

struct tls *tls_client_new(struct tls_context *context, const struct tls_want *want)
{
    (void)context;
    (void)want;
    return NULL;
}

struct tls_verdict tls_client_verdict(const struct tls *tls)
{
    (void)tls;
    return (struct tls_verdict){ .words = "", .depth = -1 };
}

struct bytes tls_client_ticket(const struct tls *tls)
{
    (void)tls;
    return BYTES_NONE;
}
