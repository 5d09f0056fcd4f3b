/* SPDX-License-Identifier: ISC
 *
 * crypt/md2_int.h: MD2 (RFC 1319). For reading what was signed before 1996, and for peers that
 * read nothing newer.
 */
#ifndef POSTERN_CRYPT_MD2_INT_H
#define POSTERN_CRYPT_MD2_INT_H

#include "base/bytes.h"

enum { MD2_SIZE = 16 };

/* Zero is ready. */
struct md2 {
    uint8_t state[MD2_SIZE], sum[MD2_SIZE], block[MD2_SIZE];
    uint8_t n;              /* octets that wait in block */
};

void md2_put(struct md2 *md2, struct bytes text);
void md2_end(struct md2 *md2, uint8_t ret[static MD2_SIZE]);

#endif
