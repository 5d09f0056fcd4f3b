/* SPDX-License-Identifier: ISC
 *
 * postern key list: each key once, with its certificates and what they prove.
 */
#include "role/once_int.h"
#include "role/once_key_int.h"

#include "base/clock.h"
#include "base/safe.h"

static bool is_wanted(const struct key_work *work, const struct keyring_key *key)
{
    const struct keyring_query of_key = { .name = work->request->subject, .key = &key->key };
    const struct keyring_query digest = { .name = BYTES_NONE, .key = &key->key,
                                          .digest = work->request->subject };

    return work->request->subject.n == 0 || keyring_find(work->ring, &of_key, NULL) != NULL
        || keyring_find(work->ring, &digest, NULL) != NULL;
}

static bool is_first(const struct key_work *work, const struct keyring_key *key)
{
    const struct keyring_query same = { .name = BYTES_NONE, .key = &key->key };

    return keyring_find(work->ring, &same, NULL) == key;
}

static bool has_secret(const struct key_work *work, struct rsa_public key)
{
    const struct keyring_query same = { .name = BYTES_NONE, .key = &key };

    return keyring_find_secret(work->ring, &same, NULL) != NULL;
}

static struct cert_path judge(const struct key_work *work, const struct x509 *cert)
{
    const struct cert_rules rules = { work->now, work->request->strict };
    struct cert_path path;

    cert_judge(work->ring, cert, NULL, 0, &rules, &path);
    return path;
}

/* All names of all entries of a key; JSON when json is not NULL. */
static void put_names(const struct key_work *work, struct rsa_public key, struct buffer *to,
                      struct json *json)
{
    const struct keyring_query same = { .name = BYTES_NONE, .key = &key };
    struct bytes seen[KEYRING_NAMES_MOST];
    size_t n = 0;

    for (const struct keyring_key *one = keyring_find(work->ring, &same, NULL); one != NULL;
         one = keyring_find(work->ring, &same, one)) {
        for (size_t i = 0; i < one->names_n && n < KEYRING_NAMES_MOST; i++) {
            bool again = false;
            for (size_t j = 0; j < n; j++)
                again = again || bytes_equal_nocase(seen[j], one->names[i]);
            if (again)
                continue;
            seen[n++] = one->names[i];
            if (json != NULL) {
                json_text(json, one->names[i]);
                continue;
            }
            buffer_put_text(to, n == 1 ? "" : ", ");
            safe_put_plain(to, one->names[i]);
        }
    }
    if (json == NULL && n == 0)
        buffer_put(to, BYTES("(no name)"));
}

static void put_name(struct buffer *to, struct bytes der)
{
    struct buffer text = buffer_with_most(4 * DNAME_MOST);

    dname_put_text(der, &text);
    safe_put_plain(to, buffer_bytes(&text));
    buffer_done(&text);
}

static uint64_t moment(int64_t seconds)
{
    return seconds < 0 ? 0 : (uint64_t)seconds * 1000;
}

/* ---- for people */

static void put_path(struct buffer *to, const struct cert_path *path)
{
    for (size_t i = 0; i < path->n; i++) {
        const struct cert_step *step = &path->steps[i];
        buffer_put_text(to, i == 0 ? "      " : "        by ");
        put_name(to, step->cert.subject);
        buffer_put(to, BYTES(": "));
        buffer_put_text(to, cert_status_name(step->status));
        if (step->because != CERT_BECAUSE_STATUS) {
            buffer_put(to, BYTES(", "));
            buffer_put_text(to, cert_because_words(step->because));
        }
        buffer_put_text(to, step->weak ? " (weak)\n" : "\n");
    }
}

static void put_cert(const struct key_work *work, const struct x509 *cert, struct buffer *to)
{
    struct cert_path path = judge(work, cert);

    buffer_put(to, BYTES("    certificate "));
    x509_put_serial(to, cert->serial);
    buffer_put(to, BYTES(", "));
    clock_put(to, moment(cert->not_before));
    buffer_put(to, BYTES(" to "));
    clock_put(to, moment(cert->not_after));
    buffer_put(to, BYTES(": "));
    buffer_put_text(to, cert_status_name(path.status));
    buffer_put_char(to, '\n');
    put_path(to, &path);
}

static void put_key(const struct key_work *work, const struct keyring_key *key, struct buffer *to)
{
    const struct keyring_query same = { .name = BYTES_NONE, .key = &key->key };
    const struct keyring_anchor *anchor = keyring_trust(work->ring, key->key);
    uint8_t digest[KEY_DIGEST] = { 0 };

    put_names(work, key->key, to, NULL);
    buffer_put(to, BYTES("\n    key "));
    if (keyring_digest(key->key, digest))
        key_put_hex(to, digest, KEY_DIGEST);
    buffer_put(to, BYTES("\n    RSA of "));
    buffer_put_uint(to, rsa_bits(key->key));
    buffer_put_text(to, rsa_bits(key->key) < 2048 ? " bits (weak)" : " bits");
    buffer_put(to, BYTES(", MD5OfPublicKey "));
    if (keyring_ripem_digest(key->key, digest))
        key_put_hex(to, digest, 16);
    if (has_secret(work, key->key))
        buffer_put(to, BYTES("\n    its private key is here"));
    if (anchor != NULL) {
        buffer_put(to, BYTES("\n    trusted as "));
        buffer_put_text(to, key_role_name(anchor->free_levels));
        buffer_put(to, BYTES(", for "));
        once_put_count(to, anchor->depth, "certificate");
        buffer_put(to, BYTES(" below it"));
    }
    buffer_put_char(to, '\n');
    for (const struct keyring_key *one = keyring_find(work->ring, &same, NULL); one != NULL;
         one = keyring_find(work->ring, &same, one))
        if (one->certified)
            put_cert(work, &one->cert, to);
}

