/* SPDX-License-Identifier: ISC
 *
 * Paths: who certified whom, up to a key that somebody trusts. All ways up are tried, within
 * CERT_TRIES_MOST signatures, and the best one counts.
 */
#include "seal/cert.h"

#include "base/arena.h"

enum { BITS_STRONG = 2048 };

const char *cert_status_name(enum cert_status status)
{
    static const char *const names[] = {
        [CERT_VALID] = "VALID", [CERT_REVOCATION_UNKNOWN] = "REVOCATION UNKNOWN",
        [CERT_PENDING] = "PENDING", [CERT_EXPIRED] = "EXPIRED",
        [CERT_CRL_EXPIRED] = "CRL EXPIRED", [CERT_CRL_OUT_OF_SEQUENCE] = "CRL OUT OF SEQUENCE",
        [CERT_UNVALIDATED] = "UNVALIDATED", [CERT_REVOKED] = "REVOKED",
    };

    return names[status];
}

const char *cert_because_words(enum cert_because because)
{
    static const char *const words[] = {
        [CERT_BECAUSE_STATUS] = "",
        [CERT_BECAUSE_NO_ISSUER] = "no certificate is known of whoever issued it",
        [CERT_BECAUSE_SIGNATURE] = "its signature is not its own key's",
        [CERT_BECAUSE_UNTRUSTED] = "nobody said that this key is to be trusted",
        [CERT_BECAUSE_DEPTH] = "it may not vouch for so long a path",
        [CERT_BECAUSE_NOT_AUTHORITY] = "it may not certify others",
        [CERT_BECAUSE_NAME] = "its name is not below that of its issuer",
        [CERT_BECAUSE_CRITICAL] = "it has a critical extension that is not understood here",
        [CERT_BECAUSE_ALGORITHM] = "it is signed in a way that is not read here",
    };

    return words[because];
}

struct search {
    const struct keyring *ring;
    const struct x509 *more;
    size_t more_n;
    const struct cert_rules *rules;
    struct cert_path path;          /* the one under way */
    struct cert_path *best;
    bool found;
    unsigned tries;                 /* signatures checked */
};

/* ---- one step */

static void lower(struct cert_step *step, enum cert_status status, enum cert_because because)
{
    if (status <= step->status)
        return;
    step->status = status;
    step->because = because;
}

static void judge_alone(struct cert_step *step, int64_t now)
{
    const struct x509 *cert = &step->cert;

    step->status = CERT_VALID;
    step->because = CERT_BECAUSE_STATUS;
    step->weak = !cert->digest_known || digest_is_weak(cert->digest)
              || rsa_bits(cert->key) < BITS_STRONG;
    if (now < cert->not_before)
        lower(step, CERT_PENDING, CERT_BECAUSE_STATUS);
    if (now > cert->not_after)
        lower(step, CERT_EXPIRED, CERT_BECAUSE_STATUS);
    if (cert->critical)
        lower(step, CERT_UNVALIDATED, CERT_BECAUSE_CRITICAL);
    if (!cert->digest_known)
        lower(step, CERT_UNVALIDATED, CERT_BECAUSE_ALGORITHM);
}

/* The newest list of that issuer's which its key signed; NULL when there is none. */
static const struct x509_crl *newest_crl(const struct keyring *ring, const struct x509 *issuer)
{
    const struct x509_crl *crls, *newest = NULL;
    size_t n = keyring_crls(ring, &crls);

    for (size_t i = 0; i < n; i++)
        if ((newest == NULL || crls[i].last_update > newest->last_update)
            && dname_equal(crls[i].issuer, issuer->subject)
            && x509_crl_signed_by(&crls[i], issuer->key))
            newest = &crls[i];
    return newest;
}

static enum cert_status crl_status(const struct x509_crl *crl, int64_t now)
{
    bool ends = crl->next_update != 0;

    if (crl->critical)
        return CERT_REVOCATION_UNKNOWN;
    if (crl->last_update > now || (ends && crl->next_update < crl->last_update))
        return CERT_CRL_OUT_OF_SEQUENCE;
    return ends && now > crl->next_update ? CERT_CRL_EXPIRED : CERT_VALID;
}

