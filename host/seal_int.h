/* SPDX-License-Identifier: ISC
 *
 * host/seal_int.h: what the commands seal, open, verify and convert share: their words, their keys,
 * their files.
 */
#ifndef POSTERN_HOST_SEAL_INT_H
#define POSTERN_HOST_SEAL_INT_H

#include "host/password.h"
#include "host/seal.h"
#include "seal/pem_reader.h"
#include "seal/pem_write.h"

#include <stdio.h>

enum { SEAL_FILES_MOST = 16, SEAL_TO_MOST = 1000, SEAL_OWN_MOST = 32, SEAL_TEXT_MOST = 1 << 28 };

/* Exit statuses of verify, open and convert beside those of sysexits.h. */
enum { SEAL_ALTERED = 1, SEAL_NO_KEY = 2, SEAL_UNSUPPORTED = 3 };

struct seal_words {
    const char *command;
    bool help, json, pem, subordinate;
    const char *file, *output, *from, *interchange;
    const char *keys[SEAL_FILES_MOST];
    size_t keys_n;
    const char *to[SEAL_TO_MOST];
    size_t to_n;
    struct password_from password;
    struct bytes secret;                /* ripem's -k; unset when at == NULL */
    bool has_mode, has_profile;
    bool prepend, include, take_to;     /* header of a letter: RIPEM's -h p, i and r */
    bool me_too, without_missing;       /* RIPEM's -T m and -T n */
    struct pem_order order;             /* type, profile, algorithms */
};

/* The words of one of the four commands. 0, or EX_USAGE and said why. */
int seal_words_read(int argc, char **argv, struct seal_words *ret_words);
const char *seal_help(const char *command);

/* ---- keys */

struct seal_keys {
    struct keyring *ring;
    struct arena arena;                 /* of files named by --keys */
    struct buffer files[SEAL_FILES_MOST], shared;
    struct rsa_private *own[SEAL_OWN_MOST];
    struct pem_own names[SEAL_OWN_MOST];
    size_t own_n;
    struct pem_interchange interchange[SEAL_FILES_MOST];
    size_t interchange_n;
    struct buffer password;
    bool asked;
};

/* Everything but secrets that a pass phrase protects. */
int seal_keys_load(const struct seal_words *words, struct seal_keys *ret_keys);
/* The secrets that may open this message; the pass phrase is asked for once. 0 also when there are
   none. */
int seal_keys_open(const struct seal_words *words, struct seal_keys *keys,
                   const struct pem_header *header);
/* The secret to sign with: of that name, or the only one. NULL and said why. */
const struct rsa_private *seal_keys_sender(const struct seal_words *words, struct seal_keys *keys,
                                           int *ret_status);
void seal_keys_done(struct seal_keys *keys);
struct pem_keys seal_keys_view(const struct seal_keys *keys, bool subordinate);

/* verify, open and convert, when their words are read; seal likewise. */
int seal_read_words(const struct seal_words *words);
int seal_write_words(struct seal_words *words);

/* ---- files */

/* Another file in place of the named one, or standard output, when all is well. */
struct seal_out {
    const char *path;                   /* NULL or "-": standard output */
    char made[4096];                    /* the temporary file; empty: it has no name */
    FILE *file;
};
int seal_out_open(const char *path, struct seal_out *ret_out);
bool seal_out_put(struct seal_out *out, struct bytes text);
/* What stands in it from octet `from` on goes to standard output. */
bool seal_out_show(struct seal_out *out, long from);
/* Rename it into its place, or remove it. */
int seal_out_close(struct seal_out *out, bool keep);
/* "postern: PATH: why" on standard error. */
int seal_say(const char *path, const char *why, int status);

#endif
