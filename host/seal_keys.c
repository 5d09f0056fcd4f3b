/* SPDX-License-Identifier: ISC
 *
 * The keys that a message needs: the person's own store, files named beside it, and the pass
 * phrase, asked for only when a private key is needed.
 */
#include "host/seal_int.h"

#include "crypt/pkcs8.h"
#include "host/clock.h"
#include "host/keystore.h"
#include "seal/key_file.h"

#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

/* ---- loading */

static bool add_own(struct seal_keys *keys, struct rsa_private *key, const struct bytes *names,
                    size_t names_n)
{
    size_t count = names_n == 0 ? 1 : names_n;

    for (size_t i = 0; i < count; i++) {
        if (keys->own_n == SEAL_OWN_MOST) {
            if (i == 0)
                rsa_private_free(key);
            return false;
        }
        keys->own[keys->own_n] = i == 0 ? key : NULL;
        keys->names[keys->own_n++] = (struct pem_own){ key, names_n == 0 ? BYTES_NONE : names[i] };
    }
    return true;
}

static int load_file(const char *path, size_t i, struct seal_keys *keys)
{
    struct key_file file;
    int status = keystore_input(path, KEY_FILE_MOST, &keys->files[i]);

    if (status != 0)
        return status;
    key_file_read(buffer_bytes(&keys->files[i]), &keys->arena, &file);
    if (file.n == 0 || file.bad)
        return seal_say(path, "holds no key that can be read", EX_DATAERR);
    for (const struct key_item *item = file.first; item != NULL; item = item->next) {
        struct rsa_private *key = item->kind != KEY_ITEM_PRIVATE ? NULL
                                : rsa_private_read(item->der);
        if (item->kind == KEY_ITEM_BROKEN)
            (void)seal_say(path, item->words, 0);
        else if (key != NULL)
            (void)add_own(keys, key, item->names, item->names_n);
        else if (key_item_add(keys->ring, item) == KEYRING_FULL)
            return seal_say(path, "holds more keys than fit", EX_DATAERR);
    }
    return 0;
}

/* A folder of keys may be named where a file may, as postern key has it. */
static bool is_folder(const char *path)
{
    struct stat is;

    return stat(path, &is) == 0 && S_ISDIR(is.st_mode);
}