/* `needed`: to have no list is a flaw too. */
static void judge_revocation(const struct search *search, struct cert_step *step,
                             const struct x509 *issuer, bool needed)
{
    const struct x509_crl *crl = (issuer->uses & X509_MAY_REVOKE) == 0
                               ? NULL : newest_crl(search->ring, issuer);

    if (crl != NULL && x509_crl_has(crl, step->cert.serial, &step->revoked_when))
        lower(step, CERT_REVOKED, CERT_BECAUSE_STATUS);
    if (needed)
        lower(step, crl == NULL ? CERT_REVOCATION_UNKNOWN : crl_status(crl, search->rules->now),
              CERT_BECAUSE_STATUS);
}

/* RFC 1422, 3.4.2.3: the IPRA certifies PCAs and a PCA its CAs whatever they are called; from there
   on down a name is below its issuer's. `height`: certificates between the issuer and the top. */
static bool breaks_names(const struct cert_rules *rules, const struct x509 *cert,
                         const struct x509 *issuer, size_t height, unsigned free_levels)
{
    return rules->subordinate && height >= free_levels
        && !dname_is_below(cert->subject, issuer->subject);
}

/* Who is trusted directly needs no issuer; but when one is known who took the certificate back, his
   word counts. */
static void judge_top(const struct search *search, struct cert_step *top)
{
    const struct keyring_query all = { .name = BYTES_NONE };

    if (x509_is_self_issued(&top->cert)) {
        judge_revocation(search, top, &top->cert, false);
        return;
    }
    for (const struct keyring_key *key = keyring_find(search->ring, &all, NULL); key != NULL;
         key = keyring_find(search->ring, &all, key))
        if (key->certified && dname_equal(key->cert.subject, top->cert.issuer)
            && x509_signed_by(&top->cert, key->key))
            judge_revocation(search, top, &key->cert, false);
}

/* ---- one path */

static void judge_path(const struct search *search, struct cert_path *path, unsigned free_levels,
                       enum cert_because end)
{
    size_t top = path->n - 1;

    path->status = CERT_VALID;
    for (size_t i = 0; i < path->n; i++) {
        struct cert_step *step = &path->steps[i];
        const struct x509 *issuer = &path->steps[i + (i < top)].cert;
        judge_alone(step, search->rules->now);
        if (i > 0 && (step->cert.uses & X509_MAY_CERTIFY) == 0)
            lower(step, CERT_UNVALIDATED, CERT_BECAUSE_NOT_AUTHORITY);
        if (i > 0 && i - 1 > step->cert.below_most)     /* RFC 5280, 4.2.1.9 */
            lower(step, CERT_UNVALIDATED, CERT_BECAUSE_DEPTH);
        if (i < top && breaks_names(search->rules, &step->cert, issuer, top - i - 1, free_levels))
            lower(step, CERT_UNVALIDATED, CERT_BECAUSE_NAME);
        if (i < top)
            judge_revocation(search, step, issuer, true);
        else
            judge_top(search, step);
        if (i == top && end != CERT_BECAUSE_STATUS)
            lower(step, CERT_UNVALIDATED, end);
        if (step->status > path->status)
            path->status = step->status;
    }
}

static bool is_better(const struct cert_path *a, const struct cert_path *b)
{
    if (a->trusted != b->trusted)
        return a->trusted;
    if (a->status != b->status)
        return a->status < b->status;
    return a->trusted ? a->n < b->n : a->n > b->n;
}

static void finish(struct search *search, const struct keyring_anchor *anchor,
                   enum cert_because end)
{
    struct cert_path *path = &search->path;

    path->trusted = end == CERT_BECAUSE_STATUS;
    judge_path(search, path, anchor == NULL ? 0 : anchor->free_levels, end);
    if (!search->found || is_better(path, search->best))
        *search->best = *path;
    search->found = true;
}

static bool is_in_path(const struct cert_path *path, const struct x509 *cert)
{
    for (size_t i = 0; i < path->n; i++)
        if (rsa_equal(path->steps[i].cert.key, cert->key))
            return true;
    return false;
}

static void climb(struct search *search);

/* Try one certificate as the issuer of the top one. */
static bool try_issuer(struct search *search, const struct x509 *issuer)
{
    struct cert_path *path = &search->path;
    const struct x509 *below = &path->steps[path->n - 1].cert;

    if (!dname_equal(issuer->subject, below->issuer) || is_in_path(path, issuer)
        || search->tries == CERT_TRIES_MOST)
        return false;
    search->tries++;
    if (!x509_signed_by(below, issuer->key))
        return false;
    path->steps[path->n++].cert = *issuer;
    climb(search);
    path->n--;
    return true;
}

