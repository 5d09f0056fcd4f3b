/* SPDX-License-Identifier: ISC
 *
 * seal/pem_write_int.h: what the files of the writer share.
 */
#ifndef POSTERN_SEAL_PEM_WRITE_INT_H
#define POSTERN_SEAL_PEM_WRITE_INT_H

#include "seal/pem_write.h"

/* Each line with CRLF, the last too: the form that is digested (RFC 1421, 4.3.2.2). */
void pem_put_canonical(struct buffer *to, struct bytes text);
/* That form as the text of a MIC-CLEAR message. */
void pem_put_clear(struct buffer *to, struct bytes canonical);
MUST_USE bool pem_may_be_clear(struct bytes canonical, enum pem_profile profile,
                               struct pem_flaw *reterr_flaw);
/* Key and initialization vector out of chance, of the form that the cipher has. */
void pem_make_dek(enum cipher_kind kind, const uint8_t chance[static PEM_CHANCE], uint8_t *ret_dek,
                  uint8_t *ret_iv);
bool pem_has_chance(const uint8_t chance[static PEM_CHANCE]);
void pem_put_hex(struct buffer *to, const uint8_t *octets, size_t n);

#endif
