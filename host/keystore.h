/* SPDX-License-Identifier: ISC
 *
 * host/keystore.h: the folder where a person's keys stand, ~/.config/postern: plain files, each
 * read by seal/key_file.h. Its names are told in postern-key(1).
 *
 * What goes wrong is said on standard error; functions return an exit status of sysexits.h.
 */
#ifndef POSTERN_HOST_KEYSTORE_H
#define POSTERN_HOST_KEYSTORE_H

#include "base/buffer.h"
#include "seal/keyring.h"

struct keystore {
    char path[4096];
    int folder;                 /* -1: there is none, which is an empty store */
};

/* The folder; NULL: $XDG_CONFIG_HOME/postern or ~/.config/postern. `make`: make it, mode 0700, when
   it is not there. Warned of when others may write it. */
MUST_USE int keystore_open(const char *path, bool make, struct keystore *ret_store);
void keystore_close(struct keystore *store);
/* All of it into the ring. A file that cannot be read, or is broken, is named and left out. */
MUST_USE int keystore_read(const struct keystore *store, struct keyring *ring);
/* Replace one file as a whole, mode 0600, synced. */
MUST_USE int keystore_write(const struct keystore *store, const char *name, struct bytes text);

/* A whole file, or standard input for "-"; EX_DATAERR when there are more than `most` octets. */
MUST_USE int keystore_input(const char *path, size_t most, struct buffer *ret_text);

#endif
