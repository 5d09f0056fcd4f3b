/* SPDX-License-Identifier: ISC
 *
 * postern key make, import, export: keys into the store and out of it.
 */
#include "role/once_key_int.h"

#include "base/arena.h"
#include "crypt/pkcs8.h"
#include "crypt/sign.h"

enum { SERIAL = 20, SERIAL_RIPEM12 = 16 };

static enum once_exit no_memory(struct key_work *work)
{
    return key_say(work, ONCE_OS, "memory is short, or there are no random octets", BYTES_NONE,
                   "");
}

/* ---- private keys */

/* KEY.key: sealed, and its public half behind it. */
static bool put_secret(struct key_work *work, const struct rsa_private *key,
                       struct bytes password, const struct bytes *names, size_t names_n)
{
    struct buffer sealed = buffer_with_most(RSA_PKCS8_MOST);
    struct buffer half = buffer_with_most(RSA_PKCS8_MOST);
    struct buffer text = buffer_with_most(KEY_DER_MOST);
    char name[KEY_FILE_NAME];
    bool done = pkcs8_seal(key, PKCS8_MODERN, password, &sealed);

    rsa_public_put(rsa_private_public(key), RSA_SPKI, &half);
    key_put_armor(&text, "ENCRYPTED PRIVATE KEY", buffer_bytes(&sealed), names, names_n);
    key_put_armor(&text, "PUBLIC KEY", buffer_bytes(&half), NULL, 0);
    done = done && !half.bad && !text.bad
        && key_name_of_key(rsa_private_public(key), ".key", name)
        && key_put_file(work, name, buffer_bytes(&text));
    buffer_done(&sealed);
    buffer_done(&half);
    buffer_done(&text);
    return done;
}

static bool trust_own(struct key_work *work, struct rsa_public key, unsigned depth)
{
    struct keyring_anchor anchor = { .depth = depth };

    return keyring_trust(work->ring, key) != NULL
        || (keyring_digest(key, anchor.digest)
            && keyring_add_anchor(work->ring, &anchor) != KEYRING_FULL);
}

/* ---- make */

static bool put_dn(const struct key_request *request, struct buffer *to)
{
    struct buffer text = buffer_with_most(DNAME_MOST);
    bool done;

    if (request->dn.n > 0)
        return dname_read_text(request->dn, request->profile != KEY_MODERN, to);
    if (request->profile != KEY_MODERN)
        return dname_persona(request->name, to);
    buffer_put(&text, BYTES("CN="));
    for (size_t i = 0; i < request->name.n; i++) {
        if (!is_alnum(request->name.at[i]) && octet(request->name.at[i]) < 0x80)
            buffer_put_char(&text, '\\');
        buffer_put_char(&text, request->name.at[i]);
    }
    done = !text.bad && dname_read_text(buffer_bytes(&text), false, to);
    buffer_done(&text);
    return done;
}

/* A number that nobody else has: random, and not negative. */
static bool make_serial(enum key_profile profile, struct buffer *to)
{
    if (!sign_random(to, profile == KEY_RIPEM12 ? SERIAL_RIPEM12 : SERIAL))
        return false;
    to->at[0] = (char)((to->at[0] & 0x3F) | 0x40);
    return true;
}

static bool self_certify(struct key_work *work, const struct rsa_private *key, struct bytes dn,
                         struct buffer *to)
{
    const struct key_request *request = work->request;
    struct key_style style = key_style_of(request->profile);
    struct buffer serial = buffer_with_most(SERIAL);
    bool mailbox = bytes_find(request->name, '@') < request->name.n;
    uint64_t days = request->days > 0 ? request->days : style.days;
    bool done = make_serial(request->profile, &serial);
    struct x509_plan plan = {
        .version = style.version, .digest = style.digest, .key_form = style.form,
        .serial = buffer_bytes(&serial), .issuer = dn, .subject = dn, .not_before = work->now,
        .not_after = work->now + (int64_t)days * KEY_SECONDS_A_DAY,
        .authority = request->authority, .mailbox = mailbox ? request->name : BYTES_NONE,
    };

