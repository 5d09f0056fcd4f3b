/* SPDX-License-Identifier: ISC
 *
 * mail/envelope.h: what is known of a letter beside its text, as kept in the log and told between
 * roles.
 *
 * It travels as two kinds of octets that the queue need not understand: one head for the letter,
 * and one entry for each recipient. Both begin with a version: 1 has the fixed fields alone; in 2
 * more follow, each a tag (u8, in rising order) and a block, and only those that say something. A
 * new fact gets a new tag; a reader that does not know one refuses it.
 */
#ifndef POSTERN_MAIL_ENVELOPE_H
#define POSTERN_MAIL_ENVELOPE_H

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/limits.h"

enum {
    ENVELOPE_WORD_MOST = 64,            /* protocol, peer */
    ENVELOPE_ID_MOST = 998,             /* a Message-ID fills a line at most (RFC 5322, 2.1.1) */
    PRIORITY_MOST = 9,                  /* RFC 6710 */
    ENVID_MOST = 100,                   /* RFC 3461, 5.4 */
    ORCPT_MOST = 500,                   /* RFC 3461, 5.4 */
    ENVELOPE_TAG = 1 + 4,               /* in front of each fact of version 2 */
    /* the longest head there is, for a caller's buffer */
    ENVELOPE_MOST = 11 + 6 * 4 + 2 * LIMIT_PATH + 2 * ENVELOPE_WORD_MOST + LIMIT_DOMAIN
                  + ENVELOPE_ID_MOST + 4 * ENVELOPE_TAG + 2 + ENVID_MOST + 9,
    RECIPIENT_MOST = 1 + 4 + LIMIT_PATH + 2 * ENVELOPE_TAG + 1 + ORCPT_MOST,
};

enum body_kind { BODY_7BIT, BODY_8BITMIME, BODY_BINARYMIME };

#define ENVELOPE_BY_MOST (UINT64_C(1) << 53)

/* RET= (RFC 3461, 4.3): what a report of failure gives back of the text. */
enum dsn_ret { DSN_RET_UNSAID, DSN_RET_FULL, DSN_RET_HDRS };
/* NOTIFY= (RFC 3461, 4.1): a set; 0: the sender said nothing, which means failure and delay. */
enum dsn_notify {
    DSN_NEVER = 1, DSN_SUCCESS = 2, DSN_FAILURE = 4, DSN_DELAY = 8, DSN_NOTIFY_MOST = 14,
};

/* BY= (RFC 2852, 4): what becomes of a letter that is not delivered in time. */
enum by_mode {
    BY_NOT_GIVEN,
    BY_NOTIFY,                          /* N: its sender hears that it is late; it goes on */
    BY_RETURN,                          /* R: it comes back */
};

/* The head. Slices borrow from what was decoded. */
struct envelope {
    struct bytes sender;        /* the reverse path without its brackets; empty: the null sender */
    enum body_kind body;
    bool smtputf8;
    bool require_tls;           /* RFC 8689: not a hop of it in clear, or it comes back */
    uint64_t received_ms;       /* wall clock, when the end of the text was seen */
    struct bytes protocol;      /* for Received: SMTP, ESMTP, UTF8SMTP, ... (RFC 3848, 6531) */
    struct bytes helo;          /* as the client named itself */
    struct bytes peer;          /* the client's address, without port: 192.0.2.1, 2001:db8::1 */
    struct bytes host;          /* our own name at that time */
    struct bytes message_id;    /* the Message-ID field's value, without brackets; may be empty */
    enum dsn_ret ret;
    struct bytes envid;         /* as the client wrote it, in xtext; empty: none */
    enum by_mode by;
    bool by_trace;              /* T: its sender hears of each server that it is handed to */
    uint64_t by_ms;             /* wall clock: by then, at most ENVELOPE_BY_MOST; 0 without `by` */
    int8_t priority;            /* RFC 6710, -PRIORITY_MOST .. PRIORITY_MOST; 0: as any other */
};

struct recipient {
    struct bytes address;       /* the forward path without its brackets, as written */
    uint8_t notify;             /* enum dsn_notify; DSN_NEVER stands alone */
    struct bytes orcpt;         /* as the client wrote it: type ";" and xtext; empty: none */
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
