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

#endif
