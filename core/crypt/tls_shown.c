/* SPDX-License-Identifier: ISC
 *
 * The certificates of a server, for who wants to tell people about them. Nothing is decided here.
 */
#include "crypt/tls_int.h"

/* 0 for what is before 1970 or no date. */
static uint64_t wall_ms(const ASN1_TIME *time)
{
    ASN1_TIME *zero = ASN1_TIME_set(NULL, 0);
    int days = 0, seconds = 0;
    bool well = zero != NULL && ASN1_TIME_diff(&days, &seconds, zero, time) == 1;

    ASN1_TIME_free(zero);
    return well && days >= 0 && seconds >= 0
         ? ((uint64_t)days * 86400 + (uint64_t)seconds) * 1000 : 0;
}

static void put_names(X509 *own, struct buffer *names)
{
    GENERAL_NAMES *list = X509_get_ext_d2i(own, NID_subject_alt_name, NULL, NULL);
    int n = list == NULL ? 0 : sk_GENERAL_NAME_num(list), put = 0;

    for (int i = 0; i < n && put < TLS_SHOWN_NAMES; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(list, i);
        if (name->type != GEN_DNS)
            continue;
        struct bytes text = { (const char *)ASN1_STRING_get0_data(name->d.dNSName),
                              (size_t)ASN1_STRING_length(name->d.dNSName) };
        buffer_put_block(names, bytes_first(text, TLS_NAME_MOST));
        put++;
    }
    GENERAL_NAMES_free(list);
}

static void put_pem(STACK_OF(X509) *chain, struct buffer *pem)
{
    BIO *bio = BIO_new(BIO_s_mem());
    bool well = bio != NULL;
    char *at = NULL;

    for (int i = 0; well && i < sk_X509_num(chain); i++)
        well = PEM_write_bio_X509(bio, sk_X509_value(chain, i)) == 1;
    long n = well ? BIO_get_mem_data(bio, &at) : 0;
    if (n > 0)
        buffer_put(pem, (struct bytes){ at, (size_t)n });
    else
        pem->bad = true;
    BIO_free(bio);
}

bool tls_client_shown(const struct tls *tls, struct bytes host, struct buffer *names,
                      struct buffer *pem, struct tls_shown *ret_shown)
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(tls->ssl);
    unsigned flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
    X509 *own = chain == NULL || sk_X509_num(chain) == 0 ? NULL : sk_X509_value(chain, 0);

    if (own == NULL)
        return false;
    put_names(own, names);
    put_pem(chain, pem);
    struct tls_shown shown = {
        .chain = (size_t)sk_X509_num(chain),
        .names_it = host.n > 0 && X509_check_host(own, host.at, host.n, flags, NULL) == 1,
        .from_ms = wall_ms(X509_get0_notBefore(own)), .until_ms = wall_ms(X509_get0_notAfter(own)),
    };
    ERR_clear_error();
    if (names->bad || pem->bad)
        return false;
    *ret_shown = shown;
    return true;
}

void tls_client_issuer(const struct tls *tls, struct buffer *to)
{
    X509 *own = SSL_get0_peer_certificate(tls->ssl);
    BIO *bio = own == NULL ? NULL : BIO_new(BIO_s_mem());
    char *at = NULL;
    long n = 0;

    if (bio != NULL && X509_NAME_print_ex(bio, X509_get_issuer_name(own), 0,
                                          XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB) >= 0)
        n = BIO_get_mem_data(bio, &at);
    if (n > 0)
        buffer_put(to, bytes_first((struct bytes){ at, (size_t)n }, TLS_ISSUER_MOST));
    BIO_free(bio);
    ERR_clear_error();
}
