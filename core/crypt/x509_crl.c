/* SPDX-License-Identifier: ISC
 *
 * Lists of revoked certificates. RFC 1422, 3.5.2 has them as version 1:
 *
 *   SEQUENCE { signature AlgorithmIdentifier, issuer Name, lastUpdate UTCTime, nextUpdate UTCTime,
 *       revokedCertificates SEQUENCE OF SEQUENCE { INTEGER, UTCTime } OPTIONAL }
 *
 * RFC 5280 5.1 puts a version before it, makes nextUpdate optional, and has extensions.
 */
#include "crypt/x509_int.h"

static bool is_time(const struct der *in)
{
    return der_is(in, DER_UTC_TIME) || der_is(in, DER_TIME);
}

/* v2: are all extensions ones that may be passed over? */
static bool has_critical(struct bytes list)
{
    struct der in = der_of(list);
    unsigned tag;

    while (in.left.n > 0) {
        struct der one = der_enter(&in, DER_SEQUENCE);
        (void)der_take(&one, DER_OID);
        if (der_is(&one, DER_BOOLEAN)) {
            struct bytes yes = der_take(&one, DER_BOOLEAN);
            if (yes.n != 1 || yes.at[0] != 0)
                return true;
        }
        (void)der_take_any(&one, &tag);
        if (!der_finished(&one))
            return true;
    }
    return in.bad;
}

static bool take_entry(struct der *in, struct x509_revoked *ret_entry, bool *ret_critical)
{
    struct der one = der_enter(in, DER_SEQUENCE);

    ret_entry->serial = der_take_integer(&one);
    ret_entry->when = der_take_time(&one);
    if (der_is(&one, DER_SEQUENCE))
        *ret_critical |= has_critical(der_take(&one, DER_SEQUENCE));
    return der_finished(&one) && ret_entry->serial.n <= X509_SERIAL_MOST;
}

static bool count_entries(struct x509_crl *crl)
{
    struct der in = der_of(crl->revoked);
    struct x509_revoked entry;

    for (crl->revoked_n = 0; in.left.n > 0; crl->revoked_n++)
        if (!take_entry(&in, &entry, &crl->critical))
            return false;
    return true;
}

static enum x509_flaw read_body(struct der *in, struct x509_crl *crl)
{
    crl->issuer = x509_take_name(in);
    if (in->bad)
        return X509_BAD_NAME;
    crl->last_update = der_take_time(in);
    if (is_time(in))
        crl->next_update = der_take_time(in);
    if (in->bad)
        return X509_BAD_TIME;
    if (der_is(in, DER_SEQUENCE))
        crl->revoked = der_take(in, DER_SEQUENCE);
    if (!count_entries(crl))
        return X509_NOT_DER;
    if (der_is(in, DER_CONTEXT_0)) {
        struct der outer = der_enter(in, DER_CONTEXT_0);
        crl->critical |= has_critical(der_take(&outer, DER_SEQUENCE));
        if (!der_finished(&outer))
            return X509_BAD_EXTENSION;
    }
    return der_finished(in) ? X509_WELL : X509_NOT_DER;
}

enum x509_flaw x509_crl_read(struct bytes der, struct x509_crl *ret_crl)
{
    struct x509_crl crl = { .der = der, .revoked = BYTES_NONE };
    struct x509_frame frame;

    if (der.n > X509_CRL_MOST)
        return X509_TOO_LONG;
    if (!x509_read_frame(der, &frame))
        return X509_NOT_DER;
    struct der outer = der_of(frame.signed_part), in = der_enter(&outer, DER_SEQUENCE);
    if (der_is(&in, DER_INTEGER) && (der_take_small(&in) > 1 || in.bad))
        return X509_BAD_VERSION;
    if (!bytes_equal(der_take_whole(&in, DER_SEQUENCE), frame.algorithm))
        return X509_BAD_ALGORITHM;
    enum x509_flaw flaw = read_body(&in, &crl);
    if (flaw != X509_WELL)
        return flaw;
    crl.signed_part = frame.signed_part;
    crl.signature = frame.signature;
    crl.digest_known = x509_read_algorithm(frame.algorithm, &crl.digest);
    *ret_crl = crl;
    return X509_WELL;
}

bool x509_crl_signed_by(const struct x509_crl *crl, struct rsa_public key)
{
    return crl->digest_known && x509_check(crl->signed_part, crl->digest, crl->signature, key);
}

bool x509_crl_next(struct bytes *rest, struct x509_revoked *ret_entry)
{
    struct der in = der_of(*rest);
    bool critical = false;
    bool found = in.left.n > 0 && take_entry(&in, ret_entry, &critical);

    *rest = in.left;
    return found;
}

bool x509_crl_has(const struct x509_crl *crl, struct bytes serial, int64_t *ret_when)
{
    struct bytes rest = crl->revoked;
    struct x509_revoked entry;

    while (x509_crl_next(&rest, &entry)) {
        if (x509_serial_equal(entry.serial, serial)) {
            *ret_when = entry.when;
            return true;
        }
    }
    return false;
}

bool x509_crl_make(const struct x509_crl_plan *plan, const struct rsa_private *issuer,
                   struct buffer *to)
{
    size_t begun = der_begin(to);

    x509_put_algorithm(to, plan->digest);
    buffer_put(to, plan->issuer);
    der_put_time(to, plan->last_update);
    der_put_time(to, plan->next_update);
    size_t list = der_begin(to);
    for (size_t i = 0; i < plan->revoked_n; i++) {
        size_t entry = der_begin(to);
        der_put_unsigned(to, plan->revoked[i].serial);
        der_put_time(to, plan->revoked[i].when);
        der_end(to, entry, DER_SEQUENCE);
    }
    if (plan->revoked_n > 0)
        der_end(to, list, DER_SEQUENCE);
    return x509_sign_frame(to, begun, plan->digest, issuer);
}
