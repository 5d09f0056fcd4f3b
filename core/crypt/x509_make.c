/* SPDX-License-Identifier: ISC
 *
 * Making a certificate: RFC 1422 3.3 for version 1, RFC 5280 4.1 for version 3.
 */
#include "crypt/x509_int.h"

/* SEQUENCE { oid, critical TRUE, OCTET STRING } around the value that began at `value`. */
static void end_extension(struct buffer *to, size_t begun, size_t value)
{
    der_end(to, value, DER_OCTETS);
    der_end(to, begun, DER_SEQUENCE);
}

static size_t begin_extension(struct buffer *to, struct bytes oid, bool critical)
{
    der_put(to, DER_OID, oid);
    if (critical)
        der_put(to, DER_BOOLEAN, BYTES("\xFF"));
    return der_begin(to);
}

static void put_extensions(struct buffer *to, const struct x509_plan *plan)
{
    size_t outer = der_begin(to), begun = outer;
    size_t value = begin_extension(to, BYTES("\x55\x1D\x13"), true), constraints = value;

    if (plan->authority)
        der_put(to, DER_BOOLEAN, BYTES("\xFF"));
    der_end(to, constraints, DER_SEQUENCE);
    end_extension(to, begun, value);
    begun = der_begin(to);
    value = begin_extension(to, BYTES("\x55\x1D\x0F"), true);
    /* digitalSignature, keyEncipherment; an authority also keyCertSign, cRLSign */
    der_put(to, DER_BITS, plan->authority ? BYTES("\x01\xA6") : BYTES("\x05\xA0"));
    end_extension(to, begun, value);
    if (plan->mailbox.n > 0) {
        begun = der_begin(to);
        value = begin_extension(to, BYTES("\x55\x1D\x11"), false);
        size_t list = der_begin(to);
        der_put(to, 0x81, plan->mailbox);
        der_end(to, list, DER_SEQUENCE);
        end_extension(to, begun, value);
    }
    der_end(to, outer, DER_SEQUENCE);
    der_end(to, outer, DER_CONTEXT_3);
}

bool x509_make(const struct x509_plan *plan, struct rsa_public key,
               const struct rsa_private *issuer, struct buffer *to)
{
    size_t begun = der_begin(to);

    if (plan->version == 3) {
        der_put_small(to, 2);
        der_end(to, begun, DER_CONTEXT_0);
    }
    der_put_unsigned(to, plan->serial);
    x509_put_algorithm(to, plan->digest);
    buffer_put(to, plan->issuer);
    size_t validity = der_begin(to);
    der_put_time(to, plan->not_before);
    der_put_time(to, plan->not_after);
    der_end(to, validity, DER_SEQUENCE);
    buffer_put(to, plan->subject);
    rsa_public_put(key, plan->key_form, to);
    if (plan->version == 3)
        put_extensions(to, plan);
    return x509_sign_frame(to, begun, plan->digest, issuer);
}
