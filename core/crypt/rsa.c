/* SPDX-License-Identifier: ISC
 *
 * Public keys: numbers out of their wrappings, and into them.
 */
#include "crypt/rsa_int.h"

size_t rsa_bits(struct rsa_public key)
{
    size_t bits = 8 * key.modulus.n;

    for (unsigned top = 0x80; key.modulus.n > 0 && top > octet(key.modulus.at[0]); top >>= 1)
        bits--;
    return bits;
}

bool rsa_equal(struct rsa_public a, struct rsa_public b)
{
    return bytes_equal(a.modulus, b.modulus) && bytes_equal(a.exponent, b.exponent);
}

static bool is_odd(struct bytes number)
{
    return (octet(number.at[number.n - 1]) & 1) != 0;
}

/* What cannot be a key, and what would only keep us busy. */
static bool may_be_used(struct rsa_public key)
{
    size_t bits = rsa_bits(key);

    return bits >= RSA_BITS_LEAST && bits <= RSA_BITS_MOST && is_odd(key.modulus)
        && key.exponent.n <= RSA_EXPONENT_MOST && is_odd(key.exponent)
        && !bytes_equal(key.exponent, BYTES("\x01"));
}

struct rsa_public rsa_take_numbers(struct der *in)
{
    struct rsa_public key;

    key.modulus = der_take_unsigned(in);
    key.exponent = der_take_unsigned(in);
    if (!in->bad && !may_be_used(key))
        in->bad = true;
    return key;
}

static bool read_pkcs1(struct bytes der, struct rsa_public *ret_key)
{
    struct der in = der_of(der), numbers = der_enter(&in, DER_SEQUENCE);
    struct rsa_public key = rsa_take_numbers(&numbers);

    if (!der_finished(&in) || !der_finished(&numbers))
        return false;
    *ret_key = key;
    return true;
}

/* The modulus' size that 2.5.8.1.1 carries says nothing that the modulus does not: RFC 1422's own
   examples round it. Some leave it out, or write NULL. */
static void take_algorithm(struct der *in)
{
    struct der algorithm = der_enter(in, DER_SEQUENCE);
    struct bytes name = der_take(&algorithm, DER_OID);

    if (bytes_equal(name, OID_RSA_1989) && der_is(&algorithm, DER_INTEGER))
        (void)der_take_integer(&algorithm);
    else
        der_skip_null(&algorithm);
    if (!der_finished(&algorithm)
        || !(bytes_equal(name, OID_RSA_1989) || bytes_equal(name, OID_RSA_ENCRYPTION)))
        in->bad = true;
}

bool rsa_public_read(struct bytes der, struct rsa_public *ret_key)
{
    struct der in = der_of(der), info = der_enter(&in, DER_SEQUENCE);

    if (der_is(&info, DER_INTEGER))
        return read_pkcs1(der, ret_key);
    take_algorithm(&info);
    struct bytes numbers = der_take_bits(&info);
    return der_finished(&in) && der_finished(&info) && read_pkcs1(numbers, ret_key);
}

void rsa_put_numbers(struct rsa_public key, struct buffer *to)
{
    der_put_unsigned(to, key.modulus);
    der_put_unsigned(to, key.exponent);
}

static void put_pkcs1(struct rsa_public key, struct buffer *to)
{
    size_t begun = der_begin(to);

    rsa_put_numbers(key, to);
    der_end(to, begun, DER_SEQUENCE);
}

static void put_spki(struct rsa_public key, bool old, struct buffer *to)
{
    size_t begun = der_begin(to);

    der_put(to, DER_OID, old ? OID_RSA_1989 : OID_RSA_ENCRYPTION);
    if (old)
        der_put_small(to, rsa_bits(key));
    else
        der_put_null(to);
    der_end(to, begun, DER_SEQUENCE);
    size_t bits = der_begin(to);
    buffer_put_char(to, 0);
    put_pkcs1(key, to);
    der_end(to, bits, DER_BITS);
    der_end(to, begun, DER_SEQUENCE);
}

void rsa_public_put(struct rsa_public key, enum rsa_form form, struct buffer *to)
{
    switch (form) {
    case RSA_SPKI: put_spki(key, false, to); break;
    case RSA_SPKI_1989: put_spki(key, true, to); break;
    case RSA_PKCS1: put_pkcs1(key, to); break;
    }
}
