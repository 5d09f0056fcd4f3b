/* SPDX-License-Identifier: ISC */
#include "seal/keyring.h"

#include "base/arena.h"

#include <string.h>

enum { HEX_LEAST = 8 };

struct list {
    void *at;
    size_t n, room, size;
};

struct keyring {
    struct arena arena;         /* of the octets; the entries stand in the lists */
    struct list keys, secrets, crls, anchors;
};

struct keyring *keyring_new(void)
{
    struct keyring *ring = mem_new(sizeof(*ring));

    if (ring == NULL)
        return NULL;
    ring->arena = arena_with_ceiling(KEYRING_OCTETS_MOST);
    ring->keys.size = sizeof(struct keyring_key);
    ring->secrets.size = sizeof(struct keyring_secret);
    ring->crls.size = sizeof(struct x509_crl);
    ring->anchors.size = sizeof(struct keyring_anchor);
    return ring;
}

void keyring_free(struct keyring *ring)
{
    if (ring == NULL)
        return;
    mem_free(ring->keys.at);
    mem_free(ring->secrets.at);
    mem_free(ring->crls.at);
    mem_free(ring->anchors.at);
    arena_done(&ring->arena);
    mem_free(ring);
}

/* ---- adding */

static enum keyring_result append(struct list *list, const void *entry)
{
    if (list->n == KEYRING_ENTRIES_MOST)
        return KEYRING_FULL;
    if (list->n == list->room) {
        size_t room = list->room == 0 ? 16 : 2 * list->room;
        void *at = mem_resize(list->at, room * list->size);
        if (at == NULL)
            return KEYRING_FULL;
        list->at = at;
        list->room = room;
    }
    memcpy((char *)list->at + list->n++ * list->size, entry, list->size);
    return KEYRING_ADDED;
}

static bool has_name(const struct bytes *names, size_t n, struct bytes name)
{
    for (size_t i = 0; i < n; i++)
        if (bytes_equal_nocase(names[i], name))
            return true;
    return false;
}

/* Copies of what is not there yet; what is one too many is left out. */
static bool add_names(struct arena *arena, struct bytes *to, size_t *n, const struct bytes *names,
                      size_t names_n)
{
    for (size_t i = 0; i < names_n && *n < KEYRING_NAMES_MOST; i++) {
        if (names[i].n == 0 || names[i].n > KEYRING_NAME_MOST || has_name(to, *n, names[i]))
            continue;
        to[*n] = arena_copy(arena, names[i]);
        if (to[*n].at == NULL)
            return false;
        *n += 1;
    }
    return true;
}

static struct keyring_key *key_at(const struct keyring *ring, size_t i)
{
    return (struct keyring_key *)ring->keys.at + i;
}

static enum keyring_result add_key(struct keyring *ring, struct keyring_key *entry,
                                   const struct bytes *names, size_t names_n)
{
    struct bytes rest = entry->certified ? entry->cert.alternative : BYTES_NONE;
    struct bytes own = entry->certified ? dname_mailbox(entry->cert.subject) : BYTES_NONE;
    bool well = add_names(&ring->arena, entry->names, &entry->names_n, names, names_n)
             && add_names(&ring->arena, entry->names, &entry->names_n, &own, 1);

    while (well && x509_next_mailbox(&rest, &own))
        well = add_names(&ring->arena, entry->names, &entry->names_n, &own, 1);
    return well ? append(&ring->keys, entry) : KEYRING_FULL;
}

enum keyring_result keyring_add_cert(struct keyring *ring, struct bytes der,
                                     const struct bytes *names, size_t names_n)
{
    struct keyring_key entry = { .certified = true };

    for (size_t i = 0; i < ring->keys.n; i++)
        if (key_at(ring, i)->certified && bytes_equal(key_at(ring, i)->cert.der, der))
            return add_names(&ring->arena, key_at(ring, i)->names, &key_at(ring, i)->names_n,
                             names, names_n) ? KEYRING_KNOWN : KEYRING_FULL;
    if (x509_read(der, &entry.cert) != X509_WELL)
        return KEYRING_REFUSED;
    struct bytes kept = arena_copy(&ring->arena, der);
    if (kept.at == NULL)
        return KEYRING_FULL;
    if (x509_read(kept, &entry.cert) != X509_WELL)
        return KEYRING_REFUSED;
    entry.key = entry.cert.key;
    return add_key(ring, &entry, names, names_n);
}

