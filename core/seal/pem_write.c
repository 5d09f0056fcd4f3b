/* SPDX-License-Identifier: ISC
 *
 * Which fields, in which order, of which form: RFC 1421, 4.6; for RIPEM what its two versions were
 * seen to read.
 */
#include "seal/pem_write.h"

#include "crypt/x509.h"
#include "seal/pem_int.h"
#include "seal/pem_write_int.h"

#include <assert.h>
#include <string.h>

enum { CANONICAL_MOST = 1 << 30 };

/* What a profile writes and how much RSA its readers bear. */
static const struct {
    const char *name;
    unsigned version;
    enum digest_kind mic;
    enum cipher_kind dek;
    size_t bits_least, bits_most;
    bool names;                     /* Originator-Name and Recipient-Name with keys, no ids */
    enum rsa_form form;
    enum rsa_wrap wrap;
    unsigned mics, deks;            /* bits: what it may be told to write instead */
} profiles[] = {
#define MIC(kind) (1u << DIGEST_##kind)
#define DEK(kind) (1u << CIPHER_##kind)
    [PEM_PROFILE_PLAIN] = { "", 4, DIGEST_SHA256, CIPHER_DES_EDE_CBC, 1024, 8192, false, RSA_SPKI,
        RSA_WRAP_PKCS1, MIC(MD2) | MIC(MD5) | MIC(SHA1) | MIC(SHA256),
        DEK(DES_CBC) | DEK(DES_EDE_CBC) },
    [PEM_PROFILE_RFC1421] = { "rfc1421", 4, DIGEST_MD5, CIPHER_DES_CBC, 508, 8192, false,
        RSA_SPKI_1989, RSA_WRAP_PKCS1, MIC(MD2) | MIC(MD5) | MIC(SHA1) | MIC(SHA256),
        DEK(DES_CBC) | DEK(DES_EDE_CBC) },
    [PEM_PROFILE_RIPEM12] = { "ripem12", 2001, DIGEST_MD5, CIPHER_DES_CBC, 508, 1024, true,
        RSA_SPKI_1989, RSA_WRAP_PKCS1, MIC(MD2) | MIC(MD5), DEK(DES_CBC) | DEK(DES_EDE_CBC) },
    [PEM_PROFILE_RIPEM3] = { "ripem3", 2001, DIGEST_MD5, CIPHER_DES_CBC, 508, 2048, true,
        RSA_SPKI_1989, RSA_WRAP_PKCS1, MIC(MD2) | MIC(MD5) | MIC(SHA1),
        DEK(DES_CBC) | DEK(DES_EDE_CBC) },
    [PEM_PROFILE_MODERN] = { "modern", 4, DIGEST_SHA256, CIPHER_AES_256_GCM, 3072, 8192, true,
        RSA_SPKI, RSA_WRAP_OAEP, MIC(SHA256), DEK(AES_256_GCM) },
#undef MIC
#undef DEK
};
_Static_assert(COUNT(profiles) == PEM_PROFILES, "a profile without a row");

const char *pem_profile_name(enum pem_profile profile)
{
    return profiles[profile].name;
}

bool pem_profile_of(struct bytes name, enum pem_profile *ret_profile)
{
    for (size_t i = PEM_PROFILE_RFC1421; i < COUNT(profiles); i++) {
        if (bytes_equal_nocase(name, bytes_of(profiles[i].name))) {
            *ret_profile = (enum pem_profile)i;
            return true;
        }
    }
    return false;
}

void pem_order_complete(struct pem_order *order)
{
    if (!order->has_mic)
        order->mic = profiles[order->profile].mic;
    if (!order->has_dek)
        order->dek = profiles[order->profile].dek;
    order->has_mic = order->has_dek = true;
}

bool pem_order_is_weak(const struct pem_order *order)
{
    bool weak = digest_is_weak(order->mic)
             || (order->type == PEM_ENCRYPTED && cipher_is_weak(order->dek));

    return weak || rsa_bits(rsa_private_public(order->key)) < 2048;
}

/* ---- may it be written? */

static bool refuse(struct pem_flaw *reterr, const char *words)
{
    return pem_flaw(reterr, 0, PEM_UNSUPPORTED, "", words);
}

/* May the profile's readers take this key? `whose` begins the words when not. */
static bool check_strength(const struct pem_order *order, const char *whose, struct rsa_public key,
                           struct pem_flaw *reterr)
{
    size_t bits = rsa_bits(key), least = profiles[order->profile].bits_least;
    size_t most = profiles[order->profile].bits_most;
    struct buffer words = buffer_with_most(sizeof(reterr->words));