    done = done && x509_make(&plan, rsa_private_public(key), key, to);
    buffer_done(&serial);
    return done;
}

static void say_made(struct key_work *work, struct rsa_public key)
{
    uint8_t digest[KEY_DIGEST] = { 0 };

    if (keyring_digest(key, digest)) {
        key_put_hex(&work->out, digest, KEY_DIGEST);
        buffer_put_char(&work->out, '\n');
    }
}

static enum once_exit make_with(struct key_work *work, const struct rsa_private *key,
                                struct bytes dn)
{
    const struct key_request *request = work->request;
    struct buffer cert = buffer_with_most(KEY_DER_MOST);
    unsigned depth = request->authority ? CERT_DEPTH_MOST
                   : key_style_of(request->profile).version == 1 ? 1 : 0;
    bool done = self_certify(work, key, dn, &cert)
             && keyring_add_cert(work->ring, buffer_bytes(&cert), &request->name, 1)
                == KEYRING_ADDED
             && put_secret(work, key, work->password, &request->name, 1)
             && key_put_cert(work, buffer_bytes(&cert), &request->name, 1)
             && trust_own(work, rsa_private_public(key), depth) && key_put_trust(work);

    buffer_done(&cert);
    if (!done)
        return no_memory(work);
    say_made(work, rsa_private_public(key));
    return ONCE_WELL;
}

enum once_exit key_make(struct key_work *work)
{
    const struct key_request *request = work->request;
    uint64_t bits = request->bits > 0 ? request->bits : key_style_of(request->profile).bits;
    struct buffer dn = buffer_with_most(DNAME_MOST);
    enum once_exit status = ONCE_WELL;
    struct rsa_private *key;

    if (request->profile == KEY_MODERN && bits < 2048)
        status = key_say(work, ONCE_USAGE, "a key of less than 2048 bits proves nothing today; for"
                         " RIPEM say --profile", BYTES_NONE, "");
    else if (request->profile == KEY_RIPEM12 && bits > 1024)
        status = key_say(work, ONCE_USAGE, "RIPEM 1.2 reads keys of up to 1024 bits", BYTES_NONE,
                         "");
    else if (request->name.n > KEYRING_NAME_MOST || !put_dn(request, &dn))
        status = key_say(work, ONCE_USAGE, "this is no distinguished name:",
                         request->dn.n > 0 ? request->dn : request->name,
                         "; one is CN=..., O=..., C=..");
    if (status == ONCE_WELL) {
        key = rsa_private_make((size_t)bits);
        status = key == NULL ? no_memory(work) : make_with(work, key, buffer_bytes(&dn));
        rsa_private_free(key);
    }
    buffer_done(&dn);
    return status;
}

/* ---- import */

struct counts {
    uint64_t certs, publics, secrets, crls, refused;
};

/* The names of the item, and the one that was asked for. */
static size_t names_of(const struct key_work *work, const struct key_item *item,
                       struct bytes ret_names[static KEYRING_NAMES_MOST])
{
    size_t n = 0;

    if (work->request->name.n > 0)
        ret_names[n++] = work->request->name;
    for (size_t i = 0; i < item->names_n && n < KEYRING_NAMES_MOST; i++)
        ret_names[n++] = item->names[i];
    return n;
}

static enum once_exit refuse_item(struct key_work *work, struct counts *counts,
                                  const struct key_item *item, const char *why)
{
    counts->refused++;
    buffer_put(&work->err, BYTES("line "));
    buffer_put_uint(&work->err, item->line);
    buffer_put(&work->err, BYTES(": "));
    return key_say(work, ONCE_DATA, why, BYTES_NONE, "");
}

static enum once_exit import_secret(struct key_work *work, const struct key_item *item,
                                    struct counts *counts)
{
    static const char *const why[] = {
        [PKCS8_WRONG_PASSWORD] = "this pass phrase does not open the private key",
        [PKCS8_UNSUPPORTED] = "the private key is sealed in a way that is not read here",
        [PKCS8_BROKEN] = "the private key is broken", [PKCS8_FAILED] = "memory is short",
        [PKCS8_OPENED] = "",
    };
    struct bytes names[KEYRING_NAMES_MOST];
    size_t n = names_of(work, item, names);
    struct rsa_private *key = NULL;
    enum pkcs8_result result = PKCS8_OPENED;

