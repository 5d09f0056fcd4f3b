/* SPDX-License-Identifier: ISC
 *
 * smtp/chunk.h: the argument of BDAT (RFC 3030, 2). Stands on base.
 */
#ifndef POSTERN_SMTP_CHUNK_H
#define POSTERN_SMTP_CHUNK_H

#include "base/bytes.h"

enum chunk_kind {
    CHUNK_FINE,
    CHUNK_MALFORMED,    /* wrong, but its length is certain: so many octets are stepped over */
    CHUNK_UNKNOWN,      /* nobody can say where the next command begins: the session cannot go on */
};

struct chunk {
    uint64_t octets;
    bool last;
};

/* *ret_chunk is set unless CHUNK_UNKNOWN. */
MUST_USE enum chunk_kind chunk_parse(struct bytes text, struct chunk *ret_chunk);

#endif
