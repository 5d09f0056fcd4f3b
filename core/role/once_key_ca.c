/* SPDX-License-Identifier: ISC
 *
 * postern key trust, revoke, crl: whom to believe, and what an authority takes back.
 */
#include "role/once_key_int.h"

#include "seal/pem_write.h"

#include <string.h>

enum { CRL_DAYS = 30, REVOKED_MOST = 20000 };

static enum once_exit no_memory(struct key_work *work)
{
    return key_say(work, ONCE_OS, "memory is short", BYTES_NONE, "");
}

/* ---- trust */

/* A key whose certificate others made is trusted with that certificate: the two together say whose
   it is. */
static bool trust_cert(struct key_work *work, const struct keyring_key *key)
{
    struct keyring_anchor anchor = { .depth = 0 };

    return !key->certified || x509_is_self_issued(&key->cert)
        || (digest_of(DIGEST_SHA256, key->cert.der, anchor.digest)
            && keyring_add_anchor(work->ring, &anchor) != KEYRING_FULL);
}

static void drop_certs(struct key_work *work, struct rsa_public key)
{
    const struct keyring_query same = { .name = BYTES_NONE, .key = &key };
    uint8_t digest[DIGEST_MOST];

    for (const struct keyring_key *one = keyring_find(work->ring, &same, NULL); one != NULL;
         one = keyring_find(work->ring, &same, one))
        if (one->certified && digest_of(DIGEST_SHA256, one->cert.der, digest))
            (void)keyring_drop_anchor(work->ring, digest);
}

enum once_exit key_trust(struct key_work *work)
{
    const struct key_request *request = work->request;
    const struct keyring_key *key = key_find(work, request->subject);
    struct keyring_anchor anchor = { .free_levels = request->free_levels };

    if (key == NULL)
        return ONCE_NO_INPUT;
    if (!keyring_digest(key->key, anchor.digest))
        return no_memory(work);
    anchor.depth = request->depth != UINT64_MAX ? (unsigned)request->depth
                 : request->free_levels > 0 ? CERT_DEPTH_MOST : 0;
    if (request->drop && !keyring_drop_anchor(work->ring, anchor.digest))
        return key_say(work, ONCE_FOUND_NOTHING, "nobody said that it is trusted:",
                       request->subject, "");
    if (request->drop)
        drop_certs(work, key->key);
    else if (keyring_add_anchor(work->ring, &anchor) == KEYRING_FULL || !trust_cert(work, key))
        return no_memory(work);
    if (!key_put_trust(work))
        return no_memory(work);
    key_put_hex(&work->out, anchor.digest, KEY_DIGEST);
    buffer_put_text(&work->out, request->drop ? " is trusted no more\n" : " is trusted\n");
    return ONCE_WELL;
}

/* ---- lists */

/* The newest list that this certificate's key signed; NULL: there is none. */
static const struct x509_crl *newest(const struct key_work *work, const struct x509 *issuer)
{
    const struct x509_crl *crls, *best = NULL;
    size_t n = keyring_crls(work->ring, &crls);

    for (size_t i = 0; i < n; i++)
        if ((best == NULL || crls[i].last_update > best->last_update)
            && dname_equal(crls[i].issuer, issuer->subject)
            && x509_crl_signed_by(&crls[i], issuer->key))
            best = &crls[i];
    return best;
}

static bool put_crl_file(struct key_work *work, struct bytes der, struct rsa_public issuer)
{
    struct buffer text = buffer_with_most(2 * X509_CRL_MOST);
    char name[KEY_FILE_NAME];

    key_put_armor(&text, "X509 CRL", der, NULL, 0);
    bool done = !text.bad && key_name_of_key(issuer, ".crl", name)
             && key_put_file(work, name, buffer_bytes(&text));
    buffer_done(&text);
    return done;
}

/* RFC 1424, 3.3: the list, and the path behind it as far as it is known. */
static void put_crl_fields(struct key_work *work, struct bytes der, const struct x509 *issuer)
{
    const struct cert_rules rules = { .now = work->now };
    struct cert_path path;

    pem_put_field(&work->out, "CRL", der);
    pem_put_field(&work->out, "Originator-Certificate", issuer->der);
    cert_judge(work->ring, issuer, NULL, 0, &rules, &path);
    for (size_t i = 1; i < path.n; i++)
        pem_put_field(&work->out, "Issuer-Certificate", path.steps[i].cert.der);
}