static int hex_of(char c)
{
    c = to_lower(c);
    return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* ENTITY ISSUER VERSION HEX; "-" leaves one open. */
static bool take_interchange(struct bytes line, struct pem_interchange *ret)
{
    struct bytes words[4] = { BYTES_NONE, BYTES_NONE, BYTES_NONE, BYTES_NONE };
    size_t n = 0;

    for (struct bytes rest = bytes_trim(line), word; n < 4 && bytes_cut(&rest, ' ', &word);)
        if (word.n > 0)
            words[n++] = bytes_equal(word, BYTES("-")) ? BYTES_NONE : word;
    *ret = (struct pem_interchange){ .entity = words[0], .issuer = words[1], .version = words[2],
                                     .n = words[3].n / 2 };
    if (n != 4 || (words[3].n != 16 && words[3].n != 32))
        return false;
    for (size_t i = 0; i < words[3].n; i += 2) {
        int high = hex_of(words[3].at[i]), low = hex_of(words[3].at[i + 1]);
        if (high < 0 || low < 0)
            return false;
        ret->key[i / 2] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static int load_interchange(const char *path, struct seal_keys *keys)
{
    int status = keystore_input(path, 65536, &keys->shared);
    struct bytes rest = buffer_bytes(&keys->shared), line;

    while (status == 0 && bytes_cut(&rest, '\n', &line)) {
        if (bytes_trim(line).n == 0 || line.at[0] == '#')
            continue;
        if (keys->interchange_n == SEAL_FILES_MOST
            || !take_interchange(line, &keys->interchange[keys->interchange_n++]))
            return seal_say(path, "a line is ENTITY ISSUER VERSION and 16 or 32 hexadecimal digits",
                            EX_DATAERR);
    }
    return status;
}

int seal_keys_load(const struct seal_words *words, struct seal_keys *ret_keys)
{
    struct seal_keys *keys = ret_keys;
    struct keystore store;

    *keys = (struct seal_keys){ .ring = keyring_new(),
                                .arena = arena_with_ceiling(KEY_FILE_MEMORY),
                                .shared = buffer_with_most(0) };
    if (keys->ring == NULL)
        return seal_say(NULL, "memory is short", EX_OSERR);
    const char *home = NULL;
    for (size_t i = 0; i < words->keys_n; i++)
        home = is_folder(words->keys[i]) ? words->keys[i] : home;
    int status = keystore_open(home, false, &store);
    if (status == 0) {
        status = keystore_read(&store, keys->ring);
        keystore_close(&store);
    }
    for (size_t i = 0; i < words->keys_n && status == 0; i++)
        if (!is_folder(words->keys[i]))
            status = load_file(words->keys[i], i, keys);
    if (status == 0 && words->interchange != NULL)
        status = load_interchange(words->interchange, keys);
    return status;
}

void seal_keys_done(struct seal_keys *keys)
{
    for (size_t i = 0; i < keys->own_n; i++)
        rsa_private_free(keys->own[i]);
    for (size_t i = 0; i < SEAL_FILES_MOST; i++)
        password_done(&keys->files[i]);
    password_done(&keys->shared);
    if (keys->asked)
        password_done(&keys->password);
    mem_wipe(keys->interchange, sizeof(keys->interchange));
    arena_done(&keys->arena);
    keyring_free(keys->ring);
}

struct pem_keys seal_keys_view(const struct seal_keys *keys, bool subordinate)
{
    return (struct pem_keys){
        .ring = keys->ring, .own = keys->names, .own_n = keys->own_n,
        .interchange = keys->interchange, .interchange_n = keys->interchange_n,
        .rules = { .now = (int64_t)(clock_now().wall_ms / 1000), .subordinate = subordinate },
    };
}

/* ---- secrets */

static int ask(const struct seal_words *words, struct seal_keys *keys)
{
    if (keys->asked)
        return 0;
    if (words->secret.at != NULL) {
        keys->password = buffer_with_most(PKCS8_PASSWORD_MOST);
        buffer_put(&keys->password, words->secret);
        keys->asked = true;
        return 0;
    }
    int status = password_read(&words->password, "Pass phrase of the private key: ", false,
                               &keys->password);
    keys->asked = status == 0;
    return status;
}

static int open_secret(const struct seal_words *words, struct seal_keys *keys,
                       const struct keyring_secret *secret)
{
    struct rsa_private *key;
    int status = ask(words, keys);

    if (status != 0)
        return status;
    switch (pkcs8_open(secret->sealed, buffer_bytes(&keys->password), &key)) {
    case PKCS8_OPENED:
        (void)add_own(keys, key, secret->names, secret->names_n);
        return 0;
    case PKCS8_WRONG_PASSWORD:
        return seal_say(NULL, "this is not the pass phrase of that private key", EX_NOPERM);
    case PKCS8_UNSUPPORTED:
        return seal_say(NULL, "the private key is sealed in a way that is not read here",
                        EX_DATAERR);
    case PKCS8_BROKEN: return seal_say(NULL, "the private key is broken", EX_DATAERR);
    case PKCS8_FAILED: break;
    }
    return seal_say(NULL, "memory is short", EX_OSERR);
}

/* The secret of a party: by its key, by its certificate, by its name. */
static const struct keyring_secret *secret_of(const struct seal_keys *keys,
                                              const struct pem_party *party)
{
    struct keyring_query query = { .issuer = party->issued.issuer,
                                   .serial = party->issued.serial };
    const struct keyring_secret *secret = NULL;
    struct rsa_public key;

    if (party->spki.n > 0 && rsa_public_read(party->spki, &key)) {
        query = (struct keyring_query){ .key = &key };
        secret = keyring_find_secret(keys->ring, &query, NULL);
    } else if (party->issued.issuer.n > 0) {
        secret = keyring_find_secret(keys->ring, &query, NULL);
    }
    if (secret == NULL && party->name.n > 0) {
        query = (struct keyring_query){ .name = party->name };
        secret = keyring_find_secret(keys->ring, &query, NULL);
    }
    return secret;
}

int seal_keys_open(const struct seal_words *words, struct seal_keys *keys,
                   const struct pem_header *header)
{
    for (size_t i = 0; i <= header->recipients_n; i++) {
        const struct pem_party *party = i < header->recipients_n ? &header->recipients[i]
                                                                 : &header->originator;
        const struct keyring_secret *secret = pem_is_rsa(party->way) ? secret_of(keys, party)
                                                                    : NULL;
        if (secret != NULL)
            return open_secret(words, keys, secret);
    }
    return 0;
}

/* ---- the sender */

/* By the name beside the private key, or beside its public half. */
static bool is_named(const struct seal_keys *keys, const struct pem_own *own, struct bytes name)
{
    struct rsa_public half = rsa_private_public(own->key);
    struct keyring_query query = { .name = name, .key = &half };

    return bytes_equal_nocase(own->name, name)
        || keyring_find(keys->ring, &query, NULL) != NULL;
}

const struct rsa_private *seal_keys_sender(const struct seal_words *words, struct seal_keys *keys,
                                           int *ret_status)
{
    struct bytes name = words->from == NULL ? BYTES_NONE : bytes_of(words->from);
    struct keyring_query query = { .name = name };
    const struct keyring_secret *secret = keyring_find_secret(keys->ring, &query, NULL);

    for (size_t i = 0; i < keys->own_n; i++)
        if (words->from == NULL || is_named(keys, &keys->names[i], name))
            return keys->names[i].key;
    if (secret == NULL) {
        *ret_status = seal_say(words->from, "there is no private key to sign with; make"
                               " one: postern key make --name ADDRESS", SEAL_NO_KEY);
        return NULL;
    }
    if (words->from == NULL && keyring_find_secret(keys->ring, &query, secret) != NULL) {
        *ret_status = seal_say(NULL, "there is more than one private key: say --from NAME",
                               EX_USAGE);
        return NULL;
    }
    *ret_status = open_secret(words, keys, secret);
    return *ret_status == 0 ? keys->names[keys->own_n - 1].key : NULL;
}