    if (bits >= least && bits <= most)
        return true;
    buffer_put_text(&words, whose);
    buffer_put(&words, BYTES(" key has "));
    buffer_put_uint(&words, bits);
    buffer_put(&words, BYTES(" bits, and this profile takes "));
    buffer_put_uint(&words, least);
    buffer_put(&words, BYTES(" to "));
    buffer_put_uint(&words, most);
    buffer_put_char(&words, '\0');
    (void)refuse(reterr, words.bad ? "this profile does not take a key of that length" : words.at);
    buffer_done(&words);
    return false;
}

bool pem_has_chance(const uint8_t chance[static PEM_CHANCE])
{
    uint8_t any = 0;

    for (size_t i = 0; i < PEM_CHANCE; i++)
        any |= chance[i];
    return any != 0;
}

static bool may_write(const struct pem_order *order, struct pem_flaw *reterr)
{
    if ((profiles[order->profile].mics >> order->mic & 1) == 0)
        return refuse(reterr, "this profile does not have that MIC algorithm");
    if (!check_strength(order, "the sender's", rsa_private_public(order->key), reterr))
        return false;
    if (!profiles[order->profile].names && order->certificate.n == 0)
        return refuse(reterr, "this profile needs a certificate of the sender's key");
    if (order->issuers_n > PEM_CERTIFICATES_MOST)
        return refuse(reterr, "the sender has more than 32 certificates above his own");
    if (order->type != PEM_ENCRYPTED)
        return true;
    if ((profiles[order->profile].deks >> order->dek & 1) == 0)
        return refuse(reterr, "this profile does not have that cipher");
    if (order->to_n == 0 || order->to_n > PEM_RECIPIENTS_MOST)
        return refuse(reterr, "an enciphered message has 1 to 1000 recipients");
    for (size_t i = 0; i < order->to_n; i++) {
        if (!check_strength(order, "a recipient's", order->to[i].key, reterr))
            return false;
        if (!profiles[order->profile].names && order->to[i].issuer.n == 0)
            return refuse(reterr, "this profile needs a certificate of each recipient");
    }
    return pem_has_chance(order->chance) || refuse(reterr, "there are no random octets");
}

/* ---- the header */

/* RIPEM 1.2a reads certificates of version 1 signed with MD2 and no other; RIPEM 3 knows no SHA256.
   Without one it takes the key as it is. */
static bool is_certificate_read(const struct pem_order *order)
{
    struct x509 cert;

    if (order->certificate.n == 0 || x509_read(order->certificate, &cert) != X509_WELL)
        return false;
    if (order->profile == PEM_PROFILE_RIPEM12)
        return cert.version == 1 && cert.digest_known && cert.digest == DIGEST_MD2;
    if (order->profile == PEM_PROFILE_RIPEM3)
        return cert.digest_known && cert.digest != DIGEST_SHA256;
    return true;
}

static void put_key(const struct pem_order *order, const char *name, struct rsa_public key,
                    struct buffer *to)
{
    struct buffer der = buffer_with_most(RSA_PKCS8_MOST);

    rsa_public_put(key, profiles[order->profile].form, &der);
    pem_put_field(to, name, buffer_bytes(&der));
    to->bad = to->bad || der.bad;
    buffer_done(&der);
}

static void put_name(const char *field, struct bytes name, struct buffer *to)
{
    buffer_put_text(to, field);
    buffer_put(to, BYTES(": "));
    buffer_put(to, name);
    buffer_put_char(to, '\n');
}

static void put_originator(const struct pem_order *order, struct buffer *to)
{
    bool certified = is_certificate_read(order);

    if (profiles[order->profile].names && order->from.n > 0)
        put_name("Originator-Name", order->from, to);
    if (!certified) {
        put_key(order, "Originator-Key-Asymmetric", rsa_private_public(order->key), to);
        return;
    }
    pem_put_field(to, "Originator-Certificate", order->certificate);
    for (size_t i = 0; i < order->issuers_n && order->profile != PEM_PROFILE_RIPEM12; i++)
        pem_put_field(to, "Issuer-Certificate", order->issuers[i]);
}

void pem_put_hex(struct buffer *to, const uint8_t *octets, size_t n)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < n; i++) {
        buffer_put_char(to, digits[octets[i] >> 4]);
        buffer_put_char(to, digits[octets[i] & 15]);
    }
}