/* The list anew, with one entry more when `add` is not NULL. */
static bool make_list(struct key_work *work, const struct x509 *issuer,
                      const struct x509_revoked *add, struct buffer *der)
{
    const struct x509_crl *before = newest(work, issuer);
    struct bytes rest = before == NULL ? BYTES_NONE : before->revoked;
    size_t most = (before == NULL ? 0 : before->revoked_n) + 1, n = 0;
    struct x509_revoked *entries = arena_take(&work->arena, most * sizeof(*entries));
    uint64_t days = work->request->days > 0 ? work->request->days : CRL_DAYS;

    if (entries == NULL)
        return false;
    while (n < most && x509_crl_next(&rest, &entries[n]))
        n += add == NULL || !x509_serial_equal(entries[n].serial, add->serial);
    if (add != NULL)
        entries[n++] = *add;
    /* A list of an instant ago is followed by a later one. */
    int64_t now = before != NULL && before->last_update >= work->now ? before->last_update + 1
                                                                     : work->now;
    struct x509_crl_plan plan = {
        .digest = issuer->digest_known ? issuer->digest : DIGEST_SHA256,
        .issuer = issuer->subject, .last_update = now,
        .next_update = now + (int64_t)days * KEY_SECONDS_A_DAY,
        .revoked = entries, .revoked_n = n,
    };
    return x509_crl_make(&plan, work->key, der);
}

/* Make it, keep it, and print it as a message for others. */
static enum once_exit publish(struct key_work *work, const struct x509 *issuer,
                              const struct x509_revoked *add)
{
    struct buffer der = buffer_with_most(X509_CRL_MOST);
    bool done = make_list(work, issuer, add, &der)
             && put_crl_file(work, buffer_bytes(&der), issuer->key);

    if (done) {
        pem_put_begin(&work->out, 4, PEM_CRL);
        put_crl_fields(work, buffer_bytes(&der), issuer);
        pem_put_end(&work->out);
    }
    buffer_done(&der);
    return done ? ONCE_WELL : no_memory(work);
}

/* The certificate of the key that was opened: lists are issued under its subject's name. */
static const struct keyring_key *own_cert(struct key_work *work)
{
    const struct keyring_key *own = key_find_cert(work, rsa_private_public(work->key));

    if (own != NULL && own->certified && (own->cert.uses & X509_MAY_REVOKE) != 0)
        return own;
    (void)key_say(work, ONCE_DENIED, "the certificate of", work->request->by,
                  " does not let it revoke others; make an authority with --authority");
    return NULL;
}

enum once_exit key_revoke(struct key_work *work)
{
    const struct keyring_key *own = own_cert(work), *subject;
    struct keyring_query query = { .name = BYTES_NONE };

    if (own == NULL)
        return ONCE_DENIED;
    subject = key_find(work, work->request->subject);
    if (subject == NULL)
        return ONCE_NO_INPUT;
    struct rsa_public key = subject->key;
    query.key = &key;
    for (subject = keyring_find(work->ring, &query, NULL); subject != NULL;
         subject = keyring_find(work->ring, &query, subject))
        if (subject->certified && dname_equal(subject->cert.issuer, own->cert.subject)
            && x509_signed_by(&subject->cert, own->key))
            return publish(work, &own->cert, &(struct x509_revoked){ subject->cert.serial,
                                                                     work->now });
    return key_say(work, ONCE_NO_INPUT, "no certificate by that issuer is known of",
                   work->request->subject, "");
}

/* ---- lists that come in */

enum once_exit key_keep_crl(struct key_work *work, struct bytes der, const struct x509 *more,
                            size_t more_n, bool trusted_only)
{
    const struct keyring_query all = { .name = BYTES_NONE };
    const struct cert_rules rules = { work->now, work->request->strict };
    const struct keyring_key *key;
    struct x509_crl crl;
    enum x509_flaw flaw = x509_crl_read(der, &crl);

    if (flaw != X509_WELL)
        return key_say(work, ONCE_DATA, "a list of revoked certificates: ", BYTES_NONE,
                       x509_flaw_words(flaw));
    enum cert_status status = cert_judge_crl(work->ring, &crl, more, more_n, &rules);
    if (trusted_only && status != CERT_VALID && status != CERT_CRL_EXPIRED)
        return key_say(work, ONCE_DENIED, "a list of revoked certificates is not kept: ",
                       BYTES_NONE, cert_status_name(status));
    for (key = keyring_find(work->ring, &all, NULL); key != NULL;
         key = keyring_find(work->ring, &all, key))
        if (key->certified && dname_equal(key->cert.subject, crl.issuer)
            && x509_crl_signed_by(&crl, key->key))
            break;
    if (key == NULL)
        return key_say(work, ONCE_DENIED, "a list of revoked certificates is not kept: its issuer's"
                       " certificate is not here", BYTES_NONE, "");
    const struct x509_crl *kept = newest(work, &key->cert);
    if (kept != NULL && kept->last_update > crl.last_update)
        return key_say(work, ONCE_WELL, "a list of revoked certificates is passed over: there is a"
                       " newer one", BYTES_NONE, "");
    struct rsa_public issuer = key->key;
    if (!put_crl_file(work, der, issuer) || keyring_add_crl(work->ring, der) == KEYRING_FULL)
        return no_memory(work);
    return ONCE_WELL;
}

