/* SPDX-License-Identifier: ISC
 *
 * Files of keys, written: PEM with names before it, and RIPEM's records.
 */
#include "seal/key_file.h"

#include "base/base64.h"

enum { LINE = 64 };

static void put_base64(struct buffer *to, const char *before, struct bytes octets)
{
    struct buffer text = buffer_with_most(2 * octets.n + 16);

    base64_encode(&text, octets);
    struct bytes rest = buffer_bytes(&text);
    to->bad |= text.bad;
    while (rest.n > 0) {
        buffer_put_text(to, before);
        buffer_put(to, bytes_first(rest, LINE));
        buffer_put_char(to, '\n');
        rest = bytes_skip(rest, LINE);
    }
    buffer_done(&text);
}

/* A name comes from files of strangers too: it stays within its line. */
static void put_names(struct buffer *to, const struct bytes *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        buffer_put(to, BYTES("User: "));
        for (size_t j = 0; j < names[i].n; j++)
            if (octet(names[i].at[j]) >= ' ' && names[i].at[j] != 127)
                buffer_put_char(to, names[i].at[j]);
        buffer_put_char(to, '\n');
    }
}

void key_put_armor(struct buffer *to, const char *label, struct bytes der,
                   const struct bytes *names, size_t names_n)
{
    put_names(to, names, names_n);
    buffer_put(to, BYTES("-----BEGIN "));
    buffer_put_text(to, label);
    buffer_put(to, BYTES("-----\n"));
    put_base64(to, "", der);
    buffer_put(to, BYTES("-----END "));
    buffer_put_text(to, label);
    buffer_put(to, BYTES("-----\n"));
}

static bool put_digest(struct buffer *to, struct rsa_public key)
{
    static const char hex[] = "0123456789ABCDEF";
    uint8_t digest[16];

    if (!keyring_ripem_digest(key, digest))
        return false;
    buffer_put(to, BYTES("MD5OfPublicKey: "));
    for (size_t i = 0; i < sizeof(digest); i++) {
        buffer_put_char(to, hex[digest[i] >> 4]);
        buffer_put_char(to, hex[digest[i] & 15]);
    }
    buffer_put_char(to, '\n');
    return true;
}

bool ripem_put_public(struct buffer *to, bool old, struct rsa_public key, struct bytes cert,
                      const struct bytes *names, size_t names_n)
{
    struct buffer spki = buffer_with_most(RSA_PKCS8_MOST);

    if (old || cert.n == 0) {
        buffer_put(to, BYTES("-----BEGIN PUBLIC KEY-----\n"));
        put_names(to, names, names_n);
        rsa_public_put(key, RSA_SPKI_1989, &spki);
        buffer_put(to, BYTES("PublicKeyInfo:\n"));
        put_base64(to, " ", buffer_bytes(&spki));
    } else {
        buffer_put_char(to, '\n');
        put_names(to, names, names_n);
    }
    bool done = put_digest(to, key) && !spki.bad;
    if (cert.n > 0) {
        buffer_put(to, BYTES("CertificateInfo:\n"));
        put_base64(to, " ", cert);
    }
    if (old || cert.n == 0)
        buffer_put(to, BYTES("-----END PUBLIC KEY-----\n"));
    buffer_put_char(to, '\n');
    buffer_done(&spki);
    return done && !to->bad;
}

void ripem_put_private(struct buffer *to, struct bytes sealed, const struct bytes *names,
                       size_t names_n)
{
    buffer_put(to, BYTES("-----BEGIN PRIVATE KEY-----\n"));
    put_names(to, names, names_n);
    buffer_put(to, BYTES("EncryptedPrivateKeyInfo:\n"));
    put_base64(to, " ", sealed);
    buffer_put(to, BYTES("-----END PRIVATE KEY-----\n"));
}

bool ripem_put_crl(struct buffer *to, const struct x509_crl *crl, struct rsa_public issuer)
{
    static const char hex[] = "0123456789ABCDEF";

    buffer_put_char(to, '\n');
    if (!put_digest(to, issuer))
        return false;
    buffer_put(to, BYTES("LastUpdate: "));
    for (unsigned shift = 32; shift > 0; shift -= 4)
        buffer_put_char(to, hex[(uint64_t)crl->last_update >> (shift - 4) & 15]);
    buffer_put(to, BYTES("\nCRLInfo:\n"));
    put_base64(to, " ", crl->der);
    buffer_put_char(to, '\n');
    return !to->bad;
}