static void put_mic(enum digest_kind mic, struct bytes signature, struct buffer *to)
{
    buffer_put(to, BYTES("MIC-Info: "));
    buffer_put_text(to, pem_digest_text(mic));
    buffer_put(to, BYTES(",RSA,\n"));
    pem_put_base64(to, " ", signature);
}

/* RFC 1421, 4.6.4: who, then the content key for him. */
static bool put_recipient(const struct pem_order *order, const struct pem_to *one,
                          struct bytes dek, struct buffer *to)
{
    struct buffer block = buffer_with_most(RSA_OCTETS_MOST);
    enum rsa_wrap wrap = profiles[order->profile].wrap;
    bool done = rsa_encipher(one->key, wrap, dek, &block);

    if (profiles[order->profile].names) {
        if (one->name.n > 0)
            put_name("Recipient-Name", one->name, to);
        put_key(order, "Recipient-Key-Asymmetric", one->key, to);
    } else {
        pem_put_field(to, "Recipient-ID-Asymmetric", one->issuer);
        to->n -= !to->bad;                              /* the comma stands behind the name */
        buffer_put(to, BYTES(",\n "));
        x509_put_serial(to, one->serial);
        buffer_put_char(to, '\n');
    }
    buffer_put_text(to, wrap == RSA_WRAP_OAEP ? "Key-Info: RSA-OAEP-SHA256,\n"
                                              : "Key-Info: RSA,\n");
    pem_put_base64(to, " ", buffer_bytes(&block));
    buffer_done(&block);
    return done;
}

/* ---- all of it */

struct writing {
    const struct pem_order *order;
    struct buffer canonical, signature, shut;
    struct ciphers ciphers;
    uint8_t dek[CIPHER_KEY_MOST], iv[CIPHER_IV_MOST];
};

static bool sign(struct writing *writing)
{
    uint8_t digest[DIGEST_MOST], info[DIGEST_INFO_MOST];
    enum digest_kind mic = writing->order->mic;

    if (!digest_of(mic, buffer_bytes(&writing->canonical), digest))
        return false;
    size_t n = digest_info(mic, digest, info);
    return rsa_sign(writing->order->key, (struct bytes){ (const char *)info, n },
                    &writing->signature);
}

/* Keys of DES have odd parity; that of DES-EDE is K1 K2 K1 (RFC 1423, 1.1). */
void pem_make_dek(enum cipher_kind kind, const uint8_t chance[static PEM_CHANCE], uint8_t *ret_dek,
                  uint8_t *ret_iv)
{
    size_t n = cipher_key_size(kind);

    memcpy(ret_dek, chance, n);
    memcpy(ret_iv, chance + CIPHER_KEY_MOST, CIPHER_IV_MOST);
    if (kind == CIPHER_DES_EDE_CBC)
        memcpy(ret_dek + 16, ret_dek, 8);
    if (cipher_is_weak(kind))
        cipher_set_parity(ret_dek, n);
    if (kind == CIPHER_AES_256_GCM)
        ret_iv[0] &= 0x7F;
}

/* The text and the signature go under the same key; in GCM under another nonce. */
static bool shut(struct writing *writing)
{
    enum cipher_kind kind = writing->order->dek;
    struct buffer signature = buffer_with_most(RSA_OCTETS_MOST + 64);
    uint8_t iv[CIPHER_IV_MOST];

    pem_make_dek(kind, writing->order->chance, writing->dek, writing->iv);
    memcpy(iv, writing->iv, sizeof(iv));
    if (kind == CIPHER_AES_256_GCM)
        iv[0] ^= 0x80;
    bool done = cipher_run(&writing->ciphers, kind, CIPHER_SEAL, writing->dek, writing->iv,
                           buffer_bytes(&writing->canonical), &writing->shut)
             && cipher_run(&writing->ciphers, kind, CIPHER_SEAL, writing->dek, iv,
                           buffer_bytes(&writing->signature), &signature);
    buffer_clear(&writing->signature);
    buffer_put(&writing->signature, buffer_bytes(&signature));
    buffer_done(&signature);
    return done;
}

static bool put_header(struct writing *writing, struct buffer *to)
{
    const struct pem_order *order = writing->order;
    bool done = true;

    pem_put_begin(to, profiles[order->profile].version, order->type);
    buffer_put(to, BYTES("Content-Domain: RFC822\n"));
    if (order->type == PEM_ENCRYPTED) {
        buffer_put(to, BYTES("DEK-Info: "));
        buffer_put_text(to, pem_cipher_text(order->dek));
        buffer_put_char(to, ',');
        pem_put_hex(to, writing->iv, cipher_iv_size(order->dek));
        buffer_put_char(to, '\n');
    }
    put_originator(order, to);
    put_mic(order->mic, buffer_bytes(&writing->signature), to);
    for (size_t i = 0; i < order->to_n && done && order->type == PEM_ENCRYPTED; i++)
        done = put_recipient(order, &order->to[i],
                             (struct bytes){ (const char *)writing->dek,
                                             cipher_key_size(order->dek) }, to);
    buffer_put_char(to, '\n');
    return done;
}