/* ---- JSON */

static void json_name(struct json *json, const char *key, struct bytes der)
{
    struct buffer text = buffer_with_most(4 * DNAME_MOST);

    dname_put_text(der, &text);
    json_put_text(json, key, buffer_bytes(&text));
    buffer_done(&text);
}

static void json_hex(struct json *json, const char *key, const uint8_t *octets, size_t n)
{
    struct buffer hex = buffer_with_most(2 * KEY_DIGEST);

    key_put_hex(&hex, octets, n);
    json_put_text(json, key, buffer_bytes(&hex));
    buffer_done(&hex);
}

static void json_path(struct json *json, const struct cert_path *path)
{
    json_key(json, "path");
    json_put_array(json);
    for (size_t i = 0; i < path->n; i++) {
        const struct cert_step *step = &path->steps[i];
        json_put_object(json);
        json_name(json, "subject", step->cert.subject);
        json_put_text(json, "status", bytes_of(cert_status_name(step->status)));
        json_put_text(json, "because", bytes_of(cert_because_words(step->because)));
        json_put_bool(json, "weak", step->weak);
        json_put_object_end(json);
    }
    json_put_array_end(json);
}

static void json_cert(const struct key_work *work, const struct x509 *cert, struct json *json)
{
    struct cert_path path = judge(work, cert);
    struct buffer serial = buffer_with_most(2 * X509_SERIAL_MOST + 2);

    x509_put_serial(&serial, cert->serial);
    json_put_object(json);
    json_name(json, "subject", cert->subject);
    json_name(json, "issuer", cert->issuer);
    json_put_text(json, "serial", buffer_bytes(&serial));
    json_put_uint(json, "x509", cert->version);
    json_put_text(json, "digest", cert->digest_known ? bytes_of(digest_name(cert->digest))
                                                     : BYTES("unknown"));
    once_json_moment(json, "not_before", moment(cert->not_before));
    once_json_moment(json, "not_after", moment(cert->not_after));
    json_put_text(json, "status", bytes_of(cert_status_name(path.status)));
    json_put_bool(json, "trusted", path.trusted);
    json_path(json, &path);
    json_put_object_end(json);
    buffer_done(&serial);
}

static void json_trust(struct json *json, const struct keyring_anchor *anchor)
{
    json_key(json, "trust");
    if (anchor == NULL) {
        json_put_null(json);
        return;
    }
    json_put_object(json);
    json_put_uint(json, "depth", anchor->depth);
    json_put_text(json, "role", bytes_of(key_role_name(anchor->free_levels)));
    json_put_object_end(json);
}

static void json_one(const struct key_work *work, const struct keyring_key *key,
                     struct json *json)
{
    const struct keyring_query same = { .name = BYTES_NONE, .key = &key->key };
    uint8_t digest[KEY_DIGEST] = { 0 }, md5[16] = { 0 };

    json_put_object(json);
    json_key(json, "names");
    json_put_array(json);
    put_names(work, key->key, NULL, json);
    json_put_array_end(json);
    if (keyring_digest(key->key, digest) && keyring_ripem_digest(key->key, md5)) {
        json_hex(json, "key", digest, sizeof(digest));
        json_hex(json, "md5", md5, sizeof(md5));
    }
    json_put_uint(json, "bits", rsa_bits(key->key));
    json_put_bool(json, "private", has_secret(work, key->key));
    json_trust(json, keyring_trust(work->ring, key->key));
    json_key(json, "certificates");
    json_put_array(json);
    for (const struct keyring_key *one = keyring_find(work->ring, &same, NULL); one != NULL;
         one = keyring_find(work->ring, &same, one))
        if (one->certified)
            json_cert(work, &one->cert, json);
    json_put_array_end(json);
    json_put_object_end(json);
}

static void json_crls(const struct key_work *work, struct json *json)
{
    const struct x509_crl *crls;
    size_t n = keyring_crls(work->ring, &crls);

    json_key(json, "lists");
    json_put_array(json);
    for (size_t i = 0; i < n; i++) {
        json_put_object(json);
        json_name(json, "issuer", crls[i].issuer);
        once_json_moment(json, "last_update", moment(crls[i].last_update));
        once_json_moment(json, "next_update", moment(crls[i].next_update));
        json_put_uint(json, "revoked", crls[i].revoked_n);
        json_put_object_end(json);
    }
    json_put_array_end(json);
}

/* ---- the whole */

enum once_exit key_list(struct key_work *work)
{
    const struct keyring_query all = { .name = BYTES_NONE };
    struct json json = json_to(&work->out);
    bool as_json = work->request->json, any = false;

    if (as_json) {
        json_put_object(&json);
        json_put_uint(&json, "version", 1);
        json_key(&json, "keys");
        json_put_array(&json);
    }
    for (const struct keyring_key *key = keyring_find(work->ring, &all, NULL); key != NULL;
         key = keyring_find(work->ring, &all, key)) {
        if (!is_first(work, key) || !is_wanted(work, key))
            continue;
        any = true;
        if (as_json)
            json_one(work, key, &json);
        else
            put_key(work, key, &work->out);
    }
    if (as_json) {
        json_put_array_end(&json);
        json_crls(work, &json);
        json_put_object_end(&json);
        json_line_end(&json);
    }
    if (any || work->request->subject.n == 0)
        return ONCE_WELL;
    return key_say(work, ONCE_FOUND_NOTHING, "there is no key", work->request->subject, "");
}