enum keyring_result keyring_add_public(struct keyring *ring, struct bytes der,
                                       const struct bytes *names, size_t names_n)
{
    struct keyring_key entry = { 0 };

    if (!rsa_public_read(der, &entry.key))
        return KEYRING_REFUSED;
    for (size_t i = 0; i < ring->keys.n; i++)
        if (!key_at(ring, i)->certified && rsa_equal(key_at(ring, i)->key, entry.key))
            return add_names(&ring->arena, key_at(ring, i)->names, &key_at(ring, i)->names_n,
                             names, names_n) ? KEYRING_KNOWN : KEYRING_FULL;
    struct bytes kept = arena_copy(&ring->arena, der);
    if (kept.at == NULL)
        return KEYRING_FULL;
    if (!rsa_public_read(kept, &entry.key))
        return KEYRING_REFUSED;
    return add_key(ring, &entry, names, names_n);
}

enum keyring_result keyring_add_crl(struct keyring *ring, struct bytes der)
{
    const struct x509_crl *crls = ring->crls.at;
    struct x509_crl crl;

    for (size_t i = 0; i < ring->crls.n; i++)
        if (bytes_equal(crls[i].der, der))
            return KEYRING_KNOWN;
    if (x509_crl_read(der, &crl) != X509_WELL)
        return KEYRING_REFUSED;
    struct bytes kept = arena_copy(&ring->arena, der);
    if (kept.at == NULL)
        return KEYRING_FULL;
    return x509_crl_read(kept, &crl) == X509_WELL ? append(&ring->crls, &crl) : KEYRING_REFUSED;
}

static bool copy_half(struct arena *arena, struct rsa_public half, struct rsa_public *ret_half)
{
    ret_half->modulus = arena_copy(arena, half.modulus);
    ret_half->exponent = arena_copy(arena, half.exponent);
    return ret_half->modulus.at != NULL && ret_half->exponent.at != NULL;
}

enum keyring_result keyring_add_secret(struct keyring *ring, struct bytes sealed,
                                       const struct rsa_public *half, const struct bytes *names,
                                       size_t names_n)
{
    struct keyring_secret entry = { .half_known = half != NULL };
    const struct keyring_secret *secrets = ring->secrets.at;

    if (sealed.n == 0 || sealed.n > RSA_PKCS8_MOST)
        return KEYRING_REFUSED;
    for (size_t i = 0; i < ring->secrets.n; i++)
        if (bytes_equal(secrets[i].sealed, sealed))
            return KEYRING_KNOWN;
    entry.sealed = arena_copy(&ring->arena, sealed);
    if (entry.sealed.at == NULL
        || (half != NULL && !copy_half(&ring->arena, *half, &entry.half))
        || !add_names(&ring->arena, entry.names, &entry.names_n, names, names_n))
        return KEYRING_FULL;
    return append(&ring->secrets, &entry);
}

enum keyring_result keyring_add_anchor(struct keyring *ring, const struct keyring_anchor *anchor)
{
    struct keyring_anchor *anchors = ring->anchors.at;

    for (size_t i = 0; i < ring->anchors.n; i++) {
        if (memcmp(anchors[i].digest, anchor->digest, KEY_DIGEST) == 0) {
            anchors[i] = *anchor;
            return KEYRING_KNOWN;
        }
    }
    return append(&ring->anchors, anchor);
}

/* ---- digests */

static bool digest_spki(struct rsa_public key, enum rsa_form form, enum digest_kind kind,
                        uint8_t *ret, size_t n)
{
    struct buffer der = buffer_with_most(RSA_PKCS8_MOST);
    uint8_t digest[DIGEST_MOST];

    rsa_public_put(key, form, &der);
    bool done = !der.bad && digest_of(kind, buffer_bytes(&der), digest);
    if (done)
        memcpy(ret, digest, n);
    buffer_done(&der);
    return done;
}

bool keyring_digest(struct rsa_public key, uint8_t ret_digest[static KEY_DIGEST])
{
    return digest_spki(key, RSA_SPKI, DIGEST_SHA256, ret_digest, KEY_DIGEST);
}

bool keyring_ripem_digest(struct rsa_public key, uint8_t ret_digest[static 16])
{
    return digest_spki(key, RSA_SPKI_1989, DIGEST_MD5, ret_digest, 16);
}

/* ---- finding */

/* Do the digest's first digits say `hex`? */
static bool begins_with_hex(const uint8_t *digest, size_t n, struct bytes hex)
{
    static const char digits[] = "0123456789abcdef";
    size_t at = 0;

    for (size_t i = 0; i < hex.n; i++) {
        char c = to_lower(hex.at[i]);
        if (c == ' ' || c == ':')
            continue;
        if (at == 2 * n || c != digits[at % 2 == 0 ? digest[at / 2] >> 4 : digest[at / 2] & 15])
            return false;
        at++;
    }
    return at >= HEX_LEAST;
}