static bool put_all(struct writing *writing, struct buffer *to, struct pem_flaw *reterr)
{
    const struct pem_order *order = writing->order;
    struct bytes canonical = buffer_bytes(&writing->canonical);

    if (order->type == PEM_MIC_CLEAR && !pem_may_be_clear(canonical, order->profile, reterr))
        return false;
    if (!sign(writing) || (order->type == PEM_ENCRYPTED && !shut(writing))
        || !put_header(writing, to))
        return refuse(reterr, "signing or enciphering failed");
    if (order->type == PEM_MIC_CLEAR)
        pem_put_clear(to, canonical);
    else
        pem_put_base64(to, "", order->type == PEM_ENCRYPTED ? buffer_bytes(&writing->shut)
                                                           : canonical);
    pem_put_end(to);
    return !to->bad || refuse(reterr, "memory is short");
}

static void wipe(struct buffer *buffer)
{
    if (buffer->room > 0)
        mem_wipe(buffer->at, buffer->room);
    buffer_done(buffer);
}

bool pem_write(const struct pem_order *order, struct bytes text, struct buffer *to,
               struct pem_flaw *reterr_flaw)
{
    struct writing writing = {
        .order = order, .canonical = buffer_with_most(CANONICAL_MOST),
        .signature = buffer_with_most(RSA_OCTETS_MOST + 64),
        .shut = buffer_with_most(CANONICAL_MOST),
    };

    assert(order->type <= PEM_MIC_CLEAR && order->has_mic && order->has_dek);
    if (!may_write(order, reterr_flaw))
        return false;
    pem_put_canonical(&writing.canonical, text);
    bool done = writing.canonical.bad ? refuse(reterr_flaw, "memory is short")
                                      : put_all(&writing, to, reterr_flaw);
    wipe(&writing.canonical);
    wipe(&writing.signature);
    wipe(&writing.shut);
    ciphers_done(&writing.ciphers);
    mem_wipe(writing.dek, sizeof(writing.dek));
    return done;
}

/* ---- converting */

/* What is written must verify, or it is not written. */
static bool is_still_signed(const struct pem_found *found, struct bytes canonical)
{
    uint8_t digest[DIGEST_MOST], info[DIGEST_INFO_MOST];

    if (!digest_of(found->mic, canonical, digest))
        return false;
    size_t n = digest_info(found->mic, digest, info);
    return rsa_signed(found->key, found->signature, (struct bytes){ (const char *)info, n });
}

bool pem_convert(const struct pem_found *found, enum pem_type type, struct bytes text,
                 struct buffer *to, struct pem_flaw *reterr_flaw)
{
    struct buffer canonical = buffer_with_most(CANONICAL_MOST);
    const struct pem_header *header = &found->header;
    bool done = false;

    if (!pem_is_good(found->verdict) || !found->verified || !header->has_mic)
        return refuse(reterr_flaw, "only what was found good, and is signed, can be converted");
    pem_put_canonical(&canonical, text);
    if (canonical.bad || !is_still_signed(found, buffer_bytes(&canonical)))
        (void)refuse(reterr_flaw, "the text has line ends that cannot be kept");
    else
        done = type != PEM_MIC_CLEAR
            || pem_may_be_clear(buffer_bytes(&canonical), header->version == 2001
                                ? PEM_PROFILE_RIPEM12 : PEM_PROFILE_RFC1421, reterr_flaw);
    if (done) {
        pem_put_begin(to, header->version, type);
        if (header->domain.n > 0 || header->version == 4)
            buffer_put(to, BYTES("Content-Domain: RFC822\n"));
        buffer_put(to, header->originator_text);
        put_mic(found->mic, found->signature, to);
        buffer_put_char(to, '\n');
        if (type == PEM_MIC_CLEAR)
            pem_put_clear(to, buffer_bytes(&canonical));
        else
            pem_put_base64(to, "", buffer_bytes(&canonical));
        pem_put_end(to);
    }
    wipe(&canonical);
    return done && (!to->bad || refuse(reterr_flaw, "memory is short"));
}