    if (item->kind == KEY_ITEM_PRIVATE)
        key = rsa_private_read(item->der);
    else
        result = pkcs8_open(item->der, work->password, &key);
    if (result != PKCS8_OPENED)
        return refuse_item(work, counts, item, why[result]);
    if (key == NULL)
        return refuse_item(work, counts, item, "this is no RSA private key");
    bool done = put_secret(work, key, work->new_password.at == NULL ? work->password
                                                                    : work->new_password, names, n)
             && trust_own(work, rsa_private_public(key), 1) && key_put_trust(work);
    rsa_private_free(key);
    counts->secrets++;
    return done ? ONCE_WELL : no_memory(work);
}

static enum once_exit import_public(struct key_work *work, const struct key_item *item,
                                    struct counts *counts)
{
    struct bytes names[KEYRING_NAMES_MOST];
    size_t n = names_of(work, item, names);
    struct buffer text = buffer_with_most(KEY_DER_MOST);
    char name[KEY_FILE_NAME];
    struct rsa_public key;

    if (keyring_add_public(work->ring, item->der, names, n) == KEYRING_REFUSED
        || !rsa_public_read(item->der, &key))
        return refuse_item(work, counts, item, "this is no RSA key of 508 to 8192 bits");
    key_put_armor(&text, "PUBLIC KEY", item->der, names, n);
    bool done = !text.bad && key_name_of_key(key, ".pub", name)
             && key_put_file(work, name, buffer_bytes(&text));
    buffer_done(&text);
    counts->publics++;
    return done ? ONCE_WELL : no_memory(work);
}

static enum once_exit import_cert(struct key_work *work, const struct key_item *item,
                                  struct counts *counts)
{
    struct bytes names[KEYRING_NAMES_MOST];
    size_t n = names_of(work, item, names);
    struct x509 cert;
    enum x509_flaw flaw = x509_read(item->der, &cert);

    if (flaw != X509_WELL)
        return refuse_item(work, counts, item, x509_flaw_words(flaw));
    if (keyring_add_cert(work->ring, item->der, names, n) == KEYRING_FULL
        || !key_put_cert(work, item->der, names, n))
        return no_memory(work);
    counts->certs++;
    return ONCE_WELL;
}

static enum once_exit import_item(struct key_work *work, const struct key_item *item,
                                  struct counts *counts)
{
    enum once_exit status;

    switch (item->kind) {
    case KEY_ITEM_CERT: return import_cert(work, item, counts);
    case KEY_ITEM_PUBLIC: return import_public(work, item, counts);
    case KEY_ITEM_SEALED:
    case KEY_ITEM_PRIVATE: return import_secret(work, item, counts);
    case KEY_ITEM_CRL:
        status = key_keep_crl(work, item->der, NULL, 0, false);
        counts->crls += status == ONCE_WELL;
        counts->refused += status != ONCE_WELL;
        return status;
    case KEY_ITEM_BROKEN: break;
    }
    return refuse_item(work, counts, item, item->words == NULL ? "it is broken" : item->words);
}

/* Certificates that came with messages; their lists too. */
static void import_messages(struct key_work *work, struct counts *counts)
{
    struct bytes rest = work->input;
    struct pem_header header;

    while (key_next_header(work, &rest, &header)) {
        struct key_item item = { .kind = KEY_ITEM_CERT, .der = header.originator.certificate };
        if (item.der.n > 0)
            (void)import_cert(work, &item, counts);
        for (size_t i = 0; i < header.certificates_n; i++) {
            item.der = header.certificates[i];
            (void)import_cert(work, &item, counts);
        }
        item.kind = KEY_ITEM_CRL;
        for (size_t i = 0; i < header.crls_n; i++) {
            item.der = header.crls[i].der;
            (void)import_item(work, &item, counts);
        }
    }
}

