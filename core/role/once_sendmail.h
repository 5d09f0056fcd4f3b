/* SPDX-License-Identifier: ISC
 *
 * role/once_sendmail.h: what `sendmail` makes of a text that a program of this machine hands it,
 * as pure functions: the recipients it names, and the letter as SMTP has it.
 */
#ifndef POSTERN_ROLE_ONCE_SENDMAIL_H
#define POSTERN_ROLE_ONCE_SENDMAIL_H

#include "base/buffer.h"

enum { SENDMAIL_RECIPIENTS = 1000, SENDMAIL_LIST_MOST = 256 * 1024 };

struct sendmail_letter {
    struct bytes raw;           /* as it came: line ends LF or CRLF */
    bool from_header;           /* -t: recipients are To, Cc and Bcc too, and Bcc goes */
    struct bytes sender;        /* the envelope's, for a From field that is missing; empty: null */
    struct bytes name;          /* -F, for that field; may be empty */
    struct bytes domain;        /* for addresses without one, and for Message-ID */
    uint64_t now_ms, chance;    /* for Date and Message-ID */
};

struct sendmail_made {
    struct buffer to;           /* blocks: each recipient found in the header, with a domain */
    struct buffer text;         /* CRLF at each line's end, fields that were missing, no dots */
    bool eight_bit;             /* an octet of the text is above 127 */
    bool utf8;                  /* the header, or an address, needs SMTPUTF8 */
};

/* False: memory, or too many recipients. sendmail_made_done always. */
MUST_USE bool sendmail_make(const struct sendmail_letter *letter, struct sendmail_made *ret_made);
void sendmail_made_done(struct sendmail_made *made);

/* An address as users write it, behind what `to` holds: brackets and a name taken off, `domain`
   given to one that has none. False: it is none. */
MUST_USE bool sendmail_address(struct buffer *to, struct bytes text, struct bytes domain);

/* An ENVID parameter's value (RFC 3461, 4.4). */
void sendmail_envid_put(struct buffer *to, struct bytes envid);

#endif
