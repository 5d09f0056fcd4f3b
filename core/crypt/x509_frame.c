/* SPDX-License-Identifier: ISC */
#include "crypt/x509_int.h"

/* PKCS #1 (RFC 8017, A.2.4; MD2: RFC 3279, 2.2.1), and what RFC 1423 4.1.1 calls the first two. */
static const struct {
    struct bytes oid;
    enum digest_kind digest;
} algorithms[] = {
    { BYTES_INIT("\x2A\x86\x48\x86\xF7\x0D\x01\x01\x02"), DIGEST_MD2 },
    { BYTES_INIT("\x2A\x86\x48\x86\xF7\x0D\x01\x01\x04"), DIGEST_MD5 },
    { BYTES_INIT("\x2A\x86\x48\x86\xF7\x0D\x01\x01\x05"), DIGEST_SHA1 },
    { BYTES_INIT("\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0B"), DIGEST_SHA256 },
    { BYTES_INIT("\x2B\x0E\x03\x02\x1D"), DIGEST_SHA1 },       /* OIW sha1WithRSASignature */
};

bool x509_read_frame(struct bytes der, struct x509_frame *ret_frame)
{
    struct der in = der_of(der), frame = der_enter(&in, DER_SEQUENCE);

    ret_frame->signed_part = der_take_whole(&frame, DER_SEQUENCE);
    ret_frame->algorithm = der_take_whole(&frame, DER_SEQUENCE);
    ret_frame->signature = der_take_bits(&frame);
    return der_finished(&in) && der_finished(&frame);
}

bool x509_read_algorithm(struct bytes der, enum digest_kind *ret_digest)
{
    struct der in = der_of(der), algorithm = der_enter(&in, DER_SEQUENCE);
    struct bytes oid = der_take(&algorithm, DER_OID);

    der_skip_null(&algorithm);
    if (!der_finished(&in) || !der_finished(&algorithm))
        return false;
    for (size_t i = 0; i < COUNT(algorithms); i++) {
        if (bytes_equal(algorithms[i].oid, oid)) {
            *ret_digest = algorithms[i].digest;
            return true;
        }
    }
    return false;
}

void x509_put_algorithm(struct buffer *to, enum digest_kind digest)
{
    size_t begun = der_begin(to);

    for (size_t i = 0; i < COUNT(algorithms); i++) {
        if (algorithms[i].digest == digest) {
            der_put(to, DER_OID, algorithms[i].oid);
            break;
        }
    }
    der_put_null(to);
    der_end(to, begun, DER_SEQUENCE);
}

static bool info_of(struct bytes text, enum digest_kind kind, uint8_t *info, size_t *ret_n)
{
    uint8_t digest[DIGEST_MOST];

    if (!digest_of(kind, text, digest))
        return false;
    *ret_n = digest_info(kind, digest, info);
    return true;
}

bool x509_sign_frame(struct buffer *to, size_t begun, enum digest_kind digest,
                     const struct rsa_private *issuer)
{
    uint8_t info[DIGEST_INFO_MOST];
    struct buffer signature = buffer_with_most(RSA_OCTETS_MOST);
    size_t n;

    der_end(to, begun, DER_SEQUENCE);
    struct bytes part = bytes_skip(buffer_bytes(to), begun);
    bool done = !to->bad && info_of(part, digest, info, &n)
             && rsa_sign(issuer, (struct bytes){ (const char *)info, n }, &signature);
    if (done) {
        x509_put_algorithm(to, digest);
        der_put_bits(to, buffer_bytes(&signature));
        der_end(to, begun, DER_SEQUENCE);
    }
    buffer_done(&signature);
    return done && !to->bad;
}

bool x509_check(struct bytes signed_part, enum digest_kind digest, struct bytes signature,
                struct rsa_public key)
{
    uint8_t info[DIGEST_INFO_MOST];
    size_t n;

    return info_of(signed_part, digest, info, &n)
        && rsa_signed(key, signature, (struct bytes){ (const char *)info, n });
}

struct bytes x509_take_name(struct der *in)
{
    struct dname_part parts[DNAME_PARTS_MOST];
    struct bytes name = der_take_whole(in, DER_SEQUENCE);
    size_t n;

    if (!in->bad && !dname_read(name, parts, &n))
        in->bad = true;
    return name;
}
