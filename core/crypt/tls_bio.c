/* SPDX-License-Identifier: ISC
 *
 * OpenSSL's two ends: it reads the octets of the step in hand where they lie, and writes behind the
 * session's `cipher`. An idle session holds no octets here.
 */
#include "crypt/tls_int.h"

#include <string.h>

static size_t take(struct bytes *from, char *to, size_t n)
{
    size_t part = from->n < n ? from->n : n;

    if (part > 0)
        memcpy(to, from->at, part);
    *from = bytes_skip(*from, part);
    return part;
}

static int on_read(BIO *bio, char *to, size_t n, size_t *ret_n)
{
    struct tls *tls = BIO_get_data(bio);
    struct bytes kept = bytes_skip(buffer_bytes(&tls->kept), tls->kept_at);
    size_t got = take(&kept, to, n);

    tls->kept_at = tls->kept.n - kept.n;
    got += take(&tls->in, to + got, n - got);
    BIO_clear_retry_flags(bio);
    if (got == 0)
        BIO_set_retry_read(bio);
    *ret_n = got;
    return got > 0;
}

static int on_write(BIO *bio, const char *from, size_t n, size_t *ret_n)
{
    struct tls *tls = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    buffer_put(&tls->cipher, (struct bytes){ from, n });
    *ret_n = tls->cipher.bad ? 0 : n;
    return !tls->cipher.bad;
}

static long on_control(BIO *bio, int command, long number, void *of)
{
    (void)bio;
    (void)number;
    (void)of;
    return command == BIO_CTRL_FLUSH;
}

static int on_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

BIO_METHOD *tls_bio_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_TYPE_NULL, "session");

    if (method == NULL)
        return NULL;
    if (BIO_meth_set_read_ex(method, on_read) && BIO_meth_set_write_ex(method, on_write)
        && BIO_meth_set_ctrl(method, on_control) && BIO_meth_set_create(method, on_create))
        return method;
    BIO_meth_free(method);
    return NULL;
}

bool tls_bio_attach(struct tls *tls)
{
    BIO *bio = BIO_new(tls->context->bio);

    if (bio == NULL)
        return false;
    BIO_set_data(bio, tls);
    SSL_set_bio(tls->ssl, bio, bio);    /* one for both ways: it takes the one reference */
    return true;
}
