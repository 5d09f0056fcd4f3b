/* SPDX-License-Identifier: ISC
 *
 * Reading a certificate, RFC 1422 3.3 and RFC 5280 4.1:
 *
 *   TBSCertificate ::= SEQUENCE { version [0] INTEGER DEFAULT v1, serialNumber INTEGER,
 *       signature AlgorithmIdentifier, issuer Name, validity SEQUENCE { Time, Time },
 *       subject Name, subjectPublicKeyInfo SEQUENCE, issuerUniqueID [1], subjectUniqueID [2],
 *       extensions [3] }
 */
#include "crypt/x509_int.h"

#define OID_BASIC_CONSTRAINTS BYTES("\x55\x1D\x13")
#define OID_KEY_USAGE BYTES("\x55\x1D\x0F")
#define OID_ALTERNATIVE BYTES("\x55\x1D\x11")

enum { MAILBOX_TAG = 0x81, UNIQUE_1 = 0x81, UNIQUE_2 = 0x82, EXTENSIONS_MOST = 64 };
enum { ALL_USES = X509_MAY_SIGN | X509_MAY_ENCIPHER | X509_MAY_CERTIFY | X509_MAY_REVOKE };

const char *x509_flaw_words(enum x509_flaw flaw)
{
    static const char *const words[] = {
        [X509_WELL] = "it is well",
        [X509_NOT_DER] = "its encoding is broken, or something stands behind it",
        [X509_BAD_VERSION] = "its version is unknown",
        [X509_BAD_SERIAL] = "its serial number is no number, or is too long",
        [X509_BAD_ALGORITHM] = "the two places that name its algorithm differ",
        [X509_BAD_NAME] = "a name in it is none, or is too long",
        [X509_BAD_TIME] = "a time in it is none",
        [X509_BAD_KEY] = "its key is no RSA key of 508 to 8192 bits",
        [X509_BAD_EXTENSION] = "an extension in it is broken",
        [X509_TOO_LONG] = "it is too long",
    };

    return words[flaw];
}

/* ---- extensions */

/* RFC 5280, 4.2.1.3. Bits are numbered from the left: 0 digitalSignature, 1 nonRepudiation,
   2 keyEncipherment, 3 dataEncipherment, 5 keyCertSign, 6 cRLSign. */
static bool read_key_usage(struct bytes der, unsigned *ret_uses)
{
    struct der in = der_of(der);
    struct bytes bits = der_take(&in, DER_BITS);

    if (!der_finished(&in) || bits.n < 2 || bits.n > 3 || octet(bits.at[0]) > 7)
        return false;
    unsigned first = octet(bits.at[1]);
    *ret_uses = ((first & 0xC0) != 0 ? X509_MAY_SIGN : 0U)
              | ((first & 0x30) != 0 ? X509_MAY_ENCIPHER : 0U)
              | ((first & 0x04) != 0 ? X509_MAY_CERTIFY : 0U)
              | ((first & 0x02) != 0 ? X509_MAY_REVOKE : 0U);
    return true;
}

static bool read_constraints(struct bytes der, bool *ret_authority, uint32_t *ret_below_most)
{
    struct der in = der_of(der), body = der_enter(&in, DER_SEQUENCE);

    *ret_authority = false;
    if (der_is(&body, DER_BOOLEAN)) {
        struct bytes yes = der_take(&body, DER_BOOLEAN);
        *ret_authority = yes.n == 1 && yes.at[0] != 0;
    }
    if (der_is(&body, DER_INTEGER)) {
        uint64_t most = der_take_small(&body);
        *ret_below_most = most < UINT32_MAX ? (uint32_t)most : UINT32_MAX;
    }
    return der_finished(&in) && der_finished(&body);
}

static bool read_alternative(struct bytes der, struct bytes *ret_list)
{
    struct der in = der_of(der), list = der_enter(&in, DER_SEQUENCE);
    unsigned tag;

    *ret_list = list.left;
    while (list.left.n > 0 && !list.bad)
        (void)der_take_any(&list, &tag);
    return der_finished(&in) && der_finished(&list);
}

struct said {
    bool constraints, usage, authority;
    unsigned uses;
};

static bool read_extension(struct der *in, struct said *said, struct x509 *cert)
{
    struct der one = der_enter(in, DER_SEQUENCE);
    struct bytes oid = der_take(&one, DER_OID);
    bool critical = false;

    if (der_is(&one, DER_BOOLEAN)) {
        struct bytes yes = der_take(&one, DER_BOOLEAN);
        critical = yes.n != 1 || yes.at[0] != 0;
    }
    struct bytes value = der_take(&one, DER_OCTETS);
    if (!der_finished(&one))
        return false;
    if (bytes_equal(oid, OID_BASIC_CONSTRAINTS)) {
        bool again = said->constraints;
        said->constraints = true;
        return !again && read_constraints(value, &said->authority, &cert->below_most);
    }
    if (bytes_equal(oid, OID_KEY_USAGE)) {
        bool again = said->usage;
        said->usage = true;
        return !again && read_key_usage(value, &said->uses);
    }
    if (bytes_equal(oid, OID_ALTERNATIVE))
        return cert->alternative.n == 0 && read_alternative(value, &cert->alternative);
    cert->critical = cert->critical || critical;
    return true;
}