static bool try_all(struct search *search)
{
    const struct keyring_query certified = { .name = BYTES_NONE };
    bool any = false;

    for (size_t i = 0; i < search->more_n; i++)
        any = try_issuer(search, &search->more[i]) || any;
    for (const struct keyring_key *key = keyring_find(search->ring, &certified, NULL);
         key != NULL; key = keyring_find(search->ring, &certified, key))
        if (key->certified)
            any = try_issuer(search, &key->cert) || any;
    return any;
}

/* Does trust in the top's key say anything of the path below? A key vouches for what it signed: for
   the certificates below it, and for its own self-signed one. A certificate that somebody else made
   of a trusted key says nothing of whose it is, unless it is trusted itself: else anybody could put
   another name on what the owner of the key signed. */
static bool vouches(const struct search *search)
{
    const struct x509 *top = &search->path.steps[search->path.n - 1].cert;

    return search->path.n > 1 || keyring_trust_cert(search->ring, top) != NULL
        || (x509_is_self_issued(top) && x509_signed_by(top, top->key));
}

/* Go on from the top of the path: it is trusted, or others certified it, or this is its end. */
static void climb(struct search *search)
{
    struct cert_path *path = &search->path;
    const struct x509 *top = &path->steps[path->n - 1].cert;
    const struct keyring_anchor *anchor = keyring_trust(search->ring, top->key);

    if (anchor == NULL)
        anchor = keyring_trust_cert(search->ring, top);
    if (anchor != NULL && !vouches(search))
        anchor = NULL;
    if (anchor != NULL && anchor->depth >= path->n - 1) {
        finish(search, anchor, CERT_BECAUSE_STATUS);
        return;
    }
    if (path->n < CERT_PATH_MOST && try_all(search))
        return;
    if (anchor != NULL)
        finish(search, anchor, CERT_BECAUSE_DEPTH);
    else if (!x509_is_self_issued(top))
        finish(search, NULL, CERT_BECAUSE_NO_ISSUER);
    else
        finish(search, NULL, x509_signed_by(top, top->key) ? CERT_BECAUSE_UNTRUSTED
                                                           : CERT_BECAUSE_SIGNATURE);
}

void cert_judge(const struct keyring *ring, const struct x509 *leaf, const struct x509 *more,
                size_t more_n, const struct cert_rules *rules, struct cert_path *ret_path)
{
    struct search search = {
        .ring = ring, .more = more, .more_n = more_n, .rules = rules, .best = ret_path,
    };

    search.path.steps[0].cert = *leaf;
    search.path.n = 1;
    climb(&search);
}

/* ---- lists that come in */

/* Did this one issue the list, and does a path vouch for him? */
static bool is_issuer(const struct keyring *ring, const struct x509_crl *crl,
                      const struct x509 *cert, const struct x509 *more, size_t more_n,
                      const struct cert_rules *rules)
{
    struct cert_path path;

    if (!dname_equal(cert->subject, crl->issuer) || (cert->uses & X509_MAY_REVOKE) == 0
        || !x509_crl_signed_by(crl, cert->key))
        return false;
    /* The list itself says its issuer's name under a key that is trusted. */
    if (keyring_trust(ring, cert->key) != NULL)
        return true;
    cert_judge(ring, cert, more, more_n, rules, &path);
    return path.status < CERT_UNVALIDATED;
}

static const struct x509 *issuer_of(const struct keyring *ring, const struct x509_crl *crl,
                                    const struct x509 *more, size_t more_n,
                                    const struct cert_rules *rules)
{
    const struct keyring_query all = { .name = BYTES_NONE };

    for (size_t i = 0; i < more_n; i++)
        if (is_issuer(ring, crl, &more[i], more, more_n, rules))
            return &more[i];
    for (const struct keyring_key *key = keyring_find(ring, &all, NULL); key != NULL;
         key = keyring_find(ring, &all, key))
        if (key->certified && is_issuer(ring, crl, &key->cert, more, more_n, rules))
            return &key->cert;
    return NULL;
}

enum cert_status cert_judge_crl(const struct keyring *ring, const struct x509_crl *crl,
                                const struct x509 *more, size_t more_n,
                                const struct cert_rules *rules)
{
    const struct x509 *issuer = issuer_of(ring, crl, more, more_n, rules);
    const struct x509_crl *kept = issuer == NULL ? NULL : newest_crl(ring, issuer);

    if (issuer == NULL || crl->critical)
        return CERT_UNVALIDATED;
    if (kept != NULL && kept->last_update > crl->last_update)
        return CERT_CRL_OUT_OF_SEQUENCE;
    return crl_status(crl, rules->now);
}
