/* SPDX-License-Identifier: ISC
 *
 * Values of fields: RFC 1421, 4.6 and 9 (grammar); RFC 1423 for names of algorithms.
 */
#include "seal/pem_int.h"

#include "base/base64.h"

#include <string.h>

static void put(char *to, size_t room, const char *text)
{
    size_t at = strlen(to);

    while (at + 1 < room && *text != '\0')
        to[at++] = *text++;
    to[at] = '\0';
}

bool pem_flaw(struct pem_flaw *reterr, uint32_t line, enum pem_verdict verdict, const char *name,
              const char *what)
{
    *reterr = (struct pem_flaw){ .line = line, .verdict = verdict };
    put(reterr->words, sizeof(reterr->words), name);
    put(reterr->words, sizeof(reterr->words), name[0] == '\0' ? "" : " ");
    put(reterr->words, sizeof(reterr->words), what);
    return false;
}

bool pem_base64(struct bytes text, struct arena *arena, struct bytes *ret_octets)
{
    struct base64_decoder decoder = { 0 };
    struct buffer octets = buffer_with_most(PEM_HEADER_MOST);
    enum { BAD = BASE64_ODD_OCTET | BASE64_INSIDE_PAD | BASE64_BAD_PAD };

    base64_decode(&decoder, text, &octets);
    base64_decode_end(&decoder, &octets);
    bool done = !octets.bad && (decoder.flaws & BAD) == 0 && octets.n > 0;
    if (done) {
        *ret_octets = arena_copy(arena, buffer_bytes(&octets));
        done = ret_octets->at != NULL;
    }
    buffer_done(&octets);
    return done;
}

static int hex_of(char c)
{
    if (is_digit(c))
        return c - '0';
    c = to_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool pem_hex(struct bytes text, struct arena *arena, struct bytes *ret_octets)
{
    char *at = arena_take(arena, text.n / 2 + 1);

    if (at == NULL || text.n == 0 || text.n % 2 != 0)
        return false;
    for (size_t i = 0; i < text.n; i += 2) {
        int high = hex_of(text.at[i]), low = hex_of(text.at[i + 1]);
        if (high < 0 || low < 0)
            return false;
        at[i / 2] = (char)(uint8_t)(high << 4 | low);
    }
    *ret_octets = (struct bytes){ at, text.n / 2 };
    return true;
}

bool pem_arguments(struct bytes value, struct bytes *ret_arguments, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t comma = bytes_find(value, ',');
        if ((comma < value.n) != (i + 1 < n))
            return false;
        ret_arguments[i] = bytes_trim(bytes_first(value, comma));
        value = bytes_skip(value, comma + 1);
    }
    return true;
}

/* Serial numbers are written in hexadecimal; some wrote an odd number of digits. */
static bool take_serial(struct bytes text, struct arena *arena, struct bytes *ret_serial)
{
    char *even = arena_take(arena, text.n + 2);
    struct bytes octets;

    if (even == NULL || text.n == 0)
        return false;
    even[0] = '0';
    memcpy(even + 1, text.at, text.n);
    struct bytes whole = { even + (text.n % 2 == 0), text.n + text.n % 2 };
    if (!pem_hex(whole, arena, &octets))
        return false;
    while (octets.n > 0 && octets.at[0] == 0)
        octets = bytes_skip(octets, 1);
    *ret_serial = octets;
    return true;
}

bool pem_issued(struct bytes value, struct arena *arena, struct pem_issued *ret_issued)
{
    struct bytes arguments[2];
    struct pem_issued issued;

    if (!pem_arguments(value, arguments, 2) || !pem_base64(arguments[0], arena, &issued.issuer)
        || !take_serial(arguments[1], arena, &issued.serial))
        return false;
    *ret_issued = issued;
    return true;
}

/* ---- names of algorithms: the first of a kind is how it is written */

