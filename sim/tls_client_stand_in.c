/* SPDX-License-Identifier: ISC
 *
 * The sessions that we open: what a certificate proves is decided by its words alone. */
#include "sim/tls_stand_in.h"

#include <string.h>

enum { TLSA_HEAD = 3 };

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
    struct tls *tls;

    if (want->name.n > TLS_NAME_MOST || (want->proof == TLS_PROVE_DANE && want->tlsa_n == 0))
        return NULL;
    tls = tls_stand_in_new(context);
    if (tls == NULL)
        return NULL;
    tls->state = SAYS_HELLO;
    tls->proof = want->proof;
    tls->must = want->must;
    if (want->name.n > 0)
        memcpy(tls->name, want->name.at, want->name.n);
    for (size_t i = 0; i < want->tlsa_n && i < STAND_IN_RECORDS; i++) {
        struct bytes key = bytes_first(bytes_skip(want->tlsa[i], TLSA_HEAD), STAND_IN_KEY);
        memcpy(tls->tlsa[tls->tlsa_n++], key.at, key.n);
    }
    tls->verdict = (struct tls_verdict){ .words = "", .depth = -1 };
    return tls;
}

static bool has_record(const struct tls *tls, struct bytes key)
{
    for (size_t i = 0; i < tls->tlsa_n; i++)
        if (bytes_equal(key, bytes_of(tls->tlsa[i])))
            return true;
    return false;
}

static enum tls_trouble trouble_of(const struct tls *tls, struct bytes certificate)
{
    struct bytes name = bytes_upto(bytes_skip(certificate, 1), ' ');
    struct bytes key = bytes_skip(certificate, 1 + name.n + 1);

    if (tls->proof == TLS_PROVE_DANE)
        return has_record(tls, key) ? TLS_TROUBLE_NONE : TLS_TROUBLE_TLSA;
    if (!bytes_begins(certificate, BYTES("+")))
        return TLS_TROUBLE_UNTRUSTED;
    return bytes_equal(name, bytes_of(tls->name)) ? TLS_TROUBLE_NONE : TLS_TROUBLE_NAME;
}

enum tls_said tls_stand_in_judge(struct tls *tls, struct bytes certificate)
{
    tls->verdict.trouble = trouble_of(tls, certificate);
    tls->verdict.proved = tls->proof != TLS_PROVE_NOTHING
        && tls->verdict.trouble == TLS_TROUBLE_NONE;
    if (tls->verdict.trouble != TLS_TROUBLE_NONE)
        tls->verdict.words = "the certificate is another's";
    if (tls->must && !tls->verdict.proved)
        return tls_stand_in_fail(tls);
    tls_stand_in_put(tls, 'F', BYTES_NONE);
    tls->state = OPEN;
    tls->facts.version = BYTES("sim");
    tls->facts.cipher = BYTES("none");
    return TLS_OPENED;
}

struct tls_verdict tls_client_verdict(const struct tls *tls)
{
    return tls->verdict;
}

struct bytes tls_client_ticket(const struct tls *tls)
{
    (void)tls;
    return BYTES_NONE;
}

/* No server of the model asks for a certificate. */
bool tls_client_presented(const struct tls *tls)
{
    (void)tls;
    return false;
}

const char *tls_trouble_name(enum tls_trouble trouble)
{
    return trouble == TLS_TROUBLE_NONE ? "" : "validation-failure";
}