/* RFC 1424, 2.2: the certificates of a message are issuers that may help. */
static enum once_exit store_message(struct key_work *work, const struct pem_header *header)
{
    struct x509 more[PEM_CERTIFICATES_MOST];
    enum once_exit status = ONCE_DATA;
    size_t more_n = 0;

    for (size_t i = 0; i < header->certificates_n && more_n < COUNT(more); i++)
        more_n += x509_read(header->certificates[i], &more[more_n]) == X509_WELL;
    for (size_t i = 0; i < more_n; i++)
        if (keyring_add_cert(work->ring, more[i].der, NULL, 0) == KEYRING_ADDED
            && !key_put_cert(work, more[i].der, NULL, 0))
            return no_memory(work);
    for (size_t i = 0; i < header->crls_n; i++) {
        status = key_keep_crl(work, header->crls[i].der, more, more_n, true);
        if (status != ONCE_WELL)
            return status;
        buffer_put(&work->out, BYTES("kept\n"));
    }
    return status;
}

static enum once_exit store_lists(struct key_work *work)
{
    struct bytes rest = work->input;
    struct pem_header header;
    struct key_file file;
    enum once_exit status = ONCE_DATA;

    while (key_next_header(work, &rest, &header)) {
        if (header.type != PEM_CRL)
            continue;
        status = store_message(work, &header);
        if (status != ONCE_WELL)
            return status;
    }
    key_file_read(work->input, &work->arena, &file);
    for (const struct key_item *item = file.first; item != NULL; item = item->next) {
        if (item->kind != KEY_ITEM_CRL)
            continue;
        status = key_keep_crl(work, item->der, NULL, 0, true);
        if (status != ONCE_WELL)
            return status;
        buffer_put(&work->out, BYTES("kept\n"));
    }
    return status != ONCE_DATA ? status
         : key_say(work, ONCE_DATA, "no list of revoked certificates stands in it", BYTES_NONE,
                   "");
}

/* ---- asking and answering */

static enum once_exit ask(struct key_work *work)
{
    const struct keyring_key *key = key_find(work, work->request->subject);

    if (key == NULL)
        return ONCE_NO_INPUT;
    key = key_find_cert(work, key->key);
    if (key == NULL || !key->certified)
        return key_say(work, ONCE_NO_INPUT, "there is no certificate of", work->request->subject,
                       "");
    pem_put_begin(&work->out, 4, PEM_CRL_RETRIEVAL_REQUEST);
    pem_put_field(&work->out, "Issuer", key->cert.subject);
    pem_put_end(&work->out);
    return ONCE_WELL;
}

/* The lists of one issuer, under each of his keys (RFC 1424, 2.3). */
static size_t answer_issuer(struct key_work *work, struct bytes issuer)
{
    const struct keyring_query all = { .name = BYTES_NONE };
    struct rsa_public done[KEYRING_NAMES_MOST];
    size_t n = 0;

    for (const struct keyring_key *key = keyring_find(work->ring, &all, NULL);
         key != NULL && n < COUNT(done); key = keyring_find(work->ring, &all, key)) {
        const struct x509_crl *crl;
        bool again = false;
        if (!key->certified || !dname_equal(key->cert.subject, issuer))
            continue;
        for (size_t i = 0; i < n; i++)
            again = again || rsa_equal(done[i], key->key);
        crl = again ? NULL : newest(work, &key->cert);
        if (crl == NULL)
            continue;
        done[n++] = key->key;
        put_crl_fields(work, crl->der, &key->cert);
    }
    return n;
}

static enum once_exit answer(struct key_work *work)
{
    struct bytes rest = work->input;
    struct pem_header header;
    size_t lists = 0;

    while (key_next_header(work, &rest, &header) && header.type != PEM_CRL_RETRIEVAL_REQUEST)
        header.issuers_n = 0;
    if (work->err.n > 0 || header.issuers_n == 0)
        return key_say(work, ONCE_DATA, "no request for lists stands in it", BYTES_NONE, "");
    pem_put_begin(&work->out, 4, PEM_CRL);
    for (size_t i = 0; i < header.issuers_n; i++)
        lists += answer_issuer(work, header.issuers[i]);
    pem_put_end(&work->out);
    if (lists > 0)
        return ONCE_WELL;
    buffer_clear(&work->out);
    return key_say(work, ONCE_FOUND_NOTHING, "no list of these issuers is here", BYTES_NONE, "");
}

enum once_exit key_crl(struct key_work *work)
{
    const struct key_request *request = work->request;
    const struct keyring_key *own;

    if (request->ask)
        return ask(work);
    if (request->answer)
        return answer(work);
    if (request->by.n == 0)
        return store_lists(work);
    own = own_cert(work);
    return own == NULL ? ONCE_DENIED : publish(work, &own->cert, NULL);
}