static const struct {
    const char *name;
    enum digest_kind kind;
} digests[] = {
    { "RSA-MD2", DIGEST_MD2 }, { "MD2", DIGEST_MD2 },
    { "RSA-MD5", DIGEST_MD5 }, { "MD5", DIGEST_MD5 },
    { "SHA1", DIGEST_SHA1 }, { "SHA-1", DIGEST_SHA1 }, { "RSA-SHA1", DIGEST_SHA1 },
    { "SHA256", DIGEST_SHA256 }, { "SHA-256", DIGEST_SHA256 }, { "RSA-SHA256", DIGEST_SHA256 },
};

static const struct {
    const char *name;
    enum cipher_kind kind;
} ciphers[] = {
    { "DES-CBC", CIPHER_DES_CBC }, { "DES-EDE-CBC", CIPHER_DES_EDE_CBC },
    { "AES-256-GCM", CIPHER_AES_256_GCM },
};

bool pem_digest_of(struct bytes name, enum digest_kind *ret_kind)
{
    for (size_t i = 0; i < COUNT(digests); i++) {
        if (bytes_equal_nocase(name, bytes_of(digests[i].name))) {
            *ret_kind = digests[i].kind;
            return true;
        }
    }
    return false;
}

bool pem_cipher_of(struct bytes name, enum cipher_kind *ret_kind)
{
    for (size_t i = 0; i < COUNT(ciphers); i++) {
        if (bytes_equal_nocase(name, bytes_of(ciphers[i].name))) {
            *ret_kind = ciphers[i].kind;
            return true;
        }
    }
    return false;
}

const char *pem_digest_text(enum digest_kind kind)
{
    for (size_t i = 0; i < COUNT(digests); i++)
        if (digests[i].kind == kind)
            return digests[i].name;
    return "";
}

const char *pem_cipher_text(enum cipher_kind kind)
{
    for (size_t i = 0; i < COUNT(ciphers); i++)
        if (ciphers[i].kind == kind)
            return ciphers[i].name;
    return "";
}

/* ---- fields */

bool pem_take_dek(const struct pem_field *field, struct arena *arena, struct pem_header *header,
                  struct pem_flaw *reterr_flaw)
{
    struct bytes arguments[2], iv;

    header->has_dek = true;
    header->dek_name = bytes_trim(bytes_upto(field->value, ','));
    header->dek_known = pem_cipher_of(header->dek_name, &header->dek);
    if (!header->dek_known)
        return header->dek_name.n > 0
            || pem_flaw(reterr_flaw, field->line, PEM_MALFORMED, "DEK-Info", "names no algorithm");
    if (!pem_arguments(field->value, arguments, 2) || !pem_hex(arguments[1], arena, &iv)
        || iv.n != cipher_iv_size(header->dek))
        return pem_flaw(reterr_flaw, field->line, PEM_MALFORMED, "DEK-Info",
                        "has no initialization vector of the right length");
    memcpy(header->iv, iv.at, iv.n);
    /* Our extension: the nonce with its first bit set is the signature's. */
    if (header->dek == CIPHER_AES_256_GCM && (header->iv[0] & 0x80) != 0)
        return pem_flaw(reterr_flaw, field->line, PEM_MALFORMED, "DEK-Info",
                        "has a nonce that begins with a set bit");
    return true;
}

/* RFC 1424 writes RSA first; RFC 1421 the MIC's algorithm. */
bool pem_take_mic(const struct pem_field *field, struct arena *arena, struct pem_header *header,
                  struct pem_flaw *reterr_flaw)
{
    struct bytes arguments[3];

    if (!pem_arguments(field->value, arguments, 3))
        return pem_flaw(reterr_flaw, field->line, PEM_MALFORMED, "MIC-Info",
                        "has not three arguments");
    bool turned = bytes_equal_nocase(arguments[0], BYTES("RSA"));
    header->has_mic = true;
    header->mic_name = arguments[turned ? 1 : 0];
    header->mic_known = pem_digest_of(header->mic_name, &header->mic)
        && (turned || bytes_equal_nocase(arguments[1], BYTES("RSA")));
    if (!pem_base64(arguments[2], arena, &header->signature))
        return pem_flaw(reterr_flaw, field->line, PEM_MALFORMED, "MIC-Info",
                        "has a signature that is no base64");
    return true;
}

/* RFC 1421, 4.6.4.1: DES-ECB or DES-EDE, the MIC's algorithm, the DEK and the MIC under the key
   that both know. */
