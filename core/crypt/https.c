/* SPDX-License-Identifier: ISC */
#include "crypt/https.h"

#include "base/arena.h"

#include <limits.h>

struct https_rules {
    X509_STORE *store;
};

static bool read_authorities(struct https_rules *rules, struct bytes authorities)
{
    BIO *text = authorities.n == 0 ? NULL : BIO_new_mem_buf(authorities.at, (int)authorities.n);
    X509 *one;
    bool well = text != NULL || authorities.n == 0;

    while (text != NULL && well && (one = PEM_read_bio_X509(text, NULL, NULL, NULL)) != NULL) {
        well = X509_STORE_add_cert(rules->store, one) == 1;
        X509_free(one);
    }
    ERR_clear_error();
    BIO_free(text);
    return well;
}

struct https_rules *https_rules_new(struct bytes authorities)
{
    struct https_rules *rules = authorities.n > INT_MAX ? NULL : mem_new(sizeof(*rules));
    SSL_CTX *first = SSL_CTX_new(TLS_client_method());      /* has the settings read */

    if (rules != NULL)
        rules->store = X509_STORE_new();
    if (rules != NULL
        && (first == NULL || rules->store == NULL || !read_authorities(rules, authorities))) {
        https_rules_free(rules);
        rules = NULL;
    }
    SSL_CTX_free(first);
    return rules;
}

void https_rules_free(struct https_rules *rules)
{
    if (rules == NULL)
        return;
    X509_STORE_free(rules->store);
    mem_free(rules);
}

bool https_rules_apply(struct https_rules *rules, void *context, struct bytes host)
{
    X509_VERIFY_PARAM *names = SSL_CTX_get0_param(context);

    SSL_CTX_set1_cert_store(context, rules->store);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    X509_VERIFY_PARAM_set_hostflags(names, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT
                                           | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(names, host.at, host.n) == 1;
}