static bool key_has_digest(struct rsa_public key, struct bytes hex)
{
    uint8_t digest[KEY_DIGEST];

    return (keyring_digest(key, digest) && begins_with_hex(digest, KEY_DIGEST, hex))
        || (keyring_ripem_digest(key, digest) && begins_with_hex(digest, 16, hex));
}

static bool cert_has_digest(const struct x509 *cert, struct bytes hex)
{
    uint8_t digest[DIGEST_MOST];

    return (digest_of(DIGEST_MD5, cert->der, digest) && begins_with_hex(digest, 16, hex))
        || (digest_of(DIGEST_SHA256, cert->der, digest) && begins_with_hex(digest, 32, hex));
}

static bool is_named(const struct x509 *cert, struct bytes issuer, struct bytes serial)
{
    return x509_serial_equal(cert->serial, serial) && dname_equal(cert->issuer, issuer);
}

static bool key_fits(const struct keyring_key *one, const struct keyring_query *query)
{
    return (query->name.n == 0 || has_name(one->names, one->names_n, query->name))
        && (query->key == NULL || rsa_equal(one->key, *query->key))
        && (query->issuer.n == 0
            || (one->certified && is_named(&one->cert, query->issuer, query->serial)))
        && (query->digest.n == 0 || key_has_digest(one->key, query->digest)
            || (one->certified && cert_has_digest(&one->cert, query->digest)));
}

const struct keyring_key *keyring_find(const struct keyring *ring,
                                       const struct keyring_query *query,
                                       const struct keyring_key *after)
{
    size_t from = after == NULL ? 0 : (size_t)(after - key_at(ring, 0)) + 1;

    for (size_t i = from; i < ring->keys.n; i++)
        if (key_fits(key_at(ring, i), query))
            return key_at(ring, i);
    return NULL;
}

/* By what is known of the key itself, or through any certificate of it. */
static bool secret_fits(const struct keyring *ring, const struct keyring_secret *one,
                        const struct keyring_query *query)
{
    struct keyring_query of_key = *query;
    bool by_key = query->key == NULL || (one->half_known && rsa_equal(one->half, *query->key));
    bool by_name = query->name.n == 0 || has_name(one->names, one->names_n, query->name);

    if (by_key && by_name && query->issuer.n == 0
        && (query->digest.n == 0 || (one->half_known && key_has_digest(one->half, query->digest))))
        return true;
    if (!one->half_known || !by_key)
        return false;
    of_key.key = &one->half;
    return keyring_find(ring, &of_key, NULL) != NULL;
}

const struct keyring_secret *keyring_find_secret(const struct keyring *ring,
                                                 const struct keyring_query *query,
                                                 const struct keyring_secret *after)
{
    const struct keyring_secret *secrets = ring->secrets.at;
    size_t from = after == NULL ? 0 : (size_t)(after - secrets) + 1;

    for (size_t i = from; i < ring->secrets.n; i++)
        if (secret_fits(ring, &secrets[i], query))
            return &secrets[i];
    return NULL;
}

static const struct keyring_anchor *find_anchor(const struct keyring *ring, const uint8_t *digest)
{
    const struct keyring_anchor *anchors = ring->anchors.at;

    for (size_t i = 0; i < ring->anchors.n; i++)
        if (memcmp(anchors[i].digest, digest, KEY_DIGEST) == 0)
            return &anchors[i];
    return NULL;
}

const struct keyring_anchor *keyring_trust(const struct keyring *ring, struct rsa_public key)
{
    uint8_t digest[KEY_DIGEST];

    return ring->anchors.n > 0 && keyring_digest(key, digest) ? find_anchor(ring, digest) : NULL;
}

const struct keyring_anchor *keyring_trust_cert(const struct keyring *ring,
                                                const struct x509 *cert)
{
    uint8_t digest[DIGEST_MOST];

    return ring->anchors.n > 0 && digest_of(DIGEST_SHA256, cert->der, digest)
         ? find_anchor(ring, digest) : NULL;
}

size_t keyring_crls(const struct keyring *ring, const struct x509_crl **ret_crls)
{
    *ret_crls = ring->crls.at;
    return ring->crls.n;
}

size_t keyring_anchors(const struct keyring *ring, const struct keyring_anchor **ret_anchors)
{
    *ret_anchors = ring->anchors.at;
    return ring->anchors.n;
}

bool keyring_drop_anchor(struct keyring *ring, const uint8_t digest[static KEY_DIGEST])
{
    struct keyring_anchor *anchors = ring->anchors.at;

    for (size_t i = 0; i < ring->anchors.n; i++) {
        if (memcmp(anchors[i].digest, digest, KEY_DIGEST) == 0) {
            anchors[i] = anchors[--ring->anchors.n];
            return true;
        }
    }
    return false;
}
