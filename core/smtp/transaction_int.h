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
#include "smtp/restore_int.h"

/* Where a name ends in `names`, its note too. */
struct transaction_end {
    uint32_t end;
    uint16_t note_n;
    uint8_t notify;
};

struct transaction {
    /* the sender, then the accepted recipients, one behind the other; behind each its note */
    struct buffer names;
    struct buffer ends;         /* a struct transaction_end for each */
    struct transaction_end asked;   /* of the name added last, until it is kept */
    struct mail_params params;
    struct dot dot;
    struct restore *restore;    /* the text comes in its raw form; NULL: as it is */
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
   place. `note`: what stands beside it, the sender's ENVID or a recipient's ORCPT. */
struct bytes transaction_add(struct transaction *transaction, struct bytes name,
                             struct bytes note, uint8_t notify);
MUST_USE bool transaction_keep(struct transaction *transaction);

struct bytes transaction_sender(const struct transaction *transaction);
struct bytes transaction_envid(const struct transaction *transaction);
size_t transaction_recipients(const struct transaction *transaction);
/* i < transaction_recipients. */
struct bytes transaction_recipient(const struct transaction *transaction, size_t i);
struct bytes transaction_orcpt(const struct transaction *transaction, size_t i);
uint8_t transaction_notify(const struct transaction *transaction, size_t i);

#endif
