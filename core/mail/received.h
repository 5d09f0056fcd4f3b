/* SPDX-License-Identifier: ISC
 *
 * mail/received.h: the fields put on top of a letter when it is delivered (RFC 5321, 4.4).
 */
#ifndef POSTERN_MAIL_RECEIVED_H
#define POSTERN_MAIL_RECEIVED_H

#include "mail/envelope.h"

/* The most that delivery_put writes. */
enum { DELIVERY_FIELDS_MOST = 3 * LIMIT_PATH + 4 * LIMIT_DOMAIN + 1024 };

/* "Received: from HELO ([peer]) by HOST with PROTOCOL id ID for <recipient>; date" and CRLF,
   folded. The name the client gave itself is a stranger's: what cannot stand there is written as
   "?". An empty recipient is left out. */
void received_put(struct buffer *to, const struct envelope *envelope, struct bytes recipient,
                  uint64_t id);

/* Return-Path, Delivered-To and Received, in that order, each ended by CRLF: what goes on top of
   one recipient's copy. Lines keep below 998 octets. */
void delivery_put(struct buffer *to, const struct envelope *envelope, struct bytes recipient,
                  uint64_t id);

#endif
