/* SPDX-License-Identifier: ISC */
#include "seal/pem_keys.h"

#include "seal/pem_int.h"
#include "seal/pem_reader.h"

#include <string.h>

/* ---- the sender */

static void try_key(struct pem_sender *sender, struct rsa_public key)
{
    for (size_t i = 0; i < sender->tries_n; i++)
        if (rsa_equal(sender->tries[i], key))
            return;
    if (sender->tries_n < PEM_TRIED_KEYS_MOST)
        sender->tries[sender->tries_n++] = key;
}

static void try_ring(const struct pem_keys *keys, const struct keyring_query *query,
                     struct pem_sender *sender)
{
    const struct keyring_key *one = NULL;

    while (keys->ring != NULL && (one = keyring_find(keys->ring, query, one)) != NULL)
        try_key(sender, one->key);
}

/* The certificates that came with the message; what cannot be read is left out. */
static size_t read_more(const struct pem_header *header, struct x509 *ret)
{
    size_t n = 0;

    for (size_t i = 0; i < header->certificates_n; i++)
        n += x509_read(header->certificates[i], &ret[n]) == X509_WELL;
    return n;
}

/* `use`: what the certificate must allow its key for what it signed. */
static void judge_path(const struct pem_keys *keys, const struct pem_header *header,
                       enum x509_use use, struct pem_sender *sender)
{
    struct x509 more[PEM_CERTIFICATES_MOST];
    size_t n = header == NULL ? 0 : read_more(header, more);

    sender->certified = true;
    if (keys->ring != NULL)
        cert_judge(keys->ring, &sender->cert, more, n, &keys->rules, &sender->path);
    sender->trusted = sender->path.trusted && sender->path.status <= CERT_REVOCATION_UNKNOWN
                   && (sender->cert.uses & use) != 0;
}

bool pem_find_sender(const struct pem_keys *keys, const struct pem_header *header,
                     struct pem_sender *ret_sender, struct pem_flaw *reterr_flaw)
{
    const struct pem_party *from = &header->originator;
    struct pem_sender sender = { 0 };

    if (header->type == PEM_CRL || header->type == PEM_CRL_RETRIEVAL_REQUEST)
        return true;
    if (from->certificate.n > 0) {
        enum x509_flaw flaw = x509_read(from->certificate, &sender.cert);
        if (flaw != X509_WELL)
            return pem_flaw(reterr_flaw, from->line, PEM_MALFORMED, "Originator-Certificate",
                            x509_flaw_words(flaw));
        try_key(&sender, sender.cert.key);
        sender.from_message = true;
        judge_path(keys, header, X509_MAY_SIGN, &sender);
    } else if (from->spki.n > 0) {
        struct rsa_public key;
        if (!rsa_public_read(from->spki, &key))
            return pem_flaw(reterr_flaw, from->line, PEM_MALFORMED, "Originator-Key-Asymmetric",
                            "is no RSA key that can be used");
        try_key(&sender, key);
        sender.from_message = true;
    } else if (from->issued.issuer.n > 0) {
        struct keyring_query query = { .issuer = from->issued.issuer,
                                       .serial = from->issued.serial };
        try_ring(keys, &query, &sender);
    } else if (from->name.n > 0) {
        struct keyring_query query = { .name = from->name };
        try_ring(keys, &query, &sender);
    }
    sender.known = sender.tries_n > 0;
    *ret_sender = sender;
    return true;
}

void pem_judge_sender(const struct pem_keys *keys, struct rsa_public key,
                      struct pem_sender *sender)
{
    struct keyring_query query = { .key = &key };
    const struct keyring_key *one = NULL;

    if (keys->ring == NULL || sender->trusted)
        return;
    sender->trusted = !sender->certified && keyring_trust(keys->ring, key) != NULL;
    while (!sender->certified && (one = keyring_find(keys->ring, &query, one)) != NULL) {
        if (!one->certified)
            continue;
        bool trusted = sender->trusted;
        sender->cert = one->cert;
        judge_path(keys, NULL, X509_MAY_SIGN, sender);
        sender->trusted = sender->trusted || trusted;
    }
}

/* ---- ours */

static bool is_ours(const struct pem_keys *keys, const struct pem_party *party,
                    const struct pem_own *own)
{
    struct rsa_public mine = rsa_private_public(own->key), key;

    if (party->spki.n > 0 && rsa_public_read(party->spki, &key) && rsa_equal(key, mine))
        return true;
    if (party->certificate.n > 0) {
        struct x509 cert;
        return x509_read(party->certificate, &cert) == X509_WELL && rsa_equal(cert.key, mine);
    }
    if (party->issued.issuer.n > 0 && keys->ring != NULL) {
        struct keyring_query query = { .issuer = party->issued.issuer, .key = &mine,
                                       .serial = party->issued.serial };
        if (keyring_find(keys->ring, &query, NULL) != NULL)
            return true;
    }
    return party->spki.n == 0 && party->name.n > 0 && own->name.n > 0
        && bytes_equal_nocase(party->name, own->name);
}

