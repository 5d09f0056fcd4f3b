/* SPDX-License-Identifier: ISC
 *
 * smtp/transaction_int.h: one mail transaction (RFC 5321, 3.3): sender, recipients, what came of
 * the text.
 *
 * A session reuses one for all its letters; transaction_reset is the only way back to none.
 */
#ifndef POSTERN_SMTP_TRANSACTION_INT_H
#define POSTERN_SMTP_TRANSACTION_INT_H

#include "base/buffer.h"
#include "smtp/dot.h"
#include "smtp/param.h"

struct transaction {
    struct buffer names;        /* the sender, then the accepted recipients, one behind the other */
    struct buffer ends;         /* where each ends, as uint32_t in the machine's own order */
    struct mail_params params;
    struct dot dot;
    uint64_t size;              /* octets of text so far */
    uint64_t dropped;           /* octets read after the text was refused */
    uint32_t chunks;
    enum reply refusal;         /* of the text, said at its end; REPLY_NONE: it is well so far */
    bool told;                  /* the refusal was, to an earlier chunk */
    bool given;                 /* some of the text went out by SMTP_TEXT */
};

struct transaction transaction_none(uint32_t recipients_most);
void transaction_done(struct transaction *transaction);
/* Back to nothing; memory that grew is given back. */
void transaction_reset(struct transaction *transaction);

/* The sender first, then each recipient. The slice returned is the copy kept; at == NULL: no
   memory. A name that was added is kept only after transaction_keep, else the next one takes its
   place. */
struct bytes transaction_add(struct transaction *transaction, struct bytes name);
MUST_USE bool transaction_keep(struct transaction *transaction);

struct bytes transaction_sender(const struct transaction *transaction);
size_t transaction_recipients(const struct transaction *transaction);
/* i < transaction_recipients. */
struct bytes transaction_recipient(const struct transaction *transaction, size_t i);

#endif