/* A v3 certificate certifies only when it says so; what it does not say of its key, is allowed. */
static bool read_extensions(struct der *in, struct x509 *cert)
{
    struct der outer = der_enter(in, DER_CONTEXT_3), list = der_enter(&outer, DER_SEQUENCE);
    struct said said = { .uses = ALL_USES };

    for (size_t n = 0; list.left.n > 0; n++)
        if (n == EXTENSIONS_MOST || !read_extension(&list, &said, cert))
            return false;
    cert->uses = said.uses;
    if (!said.authority)
        cert->uses &= ~(unsigned)(X509_MAY_CERTIFY | X509_MAY_REVOKE);
    return der_finished(&outer) && der_finished(&list) && cert->version == 3;
}

/* ---- the certificate */

static enum x509_flaw read_head(struct der *in, struct x509 *cert)
{
    cert->version = 1;
    if (der_is(in, DER_CONTEXT_0)) {
        struct der outer = der_enter(in, DER_CONTEXT_0);
        uint64_t version = der_take_small(&outer);
        if (!der_finished(&outer) || version > 2)
            return X509_BAD_VERSION;
        cert->version = (unsigned)version + 1;
    }
    cert->serial = der_take_integer(in);
    return in->bad || cert->serial.n > X509_SERIAL_MOST ? X509_BAD_SERIAL : X509_WELL;
}

static enum x509_flaw read_names_and_times(struct der *in, struct x509 *cert)
{
    cert->issuer = x509_take_name(in);
    if (in->bad)
        return X509_BAD_NAME;
    struct der validity = der_enter(in, DER_SEQUENCE);
    cert->not_before = der_take_time(&validity);
    cert->not_after = der_take_time(&validity);
    if (!der_finished(&validity))
        return X509_BAD_TIME;
    cert->subject = x509_take_name(in);
    return in->bad ? X509_BAD_NAME : X509_WELL;
}

static enum x509_flaw read_rest(struct der *in, struct x509 *cert)
{
    cert->key_der = der_take_whole(in, DER_SEQUENCE);
    if (in->bad || !rsa_public_read(cert->key_der, &cert->key))
        return X509_BAD_KEY;
    if (der_is(in, UNIQUE_1))
        (void)der_take(in, UNIQUE_1);
    if (der_is(in, UNIQUE_2))
        (void)der_take(in, UNIQUE_2);
    cert->uses = cert->version == 3 ? ALL_USES & ~(unsigned)(X509_MAY_CERTIFY | X509_MAY_REVOKE)
                                    : ALL_USES;
    if (in->left.n > 0 && !read_extensions(in, cert))
        return X509_BAD_EXTENSION;
    return der_finished(in) ? X509_WELL : X509_NOT_DER;
}

enum x509_flaw x509_read(struct bytes der, struct x509 *ret_cert)
{
    struct x509 cert = { .der = der, .alternative = BYTES_NONE, .below_most = UINT32_MAX };
    struct x509_frame frame;

    if (der.n > X509_MOST)
        return X509_TOO_LONG;
    if (!x509_read_frame(der, &frame))
        return X509_NOT_DER;
    struct der outer = der_of(frame.signed_part), in = der_enter(&outer, DER_SEQUENCE);
    enum x509_flaw flaw = read_head(&in, &cert);
    if (flaw != X509_WELL)
        return flaw;
    if (!bytes_equal(der_take_whole(&in, DER_SEQUENCE), frame.algorithm))
        return X509_BAD_ALGORITHM;
    flaw = read_names_and_times(&in, &cert);
    if (flaw == X509_WELL)
        flaw = read_rest(&in, &cert);
    if (flaw != X509_WELL)
        return flaw;
    cert.signed_part = frame.signed_part;
    cert.signature = frame.signature;
    cert.digest_known = x509_read_algorithm(frame.algorithm, &cert.digest);
    *ret_cert = cert;
    return X509_WELL;
}

bool x509_signed_by(const struct x509 *cert, struct rsa_public key)
{
    return cert->digest_known && x509_check(cert->signed_part, cert->digest, cert->signature, key);
}

bool x509_is_self_issued(const struct x509 *cert)
{
    return dname_equal(cert->issuer, cert->subject);
}

bool x509_next_mailbox(struct bytes *rest, struct bytes *ret_mailbox)
{
    struct der list = der_of(*rest);
    bool found = false;

    while (!found && list.left.n > 0 && !list.bad) {
        unsigned tag;
        struct bytes value = der_take_any(&list, &tag);
        found = !list.bad && tag == MAILBOX_TAG;
        if (found)
            *ret_mailbox = value;
    }
    *rest = list.bad ? BYTES_NONE : list.left;
    return found;
}

/* ---- serial numbers */

static struct bytes without_zeroes(struct bytes number)
{
    while (number.n > 0 && number.at[0] == 0)
        number = bytes_skip(number, 1);
    return number;
}

bool x509_serial_equal(struct bytes a, struct bytes b)
{
    return bytes_equal(without_zeroes(a), without_zeroes(b));
}

void x509_put_serial(struct buffer *to, struct bytes serial)
{
    static const char hex[] = "0123456789ABCDEF";

    serial = without_zeroes(serial);
    if (serial.n == 0)
        buffer_put(to, BYTES("00"));
    for (size_t i = 0; i < serial.n; i++) {
        buffer_put_char(to, hex[octet(serial.at[i]) >> 4]);
        buffer_put_char(to, hex[octet(serial.at[i]) & 15]);
    }
}
