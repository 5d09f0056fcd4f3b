/* SPDX-License-Identifier: ISC
 *
 * mail/envelope.h: what is known of a letter beside its text, as kept in the log and told between roles.
 *
 * It travels as two kinds of octets that the queue need not understand: one head for the letter, and one
 * entry for each recipient. Both begin with a version.
 */
#ifndef POSTERN_MAIL_ENVELOPE_H
#define POSTERN_MAIL_ENVELOPE_H

#include "base/buffer.h"
#include "base/bytes.h"

enum body_kind { BODY_7BIT, BODY_8BITMIME, BODY_BINARYMIME };

/* The head. Slices borrow from what was decoded. */
struct envelope {
    struct bytes sender;        /* the reverse path without its brackets; empty: the null sender */
    enum body_kind body;
    bool smtputf8;
    uint64_t received_ms;       /* wall clock, when the end of the text was seen */
    struct bytes protocol;      /* for Received: SMTP, ESMTP, UTF8SMTP, ... (RFC 3848, RFC 6531, 4.3) */
    struct bytes helo;          /* as the client named itself */
    struct bytes peer;          /* the client's address as text, without port: 192.0.2.1, 2001:db8::1 */
    struct bytes host;          /* our own name at that time */
    struct bytes message_id;    /* the Message-ID field's value, without brackets; may be empty */
};

struct recipient {
    struct bytes address;       /* the forward path without its brackets, as written */
};

void envelope_put(struct buffer *to, const struct envelope *envelope);
MUST_USE bool envelope_read(struct bytes head, struct envelope *ret_envelope);
void recipient_put(struct buffer *to, const struct recipient *recipient);
MUST_USE bool recipient_read(struct bytes entry, struct recipient *ret_recipient);

#endif
