/* SPDX-License-Identifier: ISC
 *
 * mail/envelope.h: what is known of a letter beside its text, as kept in the log and told between
 * roles.
 *
 * It travels as two kinds of octets that the queue need not understand: one head for the letter,
 * and one entry for each recipient. Both begin with a version.
 */
#ifndef POSTERN_MAIL_ENVELOPE_H
#define POSTERN_MAIL_ENVELOPE_H

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/limits.h"

enum {
    ENVELOPE_WORD_MOST = 64,            /* protocol, peer */
    ENVELOPE_ID_MOST = 998,             /* a Message-ID fills a line at most (RFC 5322, 2.1.1) */
    /* the longest head there is, for a caller's buffer */
    ENVELOPE_MOST = 11 + 6 * 4 + 2 * LIMIT_PATH + 2 * ENVELOPE_WORD_MOST + LIMIT_DOMAIN
                  + ENVELOPE_ID_MOST,
    RECIPIENT_MOST = 1 + 4 + LIMIT_PATH,
};

enum body_kind { BODY_7BIT, BODY_8BITMIME, BODY_BINARYMIME };

/* The head. Slices borrow from what was decoded. */
struct envelope {
    struct bytes sender;        /* the reverse path without its brackets; empty: the null sender */
    enum body_kind body;
    bool smtputf8;
    uint64_t received_ms;       /* wall clock, when the end of the text was seen */
    struct bytes protocol;      /* for Received: SMTP, ESMTP, UTF8SMTP, ... (RFC 3848, 6531) */
    struct bytes helo;          /* as the client named itself */
    struct bytes peer;          /* the client's address, without port: 192.0.2.1, 2001:db8::1 */
    struct bytes host;          /* our own name at that time */
    struct bytes message_id;    /* the Message-ID field's value, without brackets; may be empty */
};

struct recipient {
    struct bytes address;       /* the forward path without its brackets, as written */
};

/* No CR, LF or NUL: what every text of an envelope must be, so that none can break a line or a C
   string wherever it is written later. */
bool envelope_text_safe(struct bytes text);

/* Put behind what `to` holds. A text that is not safe, or longer than its bound above (sender,
   helo and address: LIMIT_PATH), sets to->bad and is left out; the callers read their texts from
   address_parse and cannot get there. Reading refuses the same, other versions, and octets left
   over. */
void envelope_put(struct buffer *to, const struct envelope *envelope);
MUST_USE bool envelope_read(struct bytes head, struct envelope *ret_envelope);
void recipient_put(struct buffer *to, const struct recipient *recipient);
MUST_USE bool recipient_read(struct bytes entry, struct recipient *ret_recipient);

#endif
