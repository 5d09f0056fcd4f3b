/* SPDX-License-Identifier: ISC
 *
 * role/once_key.h: postern key, as pure functions: words read, keys made, certified, revoked and
 * shown.
 *
 * host/ctl_key.c reads the files and asks for pass phrases; here is decided what is written, and
 * under which name. Nothing is written when the status is not ONCE_WELL.
 */
#ifndef POSTERN_ROLE_ONCE_KEY_H
#define POSTERN_ROLE_ONCE_KEY_H

#include "base/buffer.h"
#include "role/once.h"
#include "seal/cert.h"
#include "seal/key_file.h"

enum key_verb {
    KEY_MAKE, KEY_IMPORT, KEY_EXPORT, KEY_LIST, KEY_TRUST, KEY_REVOKE, KEY_CRL, KEY_REQUEST,
    KEY_ISSUE, KEY_VERBS
};

/* For whom a key or certificate is made. */
enum key_profile { KEY_MODERN, KEY_RFC1423, KEY_RIPEM12, KEY_RIPEM3, KEY_PROFILES };

enum key_form { KEY_FORM_PEM, KEY_FORM_DER, KEY_FORM_RIPEM12, KEY_FORM_RIPEM3, KEY_FORMS };

struct key_request {
    enum key_verb verb;
    bool help, json, authority, secret, drop, strict, answer, ask, clear;
    struct bytes subject;               /* a name or digest, or a file */
    struct bytes name, dn, by;
    enum key_profile profile;
    enum key_form form;
    uint64_t bits, days, depth;         /* 0, and depth UINT64_MAX: not said */
    unsigned free_levels;
    /* for the host: words that name files and descriptors; empty when not given */
    struct bytes folder, password_file, password_fd, new_file, new_fd;
};

/* The words behind "postern key". False: reterr_words says what is wrong, one line. */
MUST_USE bool key_words_read(const struct bytes *words, size_t n, struct key_request *ret_request,
                             struct buffer *reterr_words);
const char *key_help(void);

enum { KEY_WRITES_MOST = 4096, KEY_FILE_NAME = 80 };

/* A file of the store to replace. */
struct key_write {
    struct key_write *next;
    char name[KEY_FILE_NAME];
    struct bytes text;
};

struct key_work {
    /* given */
    const struct key_request *request;
    struct keyring *ring;               /* what is imported is added to it */
    int64_t now;                        /* seconds since 1970 */
    struct bytes input;                 /* the file that the request names */
    const struct rsa_private *key;      /* opened: what key_work_secret asked for */
    struct bytes password;              /* for the new private key, or of the one imported */
    struct bytes new_password;          /* at == NULL: the same */
    struct arena arena;
    /* results */
    struct buffer out;                  /* for standard output */
    struct buffer err;                  /* lines for standard error */
    struct key_write *writes;
};

/* Which verbs name a file in `subject`; "-" is standard input. */
bool key_reads_input(const struct key_request *request);
/* The private key that must be opened first; NULL and ONCE_WELL: none. Else words stand in
   work->err. */
MUST_USE enum once_exit key_work_secret(struct key_work *work,
                                        const struct keyring_secret **ret_secret);
/* Does the request make or import a private key, so that a pass phrase is needed for it? */
bool key_needs_password(const struct key_work *work);

struct key_work key_work_begin(const struct key_request *request, struct keyring *ring,
                               int64_t now);
enum once_exit key_work_run(struct key_work *work);
void key_work_done(struct key_work *work);

#endif
