/* SPDX-License-Identifier: ISC
 *
 * seal/pem_world_test.h: for tests of messages: files of the shared vectors, keys, and a whole
 * reading.
 */
#ifndef POSTERN_SEAL_PEM_WORLD_TEST_H
#define POSTERN_SEAL_PEM_WORLD_TEST_H

#include "seal/pem_reader.h"

/* Below $POSTERN_SHARED/vectors. False: not there. */
bool world_file(const char *name, struct buffer *to);
/* The key in a file -----BEGIN PRIVATE KEY----- of the vectors. */
struct rsa_private *world_key(const char *name);

struct world_read {
    struct pem_found found;         /* of the first message; slices are gone */
    size_t messages;
    struct buffer text;             /* of all */
    struct buffer sender;           /* pem_put_sender of the first */
    uint32_t notes[PEM_NOTES_MOST];
    size_t notes_n;
};
/* Read all in pieces of that many octets. */
void world_read(struct bytes input, const struct pem_keys *keys, size_t piece,
                struct world_read *ret_read);
void world_read_done(struct world_read *read);

#endif