static bool take_symmetric_key(const struct pem_field *field, struct arena *arena,
                               struct pem_party *party, struct pem_flaw *reterr_flaw)
{
    struct bytes arguments[4];

    if (!pem_arguments(field->value, arguments, 4)
        || !pem_hex(arguments[2], arena, &party->key)
        || !pem_hex(arguments[3], arena, &party->key_mic)
        || !pem_digest_of(arguments[1], &party->key_mic_kind))
        return pem_flaw(reterr_flaw, field->line, PEM_MALFORMED, "Key-Info",
                        "has not algorithm, MIC algorithm, key and MIC");
    size_t mic = digest_size(party->key_mic_kind), blocks = (mic + 7) / 8 * 8;
    if ((party->key.n != 8 && party->key.n != 16 && party->key.n != 24 && party->key.n != 32)
        || party->key_mic.n != blocks)
        return pem_flaw(reterr_flaw, field->line, PEM_MALFORMED, "Key-Info",
                        "has a key or a MIC of wrong length");
    return true;
}

bool pem_take_key(const struct pem_field *field, struct arena *arena, struct pem_party *party,
                  struct pem_flaw *reterr_flaw)
{
    struct bytes name = bytes_trim(bytes_upto(field->value, ',')), arguments[2];

    if (party->way != PEM_KEY_NONE)
        return pem_flaw(reterr_flaw, field->line, PEM_MALFORMED, "Key-Info",
                        "stands twice for one party");
    party->way = bytes_equal_nocase(name, BYTES("RSA")) ? PEM_KEY_RSA
               : bytes_equal_nocase(name, BYTES("RSA-OAEP-SHA256")) ? PEM_KEY_RSA_OAEP
               : bytes_equal_nocase(name, BYTES("DES-ECB")) ? PEM_KEY_DES_ECB
               : bytes_equal_nocase(name, BYTES("DES-EDE")) ? PEM_KEY_DES_EDE : PEM_KEY_OTHER;
    if (party->way == PEM_KEY_OTHER)
        return name.n > 0 || pem_flaw(reterr_flaw, field->line, PEM_MALFORMED, "Key-Info",
                                      "names no algorithm");
    if (!pem_is_rsa(party->way))
        return take_symmetric_key(field, arena, party, reterr_flaw);
    if (!pem_arguments(field->value, arguments, 2)
        || !pem_base64(arguments[1], arena, &party->key))
        return pem_flaw(reterr_flaw, field->line, PEM_MALFORMED, "Key-Info",
                        "has a key that is no base64");
    return true;
}

static bool take_symmetric(struct bytes value, struct pem_symmetric *ret)
{
    struct bytes arguments[3];

    if (!pem_arguments(value, arguments, 3) || arguments[0].n == 0)
        return false;
    *ret = (struct pem_symmetric){ arguments[0], arguments[1], arguments[2] };
    return true;
}

bool pem_take_party(const struct pem_field *field, struct arena *arena, struct pem_party *party,
                    struct pem_flaw *reterr_flaw)
{
    const char *name = pem_field_text(field->name);
    bool done = true;

    if (party->line == 0)
        party->line = field->line;
    if (field->name == PEM_FIELD_ORIGINATOR_NAME || field->name == PEM_FIELD_RECIPIENT_NAME)
        party->name = field->value;
    else if (field->name == PEM_FIELD_ORIGINATOR_CERTIFICATE)
        done = pem_base64(field->value, arena, &party->certificate);
    else if (field->name == PEM_FIELD_ORIGINATOR_KEY || field->name == PEM_FIELD_RECIPIENT_KEY)
        done = pem_base64(field->value, arena, &party->spki);
    else if (field->name == PEM_FIELD_ORIGINATOR_ID_ASYMMETRIC
             || field->name == PEM_FIELD_RECIPIENT_ID_ASYMMETRIC)
        done = pem_issued(field->value, arena, &party->issued);
    else
        done = take_symmetric(field->value, &party->symmetric);
    return done || pem_flaw(reterr_flaw, field->line, PEM_MALFORMED, name,
                            "cannot be read");
}
