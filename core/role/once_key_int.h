/* SPDX-License-Identifier: ISC
 *
 * role/once_key_int.h: what the files of postern key share.
 */
#ifndef POSTERN_ROLE_ONCE_KEY_INT_H
#define POSTERN_ROLE_ONCE_KEY_INT_H

#include "role/once_key.h"
#include "seal/pem.h"

enum { KEY_OUT_MOST = 16 << 20, KEY_DER_MOST = 1 << 20, KEY_SECONDS_A_DAY = 86400 };

/* How keys of a profile are made. */
struct key_style {
    unsigned version;
    enum digest_kind digest;
    enum rsa_form form;
    uint64_t bits;
    uint64_t days;
};
struct key_style key_style_of(enum key_profile profile);

/* One line on work->err: what, a stranger's word in quotes when it is not empty, what then. */
enum once_exit key_say(struct key_work *work, enum once_exit status, const char *what,
                       struct bytes word, const char *after);
/* A file for the store; the text is copied. */
MUST_USE bool key_put_file(struct key_work *work, const char *name, struct bytes text);
/* "0123456789abcdef.crt": the first 16 digits of a digest. */
void key_file_name(const uint8_t *digest, const char *end, char ret_name[static KEY_FILE_NAME]);
bool key_name_of_key(struct rsa_public key, const char *end, char ret_name[static KEY_FILE_NAME]);
bool key_name_of_cert(struct bytes der, char ret_name[static KEY_FILE_NAME]);
/* Certificate as a file of the store. */
MUST_USE bool key_put_cert(struct key_work *work, struct bytes der, const struct bytes *names,
                           size_t names_n);
/* `trust` anew, from the ring. */
MUST_USE bool key_put_trust(struct key_work *work);
void key_put_hex(struct buffer *to, const uint8_t *octets, size_t n);

/* The one key that a word means: a digest, else a name. NULL: said on err. A key with a
   certificate comes before one without, and a later certificate before an earlier one. */
const struct keyring_key *key_find(struct key_work *work, struct bytes word);
/* The certificate of that key's owner to show others: issued by others before self-signed. */
const struct keyring_key *key_find_cert(struct key_work *work, struct rsa_public key);

/* Every privacy-enhanced message in a text: its header. False at the end. *rest begins as the
   text. A header that cannot be read is said on err and passed over. */
bool key_next_header(struct key_work *work, struct bytes *rest, struct pem_header *ret_header);
/* Keep a list that its issuer signed, when he is trusted and it is not older than what is there.
   ONCE_WELL, or why not on err. */
enum once_exit key_keep_crl(struct key_work *work, struct bytes der, const struct x509 *more,
                            size_t more_n, bool trusted_only);

enum once_exit key_make(struct key_work *work);
enum once_exit key_import(struct key_work *work);
enum once_exit key_export(struct key_work *work);
enum once_exit key_list(struct key_work *work);
enum once_exit key_trust(struct key_work *work);
enum once_exit key_revoke(struct key_work *work);
enum once_exit key_crl(struct key_work *work);
enum once_exit key_ask(struct key_work *work);
enum once_exit key_issue(struct key_work *work);

#endif
