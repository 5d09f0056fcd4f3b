/* SPDX-License-Identifier: ISC
 *
 * seal/pem_text_int.h: the text of one message, from its first line to the verdict.
 */
#ifndef POSTERN_SEAL_PEM_TEXT_INT_H
#define POSTERN_SEAL_PEM_TEXT_INT_H

#include "base/base64.h"
#include "seal/pem_reader.h"

/* What base64 and deciphering give of one piece of input, at most. */
enum { PEM_PIECE_MOST = 8192, PEM_STEP_MOST = 1 << 20 };

struct pem_text {
    const struct pem_keys *keys;
    struct pem_found *found;
    struct ciphers *ciphers;
    struct arena *arena;
    bool wanted, ripem;
    struct pem_canon *canon;
    struct base64_decoder base64;
    struct cipher *cipher;
    const struct pem_party *own;        /* ours among the recipients */
    uint8_t dek[CIPHER_KEY_MOST];
    uint8_t shared_mic[DIGEST_MOST];    /* symmetric: the digest that it should have */
    bool shared;
    bool cut;                           /* a "\r" waits for what follows it */
    bool failed;                        /* the machine: no memory */
    struct buffer raw, clear;
};

/* The header is read: make all ready. False: found->verdict and flaw say why not. */
MUST_USE bool pem_text_begin(struct pem_text *text);
/* A piece of a line without its end. False: malformed, found->flaw says why (not its line). */
MUST_USE bool pem_text_line(struct pem_text *text, struct bytes piece, bool ends,
                            struct buffer *to);
/* At the start of a line of a MIC-CLEAR text: as many whole plain lines as can be taken at once.
   Returns the octets used, 0 when pem_text_line must see what stands there. */
size_t pem_text_lines(struct pem_text *text, struct bytes input, uint32_t *ret_lines,
                      struct buffer *to);
/* END stood there: the verdict goes to found. */
void pem_text_end(struct pem_text *text, struct buffer *to);
/* Wipe and forget. */
void pem_text_done(struct pem_text *text);

#endif
