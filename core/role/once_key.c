/* SPDX-License-Identifier: ISC
 *
 * postern key: which key a word means, what is written where, and who does the work.
 */
#include "role/once_key_int.h"

#include "base/arena.h"
#include "base/safe.h"
#include "crypt/pkcs8.h"

#include <string.h>

struct key_style key_style_of(enum key_profile profile)
{
    static const struct key_style styles[] = {
        [KEY_MODERN] = { 3, DIGEST_SHA256, RSA_SPKI, 3072, 730 },
        [KEY_RFC1423] = { 1, DIGEST_MD5, RSA_SPKI_1989, 1024, 730 },
        [KEY_RIPEM12] = { 1, DIGEST_MD2, RSA_SPKI_1989, 1024, 730 },
        [KEY_RIPEM3] = { 1, DIGEST_MD5, RSA_SPKI_1989, 1024, 730 },
    };

    return styles[profile];
}

enum once_exit key_say(struct key_work *work, enum once_exit status, const char *what,
                       struct bytes word, const char *after)
{
    buffer_put_text(&work->err, what);
    if (word.n > 0) {
        buffer_put(&work->err, BYTES(" \""));
        safe_put(&work->err, bytes_first(word, 200));
        buffer_put_char(&work->err, '"');
    }
    buffer_put_text(&work->err, after);
    buffer_put_char(&work->err, '\n');
    return status;
}

/* ---- files */

void key_put_hex(struct buffer *to, const uint8_t *octets, size_t n)
{
    static const char hex[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        buffer_put_char(to, hex[octets[i] >> 4]);
        buffer_put_char(to, hex[octets[i] & 15]);
    }
}

void key_file_name(const uint8_t *digest, const char *end, char ret_name[static KEY_FILE_NAME])
{
    enum { OCTETS = 8 };
    struct buffer name = buffer_with_most(KEY_FILE_NAME - 1);

    key_put_hex(&name, digest, OCTETS);
    buffer_put_text(&name, end);
    memcpy(ret_name, buffer_bytes(&name).at, name.n);
    ret_name[name.n] = '\0';
    buffer_done(&name);
}

bool key_name_of_key(struct rsa_public key, const char *end, char ret_name[static KEY_FILE_NAME])
{
    uint8_t digest[KEY_DIGEST];

    if (!keyring_digest(key, digest))
        return false;
    key_file_name(digest, end, ret_name);
    return true;
}

bool key_name_of_cert(struct bytes der, char ret_name[static KEY_FILE_NAME])
{
    uint8_t digest[DIGEST_MOST];

    if (!digest_of(DIGEST_SHA256, der, digest))
        return false;
    key_file_name(digest, ".crt", ret_name);
    return true;
}

bool key_put_file(struct key_work *work, const char *name, struct bytes text)
{
    struct key_write *write = work->writes;

    while (write != NULL && !bytes_equal(bytes_of(write->name), bytes_of(name)))
        write = write->next;
    if (write == NULL) {
        write = arena_take(&work->arena, sizeof(*write));
        if (write == NULL)
            return false;
        write->next = work->writes;
        work->writes = write;
        memcpy(write->name, name, strlen(name) + 1);
    }
    write->text = arena_copy(&work->arena, text);
    return write->text.at != NULL;
}

bool key_put_cert(struct key_work *work, struct bytes der, const struct bytes *names,
                  size_t names_n)
{
    struct buffer text = buffer_with_most(KEY_DER_MOST);
    char name[KEY_FILE_NAME];

    key_put_armor(&text, "CERTIFICATE", der, names, names_n);
    bool done = !text.bad && key_name_of_cert(der, name)
             && key_put_file(work, name, buffer_bytes(&text));
    buffer_done(&text);
    return done;
}

/* A mail address, else the subject's name, of the first certificate with that key. */
static struct bytes whose(const struct keyring *ring, const struct keyring_anchor *anchor)
{
    const struct keyring_query all = { .name = BYTES_NONE };

    for (const struct keyring_key *key = keyring_find(ring, &all, NULL); key != NULL;
         key = keyring_find(ring, &all, key)) {
        uint8_t digest[KEY_DIGEST];
        if (key->names_n > 0 && keyring_digest(key->key, digest)
            && memcmp(digest, anchor->digest, KEY_DIGEST) == 0)
            return key->names[0];
    }
    return BYTES_NONE;
}

bool key_put_trust(struct key_work *work)
{
    struct buffer text = buffer_with_most(KEY_OUT_MOST);
    const struct keyring_anchor *anchors;
    size_t n = keyring_anchors(work->ring, &anchors);

    for (size_t i = 0; i < n; i++)
        key_trust_put(&text, &anchors[i], whose(work->ring, &anchors[i]));
    bool done = !text.bad && key_put_file(work, "trust", buffer_bytes(&text));
    buffer_done(&text);
    return done;
}

/* ---- finding */

static bool may_be_digest(struct bytes word)
{
    size_t digits = 0;

    for (size_t i = 0; i < word.n; i++) {
        char c = to_lower(word.at[i]);
        if (is_digit(c) || (c >= 'a' && c <= 'f'))
            digits++;
        else if (c != ':' && c != ' ')
            return false;
    }
    return digits >= 8;
}

static bool is_better(const struct keyring_key *a, const struct keyring_key *b)
{
    if (b == NULL || a->certified != b->certified)
        return b == NULL || a->certified;
    return a->certified && a->cert.not_before > b->cert.not_before;
}