static void put_count(struct buffer *to, uint64_t n, const char *what, bool *begun)
{
    if (n == 0)
        return;
    buffer_put_text(to, *begun ? ", " : "");
    buffer_put_uint(to, n);
    buffer_put_char(to, ' ');
    buffer_put_text(to, what);
    *begun = true;
}

enum once_exit key_import(struct key_work *work)
{
    struct counts counts = { 0 };
    struct key_file file;
    enum once_exit status = ONCE_WELL;
    bool begun = false;

    key_file_read(work->input, &work->arena, &file);
    /* Certificates first: a list is kept only when its issuer is known. */
    for (int lists = 0; lists < 2; lists++)
        for (const struct key_item *item = file.first; item != NULL && status != ONCE_OS;
             item = item->next)
            if ((item->kind == KEY_ITEM_CRL) == (lists == 1))
                status = import_item(work, item, &counts);
    import_messages(work, &counts);
    put_count(&work->out, counts.secrets, "private", &begun);
    put_count(&work->out, counts.publics, "public", &begun);
    put_count(&work->out, counts.certs, "certificates", &begun);
    put_count(&work->out, counts.crls, "lists of revoked ones", &begun);
    put_count(&work->out, counts.refused, "refused", &begun);
    buffer_put_text(&work->out, begun ? "\n" : "");
    if (status == ONCE_OS || file.bad)
        return no_memory(work);
    if (!begun)
        return key_say(work, ONCE_DATA, "no key, certificate or list stands in it", BYTES_NONE, "");
    return counts.secrets + counts.publics + counts.certs + counts.crls > 0 ? ONCE_WELL
                                                                            : ONCE_DATA;
}

/* ---- export */

static enum once_exit export_secret(struct key_work *work, const struct bytes *names, size_t n)
{
    enum key_form form = work->request->form;
    bool ripem = form == KEY_FORM_RIPEM12 || form == KEY_FORM_RIPEM3;
    struct bytes password = work->new_password.at == NULL ? work->password : work->new_password;
    struct buffer sealed = buffer_with_most(RSA_PKCS8_MOST);

    if (!pkcs8_seal(work->key, ripem ? PKCS8_RIPEM : PKCS8_MODERN, password, &sealed)) {
        buffer_done(&sealed);
        return no_memory(work);
    }
    if (ripem)
        ripem_put_private(&work->out, buffer_bytes(&sealed), names, n);
    else if (form == KEY_FORM_DER)
        buffer_put(&work->out, buffer_bytes(&sealed));
    else
        key_put_armor(&work->out, "ENCRYPTED PRIVATE KEY", buffer_bytes(&sealed), NULL, 0);
    buffer_done(&sealed);
    if (ripem)
        (void)key_say(work, ONCE_WELL, "note: in this form MD5 and single DES protect the key:"
                      " weak today", BYTES_NONE, "");
    return ONCE_WELL;
}

enum once_exit key_export(struct key_work *work)
{
    const struct keyring_key *key = key_find(work, work->request->subject);
    enum key_form form = work->request->form;
    struct buffer spki = buffer_with_most(RSA_PKCS8_MOST);
    bool done = true;

    if (key == NULL)
        return ONCE_NO_INPUT;
    if (work->request->secret)
        return export_secret(work, key->names, key->names_n);
    struct bytes der = key->certified ? key->cert.der : BYTES_NONE;
    rsa_public_put(key->key, RSA_SPKI, &spki);
    if (form == KEY_FORM_RIPEM12 || form == KEY_FORM_RIPEM3)
        done = ripem_put_public(&work->out, form == KEY_FORM_RIPEM12, key->key, der, key->names,
                                key->names_n);
    else if (form == KEY_FORM_DER)
        buffer_put(&work->out, key->certified ? der : buffer_bytes(&spki));
    else if (key->certified)
        key_put_armor(&work->out, "CERTIFICATE", der, NULL, 0);
    else
        key_put_armor(&work->out, "PUBLIC KEY", buffer_bytes(&spki), NULL, 0);
    buffer_done(&spki);
    return done ? ONCE_WELL : no_memory(work);
}