const struct pem_party *pem_find_own(const struct pem_keys *keys, const struct pem_header *header,
                                     const struct rsa_private **ret_key)
{
    for (size_t i = 0; i <= header->recipients_n; i++) {
        const struct pem_party *party = i < header->recipients_n ? &header->recipients[i]
                                                                 : &header->originator;
        for (size_t j = 0; j < keys->own_n && pem_is_rsa(party->way); j++) {
            if (is_ours(keys, party, &keys->own[j])) {
                *ret_key = keys->own[j].key;
                return party;
            }
        }
    }
    return NULL;
}

/* RFC 1421, 4.6.2.1.1: an issuer or version that is left out is the one named before. */
static bool is_shared(const struct pem_symmetric *id, const struct pem_interchange *one)
{
    return bytes_equal_nocase(id->entity, one->entity)
        && (one->issuer.n == 0 || bytes_equal_nocase(id->issuer, one->issuer))
        && (one->version.n == 0 || bytes_equal_nocase(id->version, one->version));
}

const struct pem_party *pem_find_interchange(const struct pem_keys *keys,
                                             const struct pem_header *header,
                                             const struct pem_interchange **ret_key)
{
    for (size_t i = 0; i < header->recipients_n; i++) {
        const struct pem_party *party = &header->recipients[i];
        bool shared = party->way == PEM_KEY_DES_ECB || party->way == PEM_KEY_DES_EDE;
        for (size_t j = 0; j < keys->interchange_n && shared; j++) {
            if (is_shared(&party->symmetric, &keys->interchange[j])) {
                *ret_key = &keys->interchange[j];
                return party;
            }
        }
    }
    return NULL;
}

/* ---- words */

void pem_put_sender(const struct pem_header *header, const struct pem_sender *sender,
                    struct buffer *to)
{
    const struct pem_party *from = &header->originator;

    if (sender->certified)
        dname_put_text(sender->cert.subject, to);
    else if (from->name.n > 0)
        buffer_put(to, from->name);
    else if (from->symmetric.entity.n > 0)
        buffer_put(to, from->symmetric.entity);
    else if (from->issued.issuer.n > 0)
        dname_put_text(from->issued.issuer, to);
}

/* ---- lists of revoked certificates */

/* The certificate that signed a list: behind it in the message, else in the keyring. */
static bool is_list_signed(const struct pem_keys *keys, const struct pem_header *header,
                           const struct x509_crl *crl, struct pem_sender *sender, bool *ret_known)
{
    struct x509 more[PEM_CERTIFICATES_MOST];
    size_t n = read_more(header, more);
    const struct keyring_key *one = NULL;
    struct keyring_query all = { 0 };

    *ret_known = false;
    for (size_t i = 0; i < n; i++) {
        if (!dname_equal(more[i].subject, crl->issuer))
            continue;
        *ret_known = true;
        sender->cert = more[i];
        if (x509_crl_signed_by(crl, more[i].key))
            return true;
    }
    while (keys->ring != NULL && (one = keyring_find(keys->ring, &all, one)) != NULL) {
        if (!one->certified || !dname_equal(one->cert.subject, crl->issuer))
            continue;
        *ret_known = true;
        sender->cert = one->cert;
        if (x509_crl_signed_by(crl, one->key))
            return true;
    }
    return false;
}

static bool judge_list(const struct pem_keys *keys, struct pem_found *found, struct bytes der)
{
    struct x509_crl crl;
    enum x509_flaw flaw = x509_crl_read(der, &crl);
    bool known;

    if (flaw != X509_WELL)
        return found->verdict = PEM_MALFORMED,
               pem_flaw(&found->flaw, found->header.line, PEM_MALFORMED, "CRL",
                        x509_flaw_words(flaw));
    if (!is_list_signed(keys, &found->header, &crl, &found->sender, &known)) {
        found->verdict = known ? PEM_ALTERED : PEM_NO_KEY;
        return pem_flaw(&found->flaw, found->header.line, found->verdict, "CRL", known
                        ? "is not as its issuer signed it"
                        : "has an issuer whose certificate is not known here");
    }
    judge_path(keys, &found->header, X509_MAY_REVOKE, &found->sender);
    found->mic = crl.digest;
    found->key = found->sender.cert.key;
    found->bits = rsa_bits(found->key);
    found->verified = true;
    found->weak_mic = found->weak_mic || digest_is_weak(crl.digest);
    found->weak_key = found->weak_key || found->bits < 2048;
    return true;
}

void pem_judge_lists(const struct pem_keys *keys, struct pem_found *found)
{
    bool trusted = true;

    if (found->header.type == PEM_CRL_RETRIEVAL_REQUEST) {
        found->verdict = PEM_GOOD_UNTRUSTED;    /* it asks; nobody signs that */
        return;
    }
    for (size_t i = 0; i < found->header.crls_n; i++) {
        if (!judge_list(keys, found, found->header.crls[i].der))
            return;
        trusted = trusted && found->sender.trusted;
    }
    found->trusted = trusted;
    found->verdict = found->weak_mic || found->weak_key ? PEM_GOOD_WEAK
                   : trusted ? PEM_GOOD : PEM_GOOD_UNTRUSTED;
}