static const struct keyring_key *best_of(const struct keyring *ring, struct keyring_query query)
{
    const struct keyring_key *best = NULL;

    for (const struct keyring_key *key = keyring_find(ring, &query, NULL); key != NULL;
         key = keyring_find(ring, &query, key))
        if (is_better(key, best))
            best = key;
    return best;
}

/* Anybody may send a certificate with anybody's name: a name is enough while one key has it. */
static bool is_one_key(const struct keyring *ring, struct keyring_query query)
{
    const struct keyring_key *first = keyring_find(ring, &query, NULL);

    for (const struct keyring_key *key = first; key != NULL;
         key = keyring_find(ring, &query, key))
        if (!rsa_equal(first->key, key->key))
            return false;
    return true;
}

const struct keyring_key *key_find(struct key_work *work, struct bytes word)
{
    const struct keyring_key *found;
    struct keyring_query digest = { .name = BYTES_NONE, .digest = word }, name = { .name = word };
    struct keyring_query query = may_be_digest(word)
                              && keyring_find(work->ring, &digest, NULL) != NULL ? digest : name;

    if (!is_one_key(work->ring, query)) {
        (void)key_say(work, ONCE_NO_INPUT, "more than one key is called", word,
                      "; say which by the digits that `postern key list` shows");
        return NULL;
    }
    found = best_of(work->ring, query);
    if (found == NULL)
        (void)key_say(work, ONCE_NO_INPUT, "there is no key", word,
                      "; `postern key list` shows all");
    return found;
}

const struct keyring_key *key_find_cert(struct key_work *work, struct rsa_public key)
{
    struct keyring_query query = { .name = BYTES_NONE, .key = &key };
    const struct keyring_key *best = NULL;

    for (const struct keyring_key *one = keyring_find(work->ring, &query, NULL); one != NULL;
         one = keyring_find(work->ring, &query, one)) {
        bool own = best != NULL && best->certified && x509_is_self_issued(&best->cert);
        if (best == NULL || (one->certified && own && !x509_is_self_issued(&one->cert))
            || (is_better(one, best)
                && (own || !best->certified || !x509_is_self_issued(&one->cert))))
            best = one;
    }
    return best;
}

/* ---- the private key that is needed */

enum once_exit key_work_secret(struct key_work *work, const struct keyring_secret **ret_secret)
{
    const struct key_request *request = work->request;
    bool of_subject = request->verb == KEY_REQUEST
                   || (request->verb == KEY_EXPORT && request->secret);
    struct bytes word = of_subject ? request->subject : request->by;
    const struct keyring_secret *secret;

    *ret_secret = NULL;
    if (!of_subject && (request->by.n == 0 || request->verb == KEY_LIST))
        return ONCE_WELL;
    secret = may_be_digest(word)
           ? keyring_find_secret(work->ring, &(struct keyring_query){ .name = BYTES_NONE,
                                 .digest = word }, NULL) : NULL;
    if (secret == NULL)
        secret = keyring_find_secret(work->ring, &(struct keyring_query){ .name = word }, NULL);
    if (secret == NULL)
        return key_say(work, ONCE_NO_INPUT, "there is no private key", word, " here");
    *ret_secret = secret;
    return ONCE_WELL;
}

bool key_reads_input(const struct key_request *request)
{
    return request->verb == KEY_IMPORT || request->verb == KEY_ISSUE
        || (request->verb == KEY_CRL && request->subject.n > 0 && !request->ask);
}

bool key_needs_password(const struct key_work *work)
{
    struct arena arena = arena_with_ceiling(KEY_FILE_MEMORY);
    struct key_file file = { 0 };
    bool secret = work->request->verb == KEY_MAKE;

    if (work->request->verb == KEY_IMPORT)
        key_file_read(work->input, &arena, &file);
    for (const struct key_item *item = file.first; item != NULL && !secret; item = item->next)
        secret = item->kind == KEY_ITEM_SEALED || item->kind == KEY_ITEM_PRIVATE;
    arena_done(&arena);
    return secret;
}

/* ---- the work */

struct key_work key_work_begin(const struct key_request *request, struct keyring *ring,
                               int64_t now)
{
    return (struct key_work){
        .request = request, .ring = ring, .now = now, .input = BYTES_NONE,
        .password = BYTES_NONE, .arena = arena_with_ceiling(2 * (size_t)KEY_FILE_MEMORY),
        .out = buffer_with_most(KEY_OUT_MOST), .err = buffer_with_most(KEY_DER_MOST),
    };
}

void key_work_done(struct key_work *work)
{
    arena_done(&work->arena);
    if (work->out.n > 0)
        mem_wipe(work->out.at, work->out.n);
    buffer_done(&work->out);
    buffer_done(&work->err);
}

enum once_exit key_work_run(struct key_work *work)
{
    enum once_exit status = ONCE_USAGE;

    switch (work->request->verb) {
    case KEY_MAKE: status = key_make(work); break;
    case KEY_IMPORT: status = key_import(work); break;
    case KEY_EXPORT: status = key_export(work); break;
    case KEY_LIST: status = key_list(work); break;
    case KEY_TRUST: status = key_trust(work); break;
    case KEY_REVOKE: status = key_revoke(work); break;
    case KEY_CRL: status = key_crl(work); break;
    case KEY_REQUEST: status = key_ask(work); break;
    case KEY_ISSUE: status = key_issue(work); break;
    case KEY_VERBS: break;
    }
    if (status == ONCE_WELL && work->out.bad)
        return key_say(work, ONCE_SOFTWARE, "the answer is too long", BYTES_NONE, "");
    return status;
}
